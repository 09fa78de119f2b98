// The address of a Unix socket. Included by sources only.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <axl/result.hpp>
#include <cstring>
#include <string>

namespace axl::net {

/// invalid_argument when the system's structure has no room for `path`.
[[nodiscard]] inline Result<sockaddr_un> unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path) || path.find('\0') != std::string::npos) {
    return Error{Errc::invalid_argument,
                 "a Unix socket's path has 1 to " + std::to_string(sizeof(address.sun_path) - 1) + " characters"};
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

[[nodiscard]] inline int connect_unix(int descriptor, const sockaddr_un& address) noexcept {
  return ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

}  // namespace axl::net
