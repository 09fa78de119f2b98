// Tells MCP and A2A envelopes among the frames of overlay port 7000 from plain messages.
//
// Only the exact shapes count: known members and no others, each once and of its type, `request` an object. A message
// that merely resembles an envelope is a message.
//
// Source: bridge, section 4.
#pragma once

#include <axl/bytes.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace axl::router {

struct McpRequest {
  std::string service;
};
struct A2aRequest {
  bool agent_card = false;
};
using Envelope = std::variant<McpRequest, A2aRequest>;

/// The request envelope that `frame` is; empty for a plain message.
[[nodiscard]] std::optional<Envelope> classify(ByteSpan frame);

/// The answer frame's body that tells the caller why there is no answer.
[[nodiscard]] std::string error_envelope(const Envelope& request, std::string_view error);

/// `text` as a JSON string, quotes included; what is not UTF-8 becomes U+FFFD.
[[nodiscard]] std::string json_string(std::string_view text);

}  // namespace axl::router
