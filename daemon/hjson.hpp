// JSON, and the part of HJSON that config files use: comments (#, //, /* */), trailing and missing commas, keys and
// strings without quotes (such a string runs to the end of its line), an outer object without braces.
//
// Every valid JSON text means what JSON says.
#pragma once

#include <axl/result.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace axl::daemon {

class Value;
using Array = std::vector<Value>;
using Object = std::vector<std::pair<std::string, Value>>;  // in the order of the text; names may repeat

class Value {
 public:
  /// A number that is no 64-bit integer is a double.
  using Variant = std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, Array, Object>;

  Value() = default;
  Value(Variant content, int line) : content_{std::move(content)}, line_{line} {}

  template <class T>
  [[nodiscard]] const T* as() const noexcept {
    return std::get_if<T>(&content_);
  }
  [[nodiscard]] const Variant& content() const noexcept { return content_; }
  [[nodiscard]] int line() const noexcept { return line_; }
  /// "an integer", "a string", ...
  [[nodiscard]] std::string_view kind() const noexcept;

 private:
  Variant content_ = nullptr;
  int line_ = 0;
};

/// The outer object; an empty text is an empty object. Errors name the line.
[[nodiscard]] Result<Object> parse_hjson(std::string_view text);

/// Compact JSON.
[[nodiscard]] std::string to_json(const Value& value);

}  // namespace axl::daemon
