#include "http/text.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

namespace axl::http {

namespace {

// One look for each character; asking each of several sets costs more than all the rest of a head.
using CharSet = std::array<bool, 256>;

template <class Belongs>
consteval CharSet set_of(Belongs belongs) {
  CharSet set{};
  for (std::size_t i = 0; i < set.size(); ++i) set[i] = belongs(static_cast<char>(i));
  return set;
}

constexpr CharSet kToken = set_of(is_token_char);

constexpr CharSet kHost = set_of([](char c) {
  const char lower = to_lower(c);
  return (lower >= 'a' && lower <= 'z') || (c >= '-' && c <= ':' && c != '/') ||
         std::string_view{"_~[]%!$&'()*+;="}.find(c) != std::string_view::npos;
});

bool all_of(const CharSet& set, std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [&](char c) { return set[static_cast<unsigned char>(c)]; });
}

constexpr std::uint64_t kOnes = 0x0101010101010101U;
constexpr std::uint64_t kHighs = 0x8080808080808080U;

// A byte below `least`, or 0x7f, among these eight? May be wrong for bytes behind such a one, never without one.
template <std::uint64_t least>
bool has_control(std::uint64_t eight) noexcept {
  const auto below = (eight - kOnes * least) & ~eight & kHighs;
  const auto is_delete = eight ^ kOnes * 0x7f;
  return (below | ((is_delete - kOnes) & ~is_delete & kHighs)) != 0;
}

// Without the eights in front that hold no such byte; the last eight may have begun in the ones before.
template <std::uint64_t least>
std::string_view behind_clean(std::string_view text) noexcept {
  const auto clean = [](const char* at) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, at, sizeof eight);
    return !has_control<least>(eight);
  };
  if (text.size() < 8) return text;
  const auto* last = text.data() + text.size() - 8;
  while (text.size() >= 8 && clean(text.data())) text.remove_prefix(8);
  return text.size() < 8 && clean(last) ? std::string_view{} : text;
}

}  // namespace

bool same_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a == b) return true;  // most names are written as everybody does
  return std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return to_lower(x) == to_lower(y); });
}

std::optional<std::uint64_t> parse_decimal(std::string_view digits) noexcept {
  if (digits.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (std::numeric_limits<std::uint64_t>::max() - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

bool is_token(std::string_view text) noexcept { return !text.empty() && all_of(kToken, text); }

bool is_field_value(std::string_view text) noexcept {
  // A tab is looked at closely.
  text = behind_clean<0x20>(text);
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

bool is_visible(std::string_view text) noexcept {
  text = behind_clean<0x21>(text);
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f;
  });
}

bool is_host(std::string_view text) noexcept { return all_of(kHost, text); }

bool list_contains(std::string_view list, std::string_view token) noexcept {
  while (!list.empty()) {
    const auto comma = list.find(',');
    if (equal_ignoring_case(trim(list.substr(0, comma)), token)) return true;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace axl::http
