#include "config_values.hpp"

#include <fmt/format.h>

namespace axl::daemon {

namespace {

Error must_be(std::string what, const Value& value) {
  return Error{Errc::invalid_argument, fmt::format("must be {}, not {}", what, value.kind())};
}

bool is_null(const Value& value) { return value.as<std::nullptr_t>() != nullptr; }

}  // namespace

Result<void> read_integer(const Value& value, std::int64_t min, std::int64_t max, std::int64_t& out) {
  const auto* number = value.as<std::int64_t>();
  if (number == nullptr) return must_be("an integer", value);
  if (*number == 0) return {};
  if (*number < min || *number > max) {
    return Error{Errc::invalid_argument, fmt::format("must be from {} to {}, not {}", min, max, *number)};
  }
  out = *number;
  return {};
}

Result<void> read_seconds(const Value& value, std::int64_t max, Duration& out) {
  std::int64_t seconds = 0;
  auto read = read_integer(value, 1, max, seconds);
  if (read && seconds != 0) out = std::chrono::seconds{seconds};
  return read;
}

Result<void> read_flag(const Value& value, bool& out) {
  const auto* flag = value.as<bool>();
  if (flag == nullptr) return must_be("true or false", value);
  out = *flag;
  return {};
}

Result<void> read_text(const Value& value, std::string& out) {
  if (is_null(value)) return {};
  const auto* text = value.as<std::string>();
  if (text == nullptr) return must_be("a string", value);
  if (!text->empty()) out = *text;
  return {};
}

Result<void> read_texts(const Value& value, std::vector<std::string>& out) {
  out.clear();
  if (is_null(value)) return {};
  const auto* items = value.as<Array>();
  if (items == nullptr) return must_be("a list of strings", value);
  for (const auto& item : *items) {
    const auto* text = item.as<std::string>();
    if (text == nullptr) {
      return Error{Errc::invalid_argument, fmt::format("must be a list of strings, and holds {}", item.kind())};
    }
    if (!text->empty()) out.push_back(*text);
  }
  return {};
}

}  // namespace axl::daemon
