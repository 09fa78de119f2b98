// Envelopes of JSON that has been checked already.
//
// Source: bridge, section 4 (classification).
#pragma once

#include <axl/a2a.hpp>
#include <optional>
#include <string_view>

namespace axl::a2a {

/// `text` is valid JSON.
[[nodiscard]] std::optional<RequestEnvelope> request_in(std::string_view text, Shape shape);

}  // namespace axl::a2a
