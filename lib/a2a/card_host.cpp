#include "a2a/card_host.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>

namespace axl::a2a {

namespace {

using V4 = std::array<std::uint8_t, 4>;
using V6 = std::array<std::uint8_t, 16>;

constexpr std::size_t kGroups = 8;

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_letter(char c) noexcept { return c >= 'a' && c <= 'z'; }
bool is_hex(char c) noexcept { return is_digit(c) || (c >= 'a' && c <= 'f'); }

// What `text` is up to `separator`, which goes too.
std::string_view take(std::string_view& text, char separator) noexcept {
  const auto end = std::min(text.find(separator), text.size());
  const auto taken = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return taken;
}

// Four decimal numbers, none with a zero in front.
std::optional<V4> parse_v4(std::string_view text) noexcept {
  if (std::ranges::count(text, '.') != 3) return {};
  V4 address{};
  for (auto& byte : address) {
    const auto part = take(text, '.');
    if (part.empty() || !std::ranges::all_of(part, is_digit) || (part.size() > 1 && part.front() == '0')) return {};
    const auto read = std::from_chars(part.data(), part.data() + part.size(), byte);
    if (read.ec != std::errc{}) return {};
  }
  return address;
}

// The groups on one side of `::`; an IPv4 address may end them. False: no such thing.
bool take_groups(std::string_view text, bool last, V6& out, std::size_t& count) noexcept {
  count = 0;
  if (text.empty()) return true;
  const auto groups = static_cast<std::size_t>(std::ranges::count(text, ':')) + 1;
  for (std::size_t i = 0; i < groups; ++i) {
    const auto group = take(text, ':');
    if (last && i + 1 == groups && group.find('.') != std::string_view::npos) {
      const auto v4 = parse_v4(group);
      if (!v4 || count > kGroups - 2) return false;
      std::ranges::copy(*v4, out.begin() + static_cast<std::ptrdiff_t>(2 * count));
      count += 2;
      return true;
    }
    if (group.empty() || group.size() > 4 || count == kGroups || !std::ranges::all_of(group, is_hex)) return false;
    std::uint16_t value = 0;
    std::from_chars(group.data(), group.data() + group.size(), value, 16);
    out[2 * count] = static_cast<std::uint8_t>(value >> 8U);
    out[2 * count + 1] = static_cast<std::uint8_t>(value & 0xFFU);
    ++count;
  }
  return true;
}

std::optional<V6> parse_v6(std::string_view text) noexcept {
  const auto gap = text.find("::");
  V6 front{};
  std::size_t before = 0;
  if (gap == std::string_view::npos) {
    return take_groups(text, true, front, before) && before == kGroups ? std::optional{front} : std::nullopt;
  }
  V6 back{};
  std::size_t behind = 0;
  if (!take_groups(text.substr(0, gap), false, front, before)) return {};
  if (!take_groups(text.substr(gap + 2), true, back, behind) || before + behind >= kGroups) return {};
  std::copy_n(back.begin(), 2 * behind, front.end() - static_cast<std::ptrdiff_t>(2 * behind));
  return front;
}

bool is_here(const V4& address) noexcept { return address[0] == 127 || address[0] == 0; }

// ::, ::1, and IPv4 addresses written as IPv6 ones.
bool is_here(const V6& address) noexcept {
  constexpr std::size_t kZeros = 10;
  if (std::any_of(address.begin(), address.begin() + kZeros, [](auto byte) { return byte != 0; })) return false;
  const bool mapped = address[10] == 0xFF && address[11] == 0xFF;
  const bool compatible = address[10] == 0 && address[11] == 0;  // :: and ::1 are 0.0.0.0 and 0.0.0.1
  return (mapped || compatible) && is_here(V4{address[12], address[13], address[14], address[15]});
}

CardHost of_v6(std::string_view host, std::string_view overlay) noexcept {
  const auto address = parse_v6(host);
  if (!address) return CardHost::unclear;
  if (is_here(*address)) return CardHost::loopback;
  return address == parse_v6(overlay) ? CardHost::overlay : CardHost::elsewhere;
}

// A name that ends like this is an IPv4 address to some readers.
bool looks_like_number(std::string_view label) noexcept {
  if (label.starts_with("0x")) return std::ranges::all_of(label.substr(2), is_hex);
  return std::ranges::all_of(label, is_digit);
}

CardHost of_name(std::string_view host) noexcept {
  if (host.ends_with('.')) host.remove_suffix(1);
  const bool plain = std::ranges::all_of(
      host, [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '.'; });
  const bool whole = !host.empty() && !host.starts_with('.') && !host.ends_with('.');
  if (!plain || !whole || host.find("..") != std::string_view::npos) return CardHost::unclear;
  const auto dot = host.rfind('.');
  if (looks_like_number(host.substr(dot == std::string_view::npos ? 0 : dot + 1))) {
    const auto address = parse_v4(host);
    if (!address) return CardHost::unclear;
    return is_here(*address) ? CardHost::loopback : CardHost::elsewhere;
  }
  return host == "localhost" || host.ends_with(".localhost") ? CardHost::loopback : CardHost::elsewhere;
}

}  // namespace

CardHost card_host(std::string_view authority, std::string_view overlay) {
  if (authority.find('\\') != std::string_view::npos) return CardHost::unclear;
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
  std::string text{authority};
  std::ranges::transform(text, text.begin(), [](char c) { return lower(c); });
  std::string_view host{text};
  const bool bracketed = host.starts_with('[');
  const auto end = bracketed ? host.find(']') : std::min(host.find(':'), host.size());
  if (end == std::string_view::npos) return CardHost::unclear;
  const auto port = host.substr(end + (bracketed ? 1 : 0));
  if (!port.empty() && port.front() != ':') return CardHost::unclear;
  if (!std::ranges::all_of(port.substr(port.empty() ? 0 : 1), is_digit)) return CardHost::unclear;
  return bracketed ? of_v6(host.substr(1, end - 1), overlay) : of_name(host.substr(0, end));
}

}  // namespace axl::a2a
