// The address of an HTTP server: `http://host:port/path?query`, https, or a Unix socket as
// `http+unix://%2Fpath%2Fof%2Fsocket/path`.
#pragma once

#include <axl/result.hpp>
#include <string>
#include <string_view>

#include "core/system.hpp"

namespace axl::http {

struct Url {
  Place place;            ///< port filled in (80, 443) when the text names none
  std::string authority;  ///< for the Host header: as written, without user information; `localhost` for a Unix socket
  std::string path;       ///< begins with `/`
  std::string query;      ///< without the `?`

  /// User information, a fragment, another scheme and control characters are refused.
  [[nodiscard]] static Result<Url> parse(std::string_view text);
  /// A literal loopback address, `localhost`, or a Unix socket.
  [[nodiscard]] bool is_loopback() const noexcept;
};

}  // namespace axl::http
