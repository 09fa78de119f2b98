// Status codes and the phrases that stand behind them. RFC 9110, section 15.
#pragma once

#include <string_view>

namespace axl::http {

/// "OK" for 200; empty for a code that has no phrase.
[[nodiscard]] std::string_view reason_phrase(int status) noexcept;

/// May an answer of this status have a body at all?
[[nodiscard]] constexpr bool status_has_body(int status) noexcept {
  return status >= 200 && status != 204 && status != 304;
}

}  // namespace axl::http
