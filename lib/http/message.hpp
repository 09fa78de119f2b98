// The heads of requests and answers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/headers.hpp"
#include "http/target.hpp"

namespace axl::http {

enum class Version : std::uint8_t { http_1_0, http_1_1 };

struct RequestHead {
  std::string method = "GET";
  Target target;
  Version version = Version::http_1_1;
  Headers headers;
  /// As announced; empty for a chunked body. A request without a body has 0.
  std::optional<std::uint64_t> content_length = 0;
  bool keep_alive = true;
  bool expects_continue = false;

  [[nodiscard]] bool is(std::string_view wanted) const noexcept { return method == wanted; }
  [[nodiscard]] bool has_body() const noexcept { return content_length != 0; }
  /// Whom the client means, port included if written: the target's authority, else the Host header.
  [[nodiscard]] std::string_view host() const noexcept {
    const auto authority = target.authority();
    return authority ? *authority : headers.get("Host").value_or(std::string_view{});
  }
};

struct ResponseHead {
  int status = 0;
  std::string reason;
  Version version = Version::http_1_1;
  Headers headers;
  /// Empty when the body is chunked or ends with the connection.
  std::optional<std::uint64_t> content_length;
  bool keep_alive = true;
};

}  // namespace axl::http
