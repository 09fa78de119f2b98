// The target of a request line, split but not decoded, and the few operations on paths that routing needs.
//
// RFC 9112, section 3.2: `/path?query` (origin form), `http://host/path?query` (absolute form), `host:port` (CONNECT)
// and `*`. Decoding is left to who uses a part: `%2f` in a path is not a separator.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace axl::http {

class Target {
 public:
  Target() = default;
  /// Empty for a text that is none of the four forms, or that holds a `#`, a space or a control character.
  [[nodiscard]] static std::optional<Target> parse(std::string text);

  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  /// As written, beginning with `/`; `*` for the asterisk form; empty for the authority form.
  [[nodiscard]] std::string_view path() const noexcept { return part(path_begin_, path_size_); }
  /// Without the `?`; empty when there is none.
  [[nodiscard]] std::string_view query() const noexcept { return part(query_begin_, query_size_); }
  [[nodiscard]] bool has_query() const noexcept { return query_begin_ != 0; }
  /// The host, and port if written, of the absolute and authority forms; it stands above the Host header.
  [[nodiscard]] std::optional<std::string_view> authority() const noexcept;

 private:
  [[nodiscard]] std::string_view part(std::size_t begin, std::size_t size) const noexcept {
    return std::string_view{text_}.substr(begin, size);
  }

  std::string text_;
  std::size_t path_begin_ = 0;
  std::size_t path_size_ = 0;
  std::size_t query_begin_ = 0;  // 0: no query
  std::size_t query_size_ = 0;
  std::size_t authority_begin_ = 0;
  std::size_t authority_size_ = 0;
};

/// `%41` becomes `A`; `plus_is_space` for query values. Empty for a percent sign without two hex digits.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

/// Keeps letters, digits and `-._~`; everything else becomes `%XX`.
[[nodiscard]] std::string percent_encode(std::string_view text);

/// The first value of `name` in a query, decoded. Values that do not decode are passed over.
[[nodiscard]] std::optional<std::string> query_value(std::string_view query, std::string_view name);

/// The path without empty, `.` and `..` segments; a slash at the end stays. Never climbs above the root.
[[nodiscard]] std::string clean_path(std::string_view path);

}  // namespace axl::http
