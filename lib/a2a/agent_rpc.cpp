#include "a2a/agent_rpc.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "mcp/json.hpp"

namespace axl::a2a {

namespace {

namespace json = mcp::json;

struct ErrorText {
  ErrorCode code;
  std::string_view text;
  std::string_view reason;
};
constexpr std::array kErrors{
    ErrorText{ErrorCode::parse, "Invalid JSON payload", "PARSE_ERROR"},
    ErrorText{ErrorCode::invalid_request, "Invalid Request", "INVALID_REQUEST"},
    ErrorText{ErrorCode::method_not_found, "Method not found", "METHOD_NOT_FOUND"},
    ErrorText{ErrorCode::invalid_params, "Invalid params", "INVALID_PARAMS"},
    ErrorText{ErrorCode::internal, "Internal error", "INTERNAL_ERROR"},
    ErrorText{ErrorCode::task_not_found, "Task not found", "TASK_NOT_FOUND"},
    ErrorText{ErrorCode::task_not_cancelable, "Task cannot be canceled", "TASK_NOT_CANCELABLE"},
    ErrorText{ErrorCode::push_not_supported, "Push Notification is not supported", "PUSH_NOTIFICATION_NOT_SUPPORTED"},
    ErrorText{ErrorCode::unsupported_operation, "This operation is not supported", "UNSUPPORTED_OPERATION"},
    ErrorText{ErrorCode::content_type_not_supported, "Incompatible content types", "CONTENT_TYPE_NOT_SUPPORTED"},
    ErrorText{ErrorCode::extended_card_not_configured, "Authenticated Extended Card is not configured",
              "EXTENDED_AGENT_CARD_NOT_CONFIGURED"},
    ErrorText{ErrorCode::version_not_supported, "Version not supported", "VERSION_NOT_SUPPORTED"},
};

struct MethodName {
  std::string_view name;
  Method method;
};
constexpr std::array kMethods{
    MethodName{"SendMessage", Method::send},
    MethodName{"SendStreamingMessage", Method::stream},
    MethodName{"GetTask", Method::get},
    MethodName{"ListTasks", Method::list},
    MethodName{"CancelTask", Method::cancel},
    MethodName{"SubscribeToTask", Method::subscribe},
    MethodName{"CreateTaskPushNotificationConfig", Method::push_config},
    MethodName{"GetTaskPushNotificationConfig", Method::push_config},
    MethodName{"ListTaskPushNotificationConfigs", Method::push_config},
    MethodName{"DeleteTaskPushNotificationConfig", Method::push_config},
    MethodName{"GetExtendedAgentCard", Method::extended_card},
    MethodName{"message/send", Method::send},
    MethodName{"message/stream", Method::stream},
    MethodName{"tasks/get", Method::get},
    MethodName{"tasks/cancel", Method::cancel},
    MethodName{"tasks/resubscribe", Method::subscribe},
    MethodName{"tasks/pushNotificationConfig/set", Method::push_config},
    MethodName{"tasks/pushNotificationConfig/get", Method::push_config},
    MethodName{"tasks/pushNotificationConfig/list", Method::push_config},
    MethodName{"tasks/pushNotificationConfig/delete", Method::push_config},
    MethodName{"agent/getAuthenticatedExtendedCard", Method::extended_card},
};

// Only major and minor number count.
std::optional<Dialect> dialect_of(std::string_view version) {
  version = json::trim(version);
  if (version.empty()) return Dialect::v0_3;
  const auto is = [version](std::string_view wanted) {
    return version == wanted || (version.starts_with(wanted) && version[wanted.size()] == '.');
  };
  if (is("1.0")) return Dialect::v1_0;
  if (is("0.3")) return Dialect::v0_3;
  return {};
}

std::string id_of(std::string_view text) {
  const auto id = json::find(text, "id");
  if (!id) return "null";
  const auto type = json::type_of(*id);
  return type == json::Type::string || type == json::Type::number ? std::string{*id} : "null";
}

}  // namespace

std::variant<RpcCall, RpcRefusal> read_call(ByteSpan body, std::string_view version) {
  const auto text = json::trim(as_text(body));
  const auto dialect = dialect_of(version);
  RpcRefusal refusal{.id = "null", .dialect = dialect.value_or(Dialect::v1_0), .error = {}};
  const auto refuse = [&](ErrorCode code, std::string why = {}) {
    refusal.error = {.code = code, .text = std::move(why)};
    return refusal;
  };
  if (!json::is_valid(text)) return refuse(ErrorCode::parse);
  if (json::type_of(text) == json::Type::array) {
    return refuse(ErrorCode::invalid_request, "Batch requests are not supported");
  }
  if (json::type_of(text) != json::Type::object) return refuse(ErrorCode::invalid_request);
  refusal.id = id_of(text);
  const auto protocol = json::find(text, "jsonrpc");
  if (!protocol || json::text_of(*protocol) != "2.0") {
    return refuse(ErrorCode::invalid_request, "Invalid request: 'jsonrpc' must be exactly '2.0'");
  }
  if (const auto id = json::find(text, "id"); id && refusal.id == "null" && *id != "null") {
    return refuse(ErrorCode::invalid_request, "Invalid request: id must be a string, integer, or null");
  }
  const auto member = json::find(text, "method");
  const auto name = member ? json::text_of(*member) : std::nullopt;
  if (!name || name->empty()) return refuse(ErrorCode::invalid_request, "Method is required");

  const auto* const known =
      std::find_if(kMethods.begin(), kMethods.end(), [&](const MethodName& method) { return method.name == *name; });
  const bool is_old = name->find('/') != std::string::npos;
  if (!dialect) {
    return refuse(ErrorCode::version_not_supported,
                  "A2A version '" + std::string{version.substr(0, 32)} + "' is not supported; 1.0 and 0.3 are");
  }
  if (is_old) refusal.dialect = Dialect::v0_3;
  if (known == kMethods.end()) return refuse(ErrorCode::method_not_found);
  if (!is_old && *dialect == Dialect::v0_3) {
    refusal.dialect = Dialect::v1_0;
    return refuse(ErrorCode::version_not_supported,
                  "A2A version '0.3' has no method " + *name + "; send the header A2A-Version: 1.0");
  }
  RpcCall call{.method = known->method, .dialect = refusal.dialect, .id = refusal.id, .params = {}};
  if (const auto params = json::find(text, "params"); params && *params != "null") {
    if (json::type_of(*params) != json::Type::object) return refuse(ErrorCode::invalid_params);
    call.params = *params;
  }
  return call;
}

std::string encode_result(std::string_view id, std::string_view result) {
  std::string out = R"({"jsonrpc":"2.0","id":)";
  out.append(id).append(R"(,"result":)").append(result).append("}");
  return out;
}

std::string encode_error(std::string_view id, const RpcError& error, Dialect dialect) {
  const auto* const known =
      std::find_if(kErrors.begin(), kErrors.end(), [&](const ErrorText& text) { return text.code == error.code; });
  std::string out = R"({"jsonrpc":"2.0","id":)";
  out.append(id).append(R"(,"error":{"code":)").append(std::to_string(static_cast<int>(error.code)));
  out.append(R"(,"message":)").append(json::quote(error.text.empty() ? known->text : std::string_view{error.text}));
  if (dialect == Dialect::v1_0) {
    out.append(R"(,"data":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":")")
        .append(known->reason)
        .append(R"(","domain":"a2a-protocol.org","metadata":{}}])");
  }
  return out + "}}";
}

}  // namespace axl::a2a
