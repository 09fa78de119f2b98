#include "net/socket_setup.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#ifdef __linux__
#include <linux/sockios.h>
#endif

namespace axl::net {

Result<void> prepare_stream_socket(Socket& socket) {
  std::error_code failure;
  socket.non_blocking(true, failure);
  if (!failure) socket.set_option(asio::ip::tcp::no_delay{true}, failure);
  if (failure == asio::error::operation_not_supported) failure.clear();  // a Unix socket never delays
  if (!failure) socket.set_option(asio::socket_base::keep_alive{false}, failure);
  if (failure) return system_failure(failure, "prepare socket");
  close_on_exec(socket.native_handle());
  return {};
}

void limit_unsent_in_kernel(Socket& socket, int bytes) noexcept {
#ifdef TCP_NOTSENT_LOWAT
  // Refused by a Unix socket, which holds little anyway.
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof bytes);
#else
  static_cast<void>(socket), static_cast<void>(bytes);
#endif
}

void close_on_exec(int descriptor) noexcept { ::fcntl(descriptor, F_SETFD, FD_CLOEXEC); }

std::size_t unacknowledged_bytes(Socket& socket) noexcept {
#ifdef SIOCOUTQ
  int waiting = 0;
  if (::ioctl(socket.native_handle(), SIOCOUTQ, &waiting) == 0 && waiting > 0) return static_cast<std::size_t>(waiting);
#else
  static_cast<void>(socket);
#endif
  return 0;
}

}  // namespace axl::net
