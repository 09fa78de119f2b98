#include "link/go_duration.hpp"

#include <array>
#include <cstdint>
#include <limits>

namespace axl::link {

namespace {

struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};

// Longer names first: "ms" is not "m".
constexpr std::array kUnits{
    Unit{"ns", 1},         Unit{"us", 1'000},        Unit{"\u00b5s", 1'000},    Unit{"\u03bcs", 1'000},
    Unit{"ms", 1'000'000}, Unit{"s", 1'000'000'000}, Unit{"m", 60'000'000'000}, Unit{"h", 3'600'000'000'000},
};

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

const Unit* take_unit(std::string_view& text) noexcept {
  for (const auto& unit : kUnits) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    return &unit;
  }
  return nullptr;
}

/// One number with its unit, in nanoseconds.
std::optional<std::int64_t> take_part(std::string_view& text) noexcept {
  std::int64_t whole = 0;
  double fraction = 0;
  bool any = false;
  for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1)) {
    const std::int64_t digit = text.front() - '0';
    if (whole > (kMax - digit) / 10) return {};
    whole = whole * 10 + digit;
    any = true;
  }
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    for (double place = 0.1; !text.empty() && is_digit(text.front()); text.remove_prefix(1), place /= 10) {
      fraction += place * (text.front() - '0');
      any = true;
    }
  }
  if (!any) return {};
  const auto* unit = take_unit(text);
  if (unit == nullptr || whole > kMax / unit->nanoseconds) return {};
  const auto extra = static_cast<std::int64_t>(fraction * static_cast<double>(unit->nanoseconds) + 0.5e-3);
  const auto exact = whole * unit->nanoseconds;
  if (exact > kMax - extra) return {};
  return exact + extra;
}

}  // namespace

std::optional<Duration> parse_go_duration(std::string_view text) noexcept {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return Duration{0};
  if (text.empty()) return {};
  std::int64_t total = 0;
  while (!text.empty()) {
    const auto part = take_part(text);
    if (!part || total > kMax - *part) return {};
    total += *part;
  }
  return Duration{negative ? -total : total};
}

}  // namespace axl::link
