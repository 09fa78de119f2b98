// JSON without a tree: the text is checked once, then walked where it lies.
//
// What walks trusts that the text has been checked; on anything else the results mean nothing, but nothing is read
// outside of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/json_text.hpp"

namespace axl::mcp::json {

/// Deeper nesting is refused.
inline constexpr std::size_t kMaxDepth = 128;

/// One JSON value and nothing else, in UTF-8.
[[nodiscard]] bool is_valid(std::string_view text);

enum class Type : std::uint8_t { object, array, string, number, boolean, null };
[[nodiscard]] Type type_of(std::string_view value) noexcept;
/// Spaces at both ends removed.
[[nodiscard]] std::string_view trim(std::string_view text) noexcept;

struct Member {
  std::string_view name;   ///< a JSON string, with its quotes
  std::string_view value;  ///< as written
};

/// The members of an object, one after the other.
class Members {
 public:
  /// Anything but an object has none.
  explicit Members(std::string_view object) noexcept;
  [[nodiscard]] std::optional<Member> next() noexcept;

 private:
  std::string_view rest_;
};

/// The elements of an array, one after the other.
class Elements {
 public:
  /// Anything but an array has none.
  explicit Elements(std::string_view array) noexcept;
  [[nodiscard]] std::optional<std::string_view> next() noexcept;

 private:
  std::string_view rest_;
};

/// The last value of that name.
[[nodiscard]] std::optional<std::string_view> find(std::string_view object, std::string_view name);

/// Does this JSON string say `name`? Without regard to the case of ASCII letters, if so wanted.
[[nodiscard]] bool says(std::string_view string, std::string_view name, bool ignoring_case = false);
/// The text of a JSON string; empty for any other value.
[[nodiscard]] std::optional<std::string> text_of(std::string_view value);
using axl::json::quote;

}  // namespace axl::mcp::json
