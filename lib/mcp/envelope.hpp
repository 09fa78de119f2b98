// Envelopes of JSON that has been checked already: what looks for several kinds checks once.
//
// Source: bridge, section 4 (classification).
#pragma once

#include <axl/mcp.hpp>
#include <optional>
#include <string_view>

namespace axl::mcp {

/// May this be an envelope of any kind? Decides cheaply for nearly every plain message; `exact` ones begin with a
/// known member, loose ones with a brace.
[[nodiscard]] bool may_be_envelope(ByteSpan frame, Shape shape) noexcept;

/// `text` is valid JSON.
[[nodiscard]] std::optional<RequestEnvelope> request_in(std::string_view text, Shape shape);

/// Two values under one name of an answer, by the rule of the loose shape: `response` and `error`.
struct Outcome {
  std::string_view response = "null";
  std::optional<std::string> error;
};
/// Takes member `name` if it is one of the two. False: it has the wrong type.
[[nodiscard]] bool take_outcome(std::string_view name, std::string_view value, Outcome& outcome);
/// `PREFIX,"response":RESPONSE}` and `PREFIX,"response":null,"error":"TEXT"}`.
[[nodiscard]] std::string with_response(std::string_view prefix, std::string_view response);
[[nodiscard]] std::string with_error(std::string_view prefix, std::string_view error);

}  // namespace axl::mcp
