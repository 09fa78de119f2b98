// Small questions about the text of HTTP messages. RFC 9110, section 5.6.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace axl::http {

[[nodiscard]] constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

/// For two texts of one size.
[[nodiscard]] bool same_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// ASCII letters compare without case; all other bytes as they are.
[[nodiscard]] inline bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && same_ignoring_case(a, b);
}

[[nodiscard]] inline bool starts_ignoring_case(std::string_view text, std::string_view prefix) noexcept {
  return text.size() >= prefix.size() && to_lower(text.front()) == to_lower(prefix.front()) &&
         same_ignoring_case(text.substr(0, prefix.size()), prefix);
}

/// Spaces and tabs at both ends removed.
[[nodiscard]] constexpr std::string_view trim(std::string_view text) noexcept {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Digits only, no sign, no overflow.
[[nodiscard]] std::optional<std::uint64_t> parse_decimal(std::string_view digits) noexcept;

/// One character of RFC 9110's `token`.
[[nodiscard]] constexpr bool is_token_char(char c) noexcept {
  return (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'z') ||
         std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
}

/// A header's name or a method: at least one such character, and no other.
[[nodiscard]] bool is_token(std::string_view text) noexcept;

/// A header's value: no control character but tab, so that no value can end its line.
[[nodiscard]] bool is_field_value(std::string_view text) noexcept;

/// Neither a space nor a control character.
[[nodiscard]] bool is_visible(std::string_view text) noexcept;

/// What a Host header or an authority may hold: a name or an address, and a port. RFC 3986, section 3.2.2.
[[nodiscard]] bool is_host(std::string_view text) noexcept;

/// Does a comma-separated list hold `token`, without regard to case?
[[nodiscard]] bool list_contains(std::string_view list, std::string_view token) noexcept;

}  // namespace axl::http
