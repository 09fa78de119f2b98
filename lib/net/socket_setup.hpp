// What every stream socket of ours is set to.
//
// Source: overlay links and sessions, section 2.6 (socket options).
#pragma once

#include <axl/result.hpp>
#include <cstddef>

#include "net/asio_types.hpp"

namespace axl::net {

/// Non-blocking, TCP_NODELAY on, keep-alive off (liveness is the routing layer's 3 s rule), closed on exec;
/// on loopback not paced.
[[nodiscard]] Result<void> prepare_stream_socket(Socket& socket);

/// The kernel takes no more from us while it holds so many bytes that it has not sent yet. Where the system knows it.
void limit_unsent_in_kernel(Socket& socket, int bytes) noexcept;

/// Not inherited by programs that this process starts. For sockets that Asio has opened.
void close_on_exec(int descriptor) noexcept;

/// Bytes in the kernel that the other end has not acknowledged; zero where the system does not tell.
[[nodiscard]] std::size_t unacknowledged_bytes(Socket& socket) noexcept;

}  // namespace axl::net
