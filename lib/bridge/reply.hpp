// Small things that several handlers answer.
#pragma once

#include <string_view>
#include <utility>

#include "http/exchange.hpp"

namespace axl::bridge {

/// 503 with Retry-After: nothing was done, and it may work later.
inline void respond_busy(http::Exchange& exchange, std::string_view text, http::Headers headers = {}) {
  headers.set("Retry-After", "1");
  exchange.respond_error(503, text, std::move(headers));
}

}  // namespace axl::bridge
