// A2A envelopes, and what a tunnel must know of A2A's methods.
//
//   {"a2a":true,"request":JSONRPC}   {"a2a":true,"agent_card":true,"request":null}
//   {"a2a":true,"response":JSON}     {"a2a":true,"response":null,"error":"TEXT"}
//
// Views and bytes as in axl/mcp.hpp. Source: bridge, sections 4, 8.1 and 8.4.
#pragma once

#include <axl/api.hpp>
#include <axl/bytes.hpp>
#include <axl/mcp.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace axl::a2a {

using Shape = EnvelopeShape;

struct RequestEnvelope {
  bool agent_card = false;   ///< asks for the agent's card; `request` is null then
  std::string_view request;  ///< one JSON value
};

struct AnswerEnvelope {
  std::string_view response;         ///< one JSON value; `null` when there is none
  std::optional<std::string> error;  ///< not empty
};

/// Empty: `frame` is no such envelope.
[[nodiscard]] AXL_API std::optional<RequestEnvelope> read_request(ByteSpan frame, Shape shape = Shape::exact);
/// Always loose.
[[nodiscard]] AXL_API std::optional<AnswerEnvelope> read_answer(ByteSpan frame);

/// `request` and `response`: one JSON value each, as it shall stand in the envelope.
[[nodiscard]] AXL_API std::string encode_request(std::string_view request);
[[nodiscard]] AXL_API std::string encode_card_request();
[[nodiscard]] AXL_API std::string encode_answer(std::string_view response);
[[nodiscard]] AXL_API std::string encode_error(std::string_view error);

enum class Version : std::uint8_t { v0_3, v1_0 };

/// By the method's name: one with a slash is of 0.3.
[[nodiscard]] AXL_API Version version_of(std::string_view method) noexcept;
/// Does the method answer with a stream of events?
[[nodiscard]] AXL_API bool is_streaming(std::string_view method) noexcept;

}  // namespace axl::a2a
