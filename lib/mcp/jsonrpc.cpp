#include <axl/mcp.hpp>

#include "mcp/json.hpp"

namespace axl::mcp {

namespace {

constexpr std::string_view kMetaVersion = "io.modelcontextprotocol/protocolVersion";

std::optional<std::string> text_member(std::string_view object, std::string_view name) {
  const auto value = json::find(object, name);
  return value ? json::text_of(*value) : std::nullopt;
}

void look_into_params(JsonRpc& message) {
  if (const auto meta = json::find(message.params, "_meta")) message.meta_version = text_member(*meta, kMetaVersion);
  if (message.method == "tools/call" || message.method == "prompts/get") {
    message.name = text_member(message.params, "name");
  } else if (message.method == "resources/read") {
    message.name = text_member(message.params, "uri");
  }
}

}  // namespace

std::optional<JsonRpc> peek(ByteSpan body) {
  const auto text = json::trim(as_text(body));
  if (!json::is_valid(text)) return {};
  JsonRpc message;
  if (json::type_of(text) == json::Type::array) message.kind = JsonRpc::Kind::batch;
  bool has_method = false;
  bool has_outcome = false;
  json::Members members{text};
  while (const auto member = members.next()) {
    if (json::says(member->name, "method")) {
      auto method = json::text_of(member->value);
      has_method = method.has_value();
      message.method = std::move(method).value_or(std::string{});
    } else if (json::says(member->name, "id")) {
      message.id = json::type_of(member->value) == json::Type::null ? std::string_view{} : member->value;
    } else if (json::says(member->name, "params")) {
      message.params = member->value;
    } else if (json::says(member->name, "result") || json::says(member->name, "error")) {
      has_outcome = true;
    }
  }
  if (has_method) {
    message.kind = message.id.empty() ? JsonRpc::Kind::notification : JsonRpc::Kind::request;
    look_into_params(message);
  } else if (has_outcome) {
    message.kind = JsonRpc::Kind::response;
  }
  return message;
}

std::string encode_rpc_error(std::string_view id, int code, std::string_view message) {
  std::string out = "{\"jsonrpc\":\"2.0\",\"id\":";
  out += id.empty() ? std::string_view{"null"} : id;
  return out + ",\"error\":{\"code\":" + std::to_string(code) + ",\"message\":" + json::quote(message) + "}}";
}

}  // namespace axl::mcp
