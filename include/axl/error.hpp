// What can go wrong, as values: a code that programs compare, and a text for people.
#pragma once

#include <axl/api.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace axl {

/// Codes of the library. Values are part of the API: new ones are added, none is renumbered.
enum class Errc : int {
  invalid_argument = 1,    ///< the caller's input makes no sense
  malformed = 2,           ///< bytes from elsewhere that no rule of the protocol allows
  too_large = 3,           ///< more bytes than the limit named in the text
  closed = 4,              ///< the object, connection or node is closed
  refused = 5,             ///< the peer, or a rule of ours, said no
  timed_out = 6,           ///< nothing came within the time allowed
  would_block = 7,         ///< no room now; a later event says when to try again
  not_supported = 8,       ///< known, but not built here
  already_exists = 9,      ///< there is one already
  not_found = 10,          ///< no such thing
  limit_reached = 11,      ///< a bound on number or bytes is reached
  permission_denied = 12,  ///< the operating system or an allow list forbids it
  key_mismatch = 13,       ///< another key answered than the one asked for
  unreachable = 14,        ///< no way to the peer
  io = 15,                 ///< the operating system reports a failure
  crypto = 16,             ///< a signature, tag or key does not hold
  busy = 17,               ///< the peer cannot take it now
  delivery_unknown = 18,   ///< sent, and no receipt came: it may or may not have arrived
  internal = 19,           ///< one of our own invariants failed
  cancelled = 20,          ///< whoever asked for it has taken that back
  ended = 21,              ///< there is no more: the peer has finished
};

/// Never null; name "axl".
[[nodiscard]] AXL_API const std::error_category& error_category() noexcept;

[[nodiscard]] inline std::error_code make_error_code(Errc code) noexcept {
  return {static_cast<int>(code), error_category()};
}

/// A failure: which kind, and what was being done.
class Error {
 public:
  Error(Errc code, std::string text) : code_{make_error_code(code)}, text_{std::move(text)} {}
  Error(std::error_code code, std::string text) : code_{code}, text_{std::move(text)} {}

  [[nodiscard]] std::error_code code() const noexcept { return code_; }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  [[nodiscard]] bool is(Errc code) const noexcept { return code_ == make_error_code(code); }

 private:
  std::error_code code_;
  std::string text_;
};

}  // namespace axl

template <>
struct std::is_error_code_enum<axl::Errc> : std::true_type {};
