// Why not simdjson's parser: it refuses integers beyond 64 bits and floats beyond double, which JSON allows and a
// tunnel must carry, and its tree takes many times the memory of the text. Its UTF-8 check serves us.

#include <simdjson.h>

#include <bitset>

#include "mcp/json.hpp"

namespace axl::mcp::json {

namespace {

bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_hex(char c) noexcept { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// RFC 8259, without recursion: what is open is one bit per level.
class Checker {
 public:
  explicit Checker(std::string_view text) noexcept : at_{text.data()}, end_{text.data() + text.size()} {}

  bool check() {
    while (true) {
      space();
      if (!begin_value()) return false;
      if (opened_) continue;
      space();
      while (depth_ > 0 && next_is(in_object() ? '}' : ']')) {
        --depth_;
        space();
      }
      if (depth_ == 0) return at_ == end_;
      if (!next_is(',') || (in_object() && !name())) return false;
    }
  }

 private:
  [[nodiscard]] bool in_object() const { return open_[depth_ - 1]; }

  void space() noexcept {
    while (at_ != end_ && is_space(*at_)) ++at_;
  }
  bool next_is(char c) noexcept {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  bool word(std::string_view expected) noexcept {
    if (!std::string_view{at_, static_cast<std::size_t>(end_ - at_)}.starts_with(expected)) return false;
    at_ += expected.size();
    return true;
  }
  bool name() noexcept {
    space();
    if (!string()) return false;
    space();
    return next_is(':');
  }

  // A whole value, or the beginning of one that is not empty (opened_).
  bool begin_value() {
    opened_ = false;
    if (at_ == end_) return false;
    switch (*at_) {
      case '{': return open(true);
      case '[': return open(false);
      case '"': return string();
      case 't': return word("true");
      case 'f': return word("false");
      case 'n': return word("null");
      default: return number();
    }
  }

  bool open(bool object) {
    ++at_;
    space();
    if (next_is(object ? '}' : ']')) return true;
    if (depth_ == kMaxDepth) return false;
    open_[depth_++] = object;
    opened_ = true;
    return !object || name();
  }

  bool string() noexcept {
    if (!next_is('"')) return false;
    while (at_ != end_) {
      const auto c = *at_++;
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c == '\\' && !escape()) return false;
    }
    return false;
  }

  bool escape() noexcept {
    if (at_ == end_) return false;
    const auto c = *at_++;
    if (c != 'u') return std::string_view{"\"\\/bfnrt"}.find(c) != std::string_view::npos;
    for (int i = 0; i < 4; ++i) {
      if (at_ == end_ || !is_hex(*at_++)) return false;
    }
    return true;
  }

  bool digits() noexcept {
    const auto* const begin = at_;
    while (at_ != end_ && is_digit(*at_)) ++at_;
    return at_ != begin;
  }

  bool number() noexcept {
    next_is('-');
    if (!next_is('0') && !digits()) return false;
    if (next_is('.') && !digits()) return false;
    if (!next_is('e') && !next_is('E')) return true;
    if (!next_is('+')) next_is('-');
    return digits();
  }

  const char* at_;
  const char* end_;
  std::bitset<kMaxDepth> open_;  // is the level an object?
  std::size_t depth_ = 0;
  bool opened_ = false;
};

}  // namespace

bool is_valid(std::string_view text) {
  return Checker{text}.check() && simdjson::validate_utf8(text.data(), text.size());
}

}  // namespace axl::mcp::json
