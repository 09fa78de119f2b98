// MCP envelopes, and what a tunnel must know of the JSON-RPC inside them.
//
//   {"service":"NAME","request":JSONRPC}
//   {"service":"NAME","response":JSONRPC}   {"service":"NAME","response":null,"error":"TEXT"}
//
// Reading copies nothing but names: what is JSON in an envelope stays where it is, byte for byte, and the views in a
// result live as long as the bytes that were read. Writing puts JSON in unchanged.
//
// Source: bridge, sections 4 and 8.4.
#pragma once

#include <axl/api.hpp>
#include <axl/bytes.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace axl {

/// How much an envelope may differ from what nodes write.
enum class EnvelopeShape : std::uint8_t {
  exact,  ///< known members only, each once, by its exact name and type, `request` an object
  loose,  ///< as nodes read: unknown members, any case of names, any `request` (none: null); the last of a name counts
};

namespace mcp {

using Shape = EnvelopeShape;

struct RequestEnvelope {
  std::string service;       ///< not empty
  std::string_view request;  ///< one JSON value
};

struct AnswerEnvelope {
  std::string service;               ///< may be empty
  std::string_view response;         ///< one JSON value; `null` when there is none
  std::optional<std::string> error;  ///< not empty
};

/// Empty: `frame` is no such envelope.
[[nodiscard]] AXL_API std::optional<RequestEnvelope> read_request(ByteSpan frame, Shape shape = Shape::exact);
/// Always loose.
[[nodiscard]] AXL_API std::optional<AnswerEnvelope> read_answer(ByteSpan frame);

/// `request` and `response`: one JSON value each, as it shall stand in the envelope.
[[nodiscard]] AXL_API std::string encode_request(std::string_view service, std::string_view request);
[[nodiscard]] AXL_API std::string encode_answer(std::string_view service, std::string_view response);
[[nodiscard]] AXL_API std::string encode_error(std::string_view service, std::string_view error);

/// The first look at a JSON-RPC message.
struct JsonRpc {
  enum class Kind : std::uint8_t {
    request,       ///< a method and an id
    notification,  ///< a method, no id (null counts as none)
    response,      ///< `result` or `error`, no method
    batch,         ///< an array
    other,         ///< any other JSON
  };
  Kind kind = Kind::other;
  std::string method;
  std::string_view id;      ///< as written; empty when there is none
  std::string_view params;  ///< as written; empty when there are none
  /// The protocol version that `params._meta` names (revision 2026-07-28 and later).
  std::optional<std::string> meta_version;
  /// What Mcp-Name repeats: the tool's or prompt's `params.name`, or the resource's `params.uri`.
  std::optional<std::string> name;
};

/// Empty when `body` is not one JSON value.
[[nodiscard]] AXL_API std::optional<JsonRpc> peek(ByteSpan body);

/// {"jsonrpc":"2.0","id":ID,"error":{"code":CODE,"message":"TEXT"}}; `id` is JSON, empty for null.
[[nodiscard]] AXL_API std::string encode_rpc_error(std::string_view id, int code, std::string_view message);

}  // namespace mcp
}  // namespace axl
