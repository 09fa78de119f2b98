// JSON-RPC as the built-in agent speaks it: which call, in which version of A2A, and how it is answered.
//
// Source: bridge, sections 6 and 8.1; A2A 1.0, sections 3.6 (versions), 5.4 and 9.5 (errors); A2A 0.3, section 8.
#pragma once

#include <axl/bytes.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "a2a/agent_task.hpp"

namespace axl::a2a {

enum class ErrorCode : std::int32_t {
  parse = -32700,
  invalid_request = -32600,
  method_not_found = -32601,
  invalid_params = -32602,
  internal = -32603,
  task_not_found = -32001,
  task_not_cancelable = -32002,
  push_not_supported = -32003,
  unsupported_operation = -32004,
  content_type_not_supported = -32005,
  extended_card_not_configured = -32007,
  version_not_supported = -32009,
};

struct RpcError {
  ErrorCode code{};
  std::string text = {};  ///< empty: the code's own
};

enum class Method : std::uint8_t { send, stream, get, list, cancel, subscribe, push_config, extended_card };

struct RpcCall {
  Method method{};
  Dialect dialect{};
  std::string id;           ///< JSON; `null` when there is none
  std::string_view params;  ///< JSON, views the request; empty when there are none
};

struct RpcRefusal {
  std::string id;
  Dialect dialect = Dialect::v1_0;
  RpcError error;
};

/// `version`: of the header or query, empty when there is none, which means 0.3. Names with a slash are always 0.3: old
/// nodes send version 1.0 with every request.
[[nodiscard]] std::variant<RpcCall, RpcRefusal> read_call(ByteSpan body, std::string_view version);

[[nodiscard]] std::string encode_result(std::string_view id, std::string_view result);
/// Version 1.0 adds the reason as google.rpc.ErrorInfo.
[[nodiscard]] std::string encode_error(std::string_view id, const RpcError& error, Dialect dialect);

}  // namespace axl::a2a
