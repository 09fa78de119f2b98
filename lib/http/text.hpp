// Small questions about the text of HTTP messages. RFC 9110, section 5.6.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace axl::http {

[[nodiscard]] constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

/// ASCII letters compare without case; all other bytes as they are.
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// Spaces and tabs at both ends removed.
[[nodiscard]] std::string_view trim(std::string_view text) noexcept;

/// Digits only, no sign, no overflow.
[[nodiscard]] std::optional<std::uint64_t> parse_decimal(std::string_view digits) noexcept;

/// A header's name or a method: at least one character of RFC 9110's `token`.
[[nodiscard]] bool is_token(std::string_view text) noexcept;

/// A header's value: no control character but tab, so that no value can end its line.
[[nodiscard]] bool is_field_value(std::string_view text) noexcept;

/// Does a comma-separated list hold `token`, without regard to case?
[[nodiscard]] bool list_contains(std::string_view list, std::string_view token) noexcept;

}  // namespace axl::http
