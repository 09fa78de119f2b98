// Sends a connection out through one network interface.
//
// Source: overlay links and sessions, section 2.1 (source interface of a peer).
#pragma once

#include <asio/ip/address.hpp>
#include <axl/result.hpp>
#include <string>

#include "net/asio_types.hpp"

namespace axl::net {

/// Binds an open, unconnected socket to the interface and to one of its addresses of the destination's family and
/// scope. A link-local destination gets the interface's zone. Fails if the interface is missing, down or has no such
/// address.
[[nodiscard]] Result<void> bind_to_interface(Socket& socket, const std::string& interface,
                                             asio::ip::address& destination);

}  // namespace axl::net
