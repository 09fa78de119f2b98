#include "a2a/agent_params.hpp"

#include <array>
#include <charconv>
#include <limits>

#include "mcp/json.hpp"

namespace axl::a2a {

namespace {

namespace json = mcp::json;

constexpr std::size_t kMaxIdSize = 256;
constexpr std::size_t kMaxParts = 64;
constexpr std::uint64_t kMaxPage = 100;

RpcError invalid(std::string text) { return {.code = ErrorCode::invalid_params, .text = std::move(text)}; }

// Absent and null are the same.
std::optional<std::string_view> member(std::string_view object, std::string_view name) {
  const auto value = json::find(object, name);
  return value && *value != "null" ? value : std::nullopt;
}

// False: it is there, but is no text that may be an id.
bool take_id(std::string_view object, std::string_view name, std::string& out) {
  const auto value = member(object, name);
  if (!value) return true;
  auto text = json::text_of(*value);
  if (!text || text->size() > kMaxIdSize) return false;
  out = std::move(*text);
  return true;
}

// Protobuf's JSON writes small integers as numbers; strings of digits are read too.
bool take_count(std::string_view object, std::string_view name, std::optional<std::uint64_t>& out) {
  const auto value = member(object, name);
  if (!value) return true;
  const auto text =
      json::type_of(*value) == json::Type::string ? json::text_of(*value).value_or(std::string{}) : std::string{*value};
  std::uint64_t number = 0;
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (text.empty() || read.ec != std::errc{} || read.ptr != end || number > std::numeric_limits<std::int32_t>::max()) {
    return false;
  }
  out = number;
  return true;
}

bool is_true(std::optional<std::string_view> value) { return value && *value == "true"; }

std::optional<Part> read_part(std::string_view part) {
  if (const auto text = member(part, "text")) {
    auto content = json::text_of(*text);
    if (!content) return {};
    return Part{.kind = Part::Kind::text, .content = std::move(*content)};
  }
  if (const auto data = json::find(part, "data")) return Part{.kind = Part::Kind::data, .content = std::string{*data}};
  return {};
}

std::variant<Message, RpcError> read_message(std::string_view text, Dialect dialect) {
  Message message;
  if (!take_id(text, "messageId", message.id) || message.id.empty()) return invalid("message.messageId is required");
  if (!take_id(text, "contextId", message.context_id) || !take_id(text, "taskId", message.task_id)) {
    return invalid("message.contextId and message.taskId are texts of at most 256 bytes");
  }
  const auto role = member(text, "role");
  const auto role_text = role ? json::text_of(*role) : std::nullopt;
  if (role_text != (dialect == Dialect::v0_3 ? "user" : "ROLE_USER")) return invalid("message.role must be the user's");
  if (const auto metadata = member(text, "metadata")) {
    if (json::type_of(*metadata) != json::Type::object) return invalid("message.metadata must be an object");
    message.metadata = std::string{*metadata};
  }
  const auto parts = member(text, "parts");
  if (!parts || json::type_of(*parts) != json::Type::array) return invalid("message.parts is required");
  json::Elements elements{*parts};
  while (const auto element = elements.next()) {
    if (json::type_of(*element) != json::Type::object) return invalid("message.parts must be objects");
    if (message.parts.size() == kMaxParts) return invalid("message.parts are too many");
    auto part = read_part(*element);
    if (!part) return RpcError{.code = ErrorCode::content_type_not_supported, .text = "only text and data are read"};
    message.parts.push_back(std::move(*part));
  }
  if (message.parts.empty()) return invalid("message.parts is empty");
  return message;
}

}  // namespace

std::variant<SendParams, RpcError> read_send_params(std::string_view params, Dialect dialect) {
  const auto text = member(params, "message");
  if (!text || json::type_of(*text) != json::Type::object) return invalid("message is required");
  auto message = read_message(*text, dialect);
  if (auto* const error = std::get_if<RpcError>(&message)) return std::move(*error);
  SendParams out{.message = std::move(*std::get_if<Message>(&message))};
  const auto configuration = member(params, "configuration");
  if (!configuration) return out;
  if (json::type_of(*configuration) != json::Type::object) return invalid("configuration must be an object");
  if (!take_count(*configuration, "historyLength", out.view.history)) {
    return invalid("history length must be non-negative");
  }
  const auto* const push = dialect == Dialect::v0_3 ? "pushNotificationConfig" : "taskPushNotificationConfig";
  if (member(*configuration, push)) return RpcError{.code = ErrorCode::push_not_supported};
  if (dialect == Dialect::v0_3) {
    out.wait = json::find(*configuration, "blocking") != std::string_view{"false"};
  } else {
    out.wait = !is_true(member(*configuration, "returnImmediately"));
  }
  return out;
}

std::variant<TaskParams, RpcError> read_task_params(std::string_view params) {
  TaskParams out;
  if (!take_id(params, "id", out.id) || out.id.empty()) return invalid("id is required");
  if (!take_count(params, "historyLength", out.view.history)) return invalid("history length must be non-negative");
  return out;
}

std::variant<ListParams, RpcError> read_list_params(std::string_view params) {
  ListParams out;
  if (!take_id(params, "contextId", out.filter.context_id)) return invalid("contextId is not valid");
  if (const auto status = member(params, "status")) {
    const auto name = json::text_of(*status);
    const bool any = name == "TASK_STATE_UNSPECIFIED";
    out.filter.state = name && !any ? state_named(*name) : std::nullopt;
    const bool never = name == "TASK_STATE_INPUT_REQUIRED" || name == "TASK_STATE_REJECTED" ||
                       name == "TASK_STATE_AUTH_REQUIRED";  // states that our tasks do not have
    if (never) out.filter.before = 0;
    if (!any && !never && !out.filter.state) return invalid("status is no task state");
  }
  if (const auto after = member(params, "statusTimestampAfter")) {
    out.filter.updated_after = parse_time(json::text_of(*after).value_or(std::string{}));
    if (!out.filter.updated_after) return invalid("statusTimestampAfter is no time");
  }
  std::optional<std::uint64_t> page_size;
  if (!take_count(params, "pageSize", page_size) || page_size == 0 || page_size.value_or(1) > kMaxPage) {
    return invalid("pageSize must be from 1 to 100");
  }
  if (page_size) out.filter.page_size = static_cast<std::size_t>(*page_size);
  if (const auto token = member(params, "pageToken"); token && *token != R"("")") {
    std::uint64_t before = 0;
    const auto digits = json::text_of(*token).value_or(std::string{});
    const auto* const end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, before, 16);
    if (digits.empty() || read.ec != std::errc{} || read.ptr != end) return invalid("Invalid page token");
    if (!out.filter.before) out.filter.before = before;
  }
  if (!take_count(params, "historyLength", out.view.history)) return invalid("history length must be non-negative");
  out.view.artifacts = is_true(member(params, "includeArtifacts"));
  return out;
}

std::string encode_list(const TaskPage& page, const ListParams& params) {
  std::string out = R"({"tasks":[)";
  for (const auto* task : page.tasks) {
    if (out.back() != '[') out += ',';
    out += encode_task(*task, Dialect::v1_0, params.view);
  }
  std::string token;
  if (page.continue_before) {
    std::array<char, 16> digits{};
    const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), *page.continue_before, 16);
    token.assign(digits.data(), written.ptr);
  }
  return out + R"(],"nextPageToken":")" + token + R"(","pageSize":)" + std::to_string(params.filter.page_size) +
         R"(,"totalSize":)" + std::to_string(page.total) + "}";
}

}  // namespace axl::a2a
