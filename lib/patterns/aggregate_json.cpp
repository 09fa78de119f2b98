#include "patterns/aggregate_json.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>
#include <map>
#include <utility>

#include "convergecast/groups.hpp"
#include "mcp/json.hpp"

namespace axl::patterns {

namespace {

namespace json = mcp::json;
using Kind = Operation::Kind;

constexpr std::int64_t kMostTtl = 86'400;
constexpr std::array<std::pair<std::string_view, Kind>, 6> kOperations{
    {{"count", Kind::count},
     {"sum", Kind::sum},
     {"min", Kind::min},
     {"max", Kind::max},
     {"mean", Kind::mean},
     {"top", Kind::top}}};

Error wrong(std::string text) { return {Errc::invalid_argument, std::move(text)}; }

std::string_view name_of(Kind kind) {
  for (const auto& [name, operation] : kOperations) {
    if (operation == kind) return name;
  }
  return "custom";
}

std::optional<Number> read_number(std::string_view text) {
  text = json::trim(text);
  if (json::type_of(text) != json::Type::number) return std::nullopt;
  const auto* end = text.data() + text.size();
  std::int64_t whole = 0;
  if (const auto [at, error] = std::from_chars(text.data(), end, whole); error == std::errc{} && at == end) {
    return Number{whole};
  }
  double real = 0;
  if (const auto [at, error] = std::from_chars(text.data(), end, real); error != std::errc{} || at != end) {
    return std::nullopt;
  }
  const auto number = Number::from_double(real);
  return number ? std::optional{*number} : std::nullopt;
}

// Nothing beyond some ages, so that it fits.
std::optional<Duration> read_seconds(std::string_view text) {
  const auto number = read_number(text);
  if (!number || number->to_double() < 0 || number->to_double() > 1e6) return std::nullopt;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>{number->to_double()});
}

std::optional<bool> read_flag(std::string_view text) {
  text = json::trim(text);
  if (json::type_of(text) != json::Type::boolean) return std::nullopt;
  return text == "true";
}

using Values = std::map<std::string, Number>;

Result<void> add(Values& values, std::string group, std::string_view text) {
  const auto number = read_number(text);
  if (!number) return wrong("a value is a finite number");
  if (!convergecast::is_group(group)) return wrong("a group's name is at most 64 bytes of text that may be shown");
  if (values.size() >= kMaxAggregationGroups) return wrong("values are of at most 256 groups");
  if (!values.emplace(std::move(group), *number).second) return wrong("a group has one value");
  return {};
}

/// `value` and `values`; false: it is another member.
Result<bool> read_value_member(const json::Member& member, std::optional<Values>& values) {
  const bool one = json::says(member.name, "value");
  if (!one && !json::says(member.name, "values")) return false;
  if (!values) values.emplace();
  if (one) {
    if (const auto added = add(*values, {}, member.value); !added) return added.error();
    return true;
  }
  if (json::type_of(json::trim(member.value)) != json::Type::object) {
    return wrong("values is an object of numbers by group");
  }
  json::Members groups{member.value};
  while (const auto group = groups.next()) {
    auto name = json::text_of(group->name);
    if (!name) return wrong("values is an object of numbers by group");
    if (const auto added = add(*values, *std::move(name), group->value); !added) return added.error();
  }
  return true;
}

std::vector<Contribution> contributions(const Values& values) {
  std::vector<Contribution> out;
  for (const auto& [group, number] : values) out.push_back({group, number});
  return out;
}

Result<std::string_view> object_of(std::string_view text) {
  text = json::trim(text);
  if (!json::is_valid(text) || json::type_of(text) != json::Type::object) return wrong("The body is no JSON object");
  return text;
}

Error unknown(const json::Member& member) {
  return wrong(fmt::format("unknown member {}", member.name.substr(0, 64)));
}

std::string keys_json(const std::vector<PublicKey>& keys) {
  std::string text = "[";
  for (const auto& key : keys) text += fmt::format("{}\"{}\"", text.size() > 1 ? "," : "", key.to_hex());
  return text + "]";
}

std::string number_json(const Number& number) {
  return number.is_integer() ? fmt::format("{}", number.integer()) : fmt::format("{}", number.to_double());
}

}  // namespace

Result<QuestionRequest> read_question(std::string_view session, std::string_view text) {
  const auto object = object_of(text);
  if (!object) return object.error();
  QuestionRequest out;
  out.question.name = session;
  std::optional<Values> values;
  bool named = false;
  json::Members members{*object};
  while (const auto member = members.next()) {
    const auto is_value = read_value_member(*member, values);
    if (!is_value) return is_value.error();
    if (*is_value) continue;
    if (json::says(member->name, "operation")) {
      for (const auto& [name, kind] : kOperations) {
        if (!json::says(json::trim(member->value), name)) continue;
        out.question.operation.kind = kind;
        named = true;
      }
    } else if (json::says(member->name, "limit")) {
      const auto limit = read_number(member->value);
      if (!limit || !limit->is_integer() || limit->integer() < 1 || limit->integer() > Operation::kMaxTop) {
        return wrong("limit is 1 to 64");
      }
      out.question.operation.limit = static_cast<std::uint16_t>(limit->integer());
    } else if (json::says(member->name, "time")) {
      const auto time = read_seconds(member->value);
      if (!time) return wrong("time is a number of seconds");
      out.question.time = *time;
    } else if (json::says(member->name, "legacy")) {
      const auto flag = read_flag(member->value);
      if (!flag) return wrong("legacy is true or false");
      out.legacy = *flag;
    } else if (json::says(member->name, "tell_all")) {
      const auto flag = read_flag(member->value);
      if (!flag) return wrong("tell_all is true or false");
      out.question.tell_all = *flag;
    } else {
      return unknown(*member);
    }
  }
  if (out.legacy && (named || out.question.tell_all || out.question.operation.limit != 0)) {
    return wrong("a session of the older kind sums, and tells nobody");
  }
  if (!named && !out.legacy) return wrong("operation is count, sum, min, max, mean or top");
  if (const auto checked = convergecast::check(out.question); !checked) return checked.error();
  if (values) out.values = contributions(*values);
  return out;
}

Result<ValuesRequest> read_values(std::string_view text) {
  const auto object = object_of(text);
  if (!object) return object.error();
  ValuesRequest out;
  std::optional<Values> values;
  json::Members members{*object};
  while (const auto member = members.next()) {
    const auto is_value = read_value_member(*member, values);
    if (!is_value) return is_value.error();
    if (*is_value) continue;
    if (!json::says(member->name, "ttl")) return unknown(*member);
    out.ttl = read_seconds(member->value);
    if (!out.ttl || *out.ttl < std::chrono::seconds{1} || *out.ttl > std::chrono::seconds{kMostTtl}) {
      return wrong("ttl is 1 to 86400 seconds");
    }
  }
  if (!values || values->empty()) return wrong("a value, or values of groups, is needed");
  out.values = contributions(*values);
  return out;
}

std::string values_json(const std::vector<Contribution>& values) {
  std::string text = "{";
  for (const auto& [group, value] : values) {
    const auto* number = std::get_if<Number>(&value);
    if (number == nullptr) continue;
    text += fmt::format("{}{}:{}", text.size() > 1 ? "," : "", json::quote(group), number_json(*number));
  }
  return text + "}";
}

std::string old_outcome_json(std::string_view session, const Convergecast::OldOutcome& outcome) {
  return fmt::format(R"({{"session":{},"legacy":true,"complete":{},"is_root":{},"values":{},"received_from":{},"missing_keys":{}}})",
                     json::quote(session), outcome.missing.empty(), outcome.is_root, values_json(outcome.values),
                     keys_json(outcome.received_from), keys_json(outcome.missing));
}

std::string outcome_json(std::string_view session, const Operation& operation, const Outcome& outcome) {
  auto text = fmt::format(R"({{"session":{},"operation":"{}","complete":{},"contributed":{},"abstained":{},"missing":{},"missing_keys":{},"settling":{},"truncated":{},"groups":[)",
                          json::quote(session), name_of(operation.kind), outcome.complete(), outcome.contributed,
                          outcome.abstained, outcome.missing, keys_json(outcome.missing_keys), outcome.settling,
                          outcome.truncated);
  bool first = true;
  for (const auto& group : outcome.groups) {
    text += fmt::format(R"({}{{"group":{},"count":{})", std::exchange(first, false) ? "" : ",",
                        json::quote(group.group), group.count);
    if (operation.kind == Kind::top) {
      text += R"(,"top":[)";
      bool highest = true;
      for (const auto& ranked : group.top) {
        text += fmt::format(R"({}{{"value":{},"node":"{}"}})", std::exchange(highest, false) ? "" : ",",
                            number_json(ranked.value), ranked.node.to_hex());
      }
      text += ']';
    } else if (operation.kind != Kind::custom) {
      text += fmt::format(R"(,"value":{})", number_json(group.value));
    }
    text += '}';
  }
  return text + "]}";
}

}  // namespace axl::patterns
