#include "a2a/agent_task.hpp"

#include <array>
#include <charconv>
#include <cstdio>

#include "a2a/pretty_json.hpp"
#include "mcp/json.hpp"

namespace axl::a2a {

namespace {

using mcp::json::quote;

struct StateName {
  TaskState state;
  std::string_view v1_0;
  std::string_view v0_3;
};
constexpr std::array kStates{
    StateName{TaskState::submitted, "TASK_STATE_SUBMITTED", "submitted"},
    StateName{TaskState::working, "TASK_STATE_WORKING", "working"},
    StateName{TaskState::completed, "TASK_STATE_COMPLETED", "completed"},
    StateName{TaskState::failed, "TASK_STATE_FAILED", "failed"},
    StateName{TaskState::canceled, "TASK_STATE_CANCELED", "canceled"},
};

std::string_view kind(Dialect dialect, std::string_view member) {
  return dialect == Dialect::v0_3 ? member : std::string_view{};
}

std::string encode_part(const Part& part, Dialect dialect) {
  if (part.kind == Part::Kind::text) {
    return "{" + std::string{kind(dialect, R"("kind":"text",)")} + R"("text":)" + quote(part.content) + "}";
  }
  const bool wrapped = dialect == Dialect::v0_3 && mcp::json::type_of(part.content) != mcp::json::Type::object;
  return "{" + std::string{kind(dialect, R"("kind":"data",)")} + R"("data":)" +
         (wrapped ? R"({"value":)" + part.content + "}" : part.content) + "}";
}

std::string encode_message(const Task& task, const Message& message, Dialect dialect) {
  const auto role = message.from_agent ? (dialect == Dialect::v0_3 ? "agent" : "ROLE_AGENT")
                                       : (dialect == Dialect::v0_3 ? "user" : "ROLE_USER");
  std::string out = "{" + std::string{kind(dialect, R"("kind":"message",)")} + R"("messageId":)" + quote(message.id) +
                    R"(,"contextId":)" + quote(task.context_id) + R"(,"taskId":)" + quote(task.id) + R"(,"role":")" +
                    role + R"(","parts":[)";
  for (const auto& part : message.parts) {
    if (out.back() != '[') out += ',';
    out += encode_part(part, dialect);
  }
  out += ']';
  if (!message.metadata.empty()) out += R"(,"metadata":)" + message.metadata;
  return out + "}";
}

std::string encode_status(const Task& task, Dialect dialect) {
  std::string out = R"({"state":")" + std::string{name_of(task.state, dialect)} + R"(","timestamp":")" +
                    encode_time(task.updated) + '"';
  if (!task.status_text.empty()) {
    const Message message{.id = task.id + "-" + std::to_string(task.version),
                          .from_agent = true,
                          .parts = {{.kind = Part::Kind::text, .content = task.status_text}}};
    out += R"(,"message":)" + encode_message(task, message, dialect);
  }
  return out + "}";
}

// The answer for people, and for programs. Version 0.3 has objects only.
std::string encode_artifact(const Task& task, Dialect dialect) {
  std::string out = R"({"artifactId":"mcp_response","name":"mcp_response","parts":[)" +
                    encode_part({.kind = Part::Kind::text, .content = pretty_json(task.answer)}, dialect);
  if (dialect == Dialect::v1_0 || mcp::json::type_of(task.answer) == mcp::json::Type::object) {
    out += "," + encode_part({.kind = Part::Kind::data, .content = task.answer}, dialect);
  }
  return out + "]}";
}

std::string event_head(const Task& task) {
  return R"("taskId":)" + quote(task.id) + R"(,"contextId":)" + quote(task.context_id);
}

int number_at(std::string_view text, std::size_t begin, std::size_t size) {
  int value = -1;
  const auto* const end = text.data() + begin + size;
  const auto read = std::from_chars(text.data() + begin, end, value);
  return read.ec == std::errc{} && read.ptr == end ? value : -1;
}

// Days since 1970 of a date of the Gregorian calendar.
std::int64_t days_of(int year, int month, int day) {
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era = y / 400;
  const std::int64_t year_of_era = y - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719'468;
}

}  // namespace

std::string_view name_of(TaskState state, Dialect dialect) noexcept {
  const auto& names = kStates[static_cast<std::size_t>(state)];
  return dialect == Dialect::v0_3 ? names.v0_3 : names.v1_0;
}

std::optional<TaskState> state_named(std::string_view name) noexcept {
  for (const auto& names : kStates) {
    if (name == names.v1_0 || name == names.v0_3) return names.state;
  }
  return {};
}

std::string encode_task(const Task& task, Dialect dialect, const TaskView& view) {
  std::string out = "{" + std::string{kind(dialect, R"("kind":"task",)")} + R"("id":)" + quote(task.id) +
                    R"(,"contextId":)" + quote(task.context_id) + R"(,"status":)" + encode_status(task, dialect);
  if (view.artifacts && !task.answer.empty()) out += R"(,"artifacts":[)" + encode_artifact(task, dialect) + "]";
  const auto shown = std::min<std::uint64_t>(view.history.value_or(task.history.size()), task.history.size());
  if (shown > 0) {
    out += R"(,"history":[)";
    for (auto i = task.history.size() - shown; i < task.history.size(); ++i) {
      if (out.back() != '[') out += ',';
      out += encode_message(task, task.history[i], dialect);
    }
    out += ']';
  }
  return out + "}";
}

std::string encode_sent(const Task& task, Dialect dialect, const TaskView& view) {
  auto text = encode_task(task, dialect, view);
  return dialect == Dialect::v0_3 ? text : R"({"task":)" + text + "}";
}

std::string encode_task_event(const Task& task, Dialect dialect) { return encode_sent(task, dialect); }

std::string encode_status_event(const Task& task, Dialect dialect) {
  const auto body = event_head(task) + R"(,"status":)" + encode_status(task, dialect);
  if (dialect == Dialect::v1_0) return R"({"statusUpdate":{)" + body + "}}";
  return R"({"kind":"status-update",)" + body + R"(,"final":)" + (is_final(task.state) ? "true" : "false") + "}";
}

std::string encode_artifact_event(const Task& task, Dialect dialect) {
  const auto body =
      event_head(task) + R"(,"artifact":)" + encode_artifact(task, dialect) + R"(,"append":false,"lastChunk":true)";
  if (dialect == Dialect::v1_0) return R"({"artifactUpdate":{)" + body + "}}";
  return R"({"kind":"artifact-update",)" + body + "}";
}

std::string encode_time(WallTime time) {
  const auto total = static_cast<std::int64_t>(time);
  const auto ms = total % 1'000;
  const auto seconds = total / 1'000;
  const auto days = seconds / 86'400 + 719'468;
  const auto in_day = seconds % 86'400;
  const auto era = days / 146'097;
  const auto day_of_era = days - era * 146'097;
  const auto year_of_era = (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const auto day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const auto shifted_month = (5 * day_of_year + 2) / 153;
  const auto day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  const auto month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  const auto year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  std::array<char, 64> text{};
  const auto size =
      std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", static_cast<int>(year),
                    static_cast<int>(month), static_cast<int>(day), static_cast<int>(in_day / 3'600),
                    static_cast<int>(in_day / 60 % 60), static_cast<int>(in_day % 60), static_cast<int>(ms));
  return {text.data(), static_cast<std::size_t>(size)};
}

std::optional<WallTime> parse_time(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't') || text[13] != ':' ||
      text[16] != ':') {
    return {};
  }
  const int year = number_at(text, 0, 4);
  const int month = number_at(text, 5, 2);
  const int day = number_at(text, 8, 2);
  const int hour = number_at(text, 11, 2);
  const int minute = number_at(text, 14, 2);
  const int second = number_at(text, 17, 2);
  if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 || minute < 0 ||
      minute > 59 || second < 0 || second > 60) {
    return {};
  }
  std::size_t at = 19;
  std::int64_t ms = 0;
  if (text[at] == '.') {
    std::int64_t unit = 100;
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10) ms += (text[at] - '0') * unit;
  }
  std::int64_t offset = 0;
  const auto zone = text.substr(at);
  if (zone.size() == 6 && (zone[0] == '+' || zone[0] == '-') && zone[3] == ':') {
    const int hours = number_at(zone, 1, 2);
    const int minutes = number_at(zone, 4, 2);
    if (hours < 0 || minutes < 0) return {};
    offset = (zone[0] == '+' ? 1 : -1) * (hours * 60 + minutes);
  } else if (zone != "Z" && zone != "z") {
    return {};
  }
  const auto seconds = days_of(year, month, day) * 86'400 + hour * 3'600 + minute * 60 + second - offset * 60;
  return WallTime{seconds * 1'000 + ms};
}

}  // namespace axl::a2a
