#include "services/stdio_message.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "mcp/json.hpp"

namespace axl::services {

namespace {

namespace json = mcp::json;
using Kind = mcp::JsonRpc::Kind;

constexpr std::size_t kMostInBatch = 1'024;  // as many requests as a session has under way
constexpr std::string_view kSubscription = "io.modelcontextprotocol/subscriptionId";

std::string_view member(std::string_view object, std::string_view name) {
  return json::trim(json::find(object, name).value_or(std::string_view{}));
}

// Ids are strings and numbers; null is none.
std::string_view id_member(std::string_view object, std::string_view name) {
  const auto value = member(object, name);
  if (value.empty()) return {};
  const auto type = json::type_of(value);
  return type == json::Type::string || type == json::Type::number ? value : std::string_view{};
}

std::optional<int> error_code(std::string_view message) {
  const auto error = member(message, "error");
  if (error.empty() || json::type_of(error) == json::Type::null) return std::nullopt;
  const auto code = member(error, "code");
  int number = 0;
  std::from_chars(code.data(), code.data() + code.size(), number);
  return number;
}

std::optional<StdioMessage> read_one(std::string_view text) {
  const auto rpc = mcp::peek(std::as_bytes(std::span{text}));
  if (!rpc || rpc->kind == Kind::other || rpc->kind == Kind::batch) return std::nullopt;
  StdioMessage message;
  message.text = json::trim(text);
  message.kind = rpc->kind;
  message.method = rpc->method;
  message.id = json::trim(rpc->id);
  if (message.kind == Kind::response) {
    message.error = error_code(text);
    message.subscription = id_member(member(member(text, "result"), "_meta"), kSubscription);
    return message;
  }
  const auto meta = member(rpc->params, "_meta");
  message.subscription = id_member(meta, kSubscription);
  message.token = id_member(meta, "progressToken");
  if (message.method == "notifications/progress") message.token = id_member(rpc->params, "progressToken");
  if (message.method == "notifications/cancelled") message.subject = id_member(rpc->params, "requestId");
  return message;
}

}  // namespace

std::vector<StdioMessage> read_messages(std::string_view text) {
  std::vector<StdioMessage> messages;
  const auto trimmed = json::trim(text);
  if (!trimmed.starts_with('[')) {
    if (auto one = read_one(trimmed)) messages.push_back(*std::move(one));
    return messages;
  }
  if (!json::is_valid(trimmed)) return messages;
  json::Elements elements{trimmed};
  while (const auto element = elements.next()) {
    auto one = read_one(*element);
    if (!one || messages.size() == kMostInBatch) return {};
    messages.push_back(*std::move(one));
  }
  return messages;
}

std::string protocol_version_of(const StdioMessage& response) {
  return json::text_of(member(member(response.text, "result"), "protocolVersion")).value_or(std::string{});
}

std::string id_key(std::string_view id) {
  if (const auto text = json::text_of(id)) return "s" + *text;
  return "n" + std::string{id};
}

std::string with_parts(const StdioMessage& message, std::vector<std::pair<std::string_view, std::string>> parts) {
  std::erase_if(parts, [](const auto& part) { return part.first.empty(); });
  std::sort(parts.begin(), parts.end(),
            [](const auto& a, const auto& b) { return std::less<>{}(a.first.data(), b.first.data()); });
  std::string out;
  out.reserve(message.text.size() + 64);
  const auto* at = message.text.data();
  for (const auto& [old, fresh] : parts) {
    out.append(at, old.data()).append(fresh);
    at = old.data() + old.size();
  }
  out.append(at, message.text.data() + message.text.size());
  join_lines(out);
  return out;
}

}  // namespace axl::services
