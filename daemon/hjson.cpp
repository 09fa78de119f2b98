#include "hjson.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "config_text.hpp"

namespace axl::daemon {

namespace {

constexpr int kMaxDepth = 64;

class Reader {
 public:
  explicit Reader(std::string_view text) : text_{text} {}

  Result<Object> document() {
    if (auto skipped = skip(); !skipped) return skipped.error();
    const bool braces = peek() == '{';
    if (braces) ++at_;
    auto object = members(braces, 1);
    if (!object) return object;
    if (auto skipped = skip(); !skipped) return skipped.error();
    if (at_ < text_.size()) return fail("unexpected text after the end");
    return object;
  }

 private:
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  [[nodiscard]] bool ended() const { return at_ >= text_.size(); }
  [[nodiscard]] Error fail(std::string_view what) const {
    return Error{Errc::malformed, fmt::format("{} (line {})", what, line_)};
  }
  [[nodiscard]] bool comment_begins() const {
    return peek() == '#' || (peek() == '/' && (peek(1) == '/' || peek(1) == '*'));
  }

  // White space and comments; commas too where they only separate.
  Result<void> skip(bool commas = false) {
    while (!ended()) {
      const char c = peek();
      if (c == '\n') ++line_;
      if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || (commas && c == ',')) {
        ++at_;
      } else if (c == '/' && peek(1) == '*') {
        const auto end = text_.find("*/", at_ + 2);
        if (end == std::string_view::npos) return fail("a /* comment does not end");
        for (; at_ < end + 2; ++at_) line_ += text_[at_] == '\n' ? 1 : 0;
      } else if (comment_begins()) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else {
        break;
      }
    }
    return {};
  }

  Result<Object> members(bool braces, int depth) {
    if (depth > kMaxDepth) return fail("nested too deeply");
    Object object;
    while (true) {
      if (auto skipped = skip(!object.empty()); !skipped) return skipped.error();
      if (ended()) {
        if (braces) return fail("end of input while reading an object (is a closing '}' missing?)");
        return object;
      }
      if (peek() == '}') {
        if (!braces) return fail("unexpected '}'");
        ++at_;
        return object;
      }
      auto name = member_name();
      if (!name) return name.error();
      if (auto skipped = skip(); !skipped) return skipped.error();
      if (peek() != ':') return fail(fmt::format("':' is missing after the key \"{}\"", *name));
      ++at_;
      auto value = this->value(depth);
      if (!value) return value.error();
      object.emplace_back(std::move(*name), std::move(*value));
    }
  }

  Result<std::string> member_name() {
    if (peek() == '"' || peek() == '\'') return quoted();
    const auto begin = at_;
    while (!ended()) {
      const char c = peek();
      if (c == ':' || c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',' || c == '{' || c == '}' || c == '[' ||
          c == ']' || c == '"' || c == '\'') {
        break;
      }
      ++at_;
    }
    if (at_ == begin) return fail("a key is missing");
    return std::string{text_.substr(begin, at_ - begin)};
  }

  Result<Value> value(int depth) {
    if (auto skipped = skip(); !skipped) return skipped.error();
    const int line = line_;
    if (ended()) return fail("end of input where a value is needed");
    switch (peek()) {
      case '{': {
        ++at_;
        auto object = members(true, depth + 1);
        if (!object) return object.error();
        return Value{std::move(*object), line};
      }
      case '[': ++at_; return array(depth + 1, line);
      case '"':
      case '\'': {
        auto text = quoted();
        if (!text) return text.error();
        return Value{std::move(*text), line};
      }
      case '}':
      case ']':
      case ',':
      case ':': return fail(fmt::format("unexpected '{}' where a value is needed", peek()));
      default: return bare(line);
    }
  }

  Result<Value> array(int depth, int line) {
    if (depth > kMaxDepth) return fail("nested too deeply");
    Array items;
    while (true) {
      if (auto skipped = skip(!items.empty()); !skipped) return skipped.error();
      if (ended()) return fail("end of input while reading a list (is a closing ']' missing?)");
      if (peek() == ']') {
        ++at_;
        return Value{std::move(items), line};
      }
      auto item = value(depth);
      if (!item) return item;
      items.push_back(std::move(*item));
    }
  }

  // A number or word when it ends where JSON lets it end, else a string up to the end of the line.
  Result<Value> bare(int line) {
    const auto begin = at_;
    auto end = begin;
    while (end < text_.size() && std::string_view{",]} \t\r\n#"}.find(text_[end]) == std::string_view::npos &&
           !(text_[end] == '/' && end + 1 < text_.size() && (text_[end + 1] == '/' || text_[end + 1] == '*'))) {
      ++end;
    }
    const auto word = text_.substr(begin, end - begin);
    at_ = end;
    while (peek() == ' ' || peek() == '\t' || peek() == '\r') ++at_;
    if (ended() || peek() == '\n' || peek() == ',' || peek() == ']' || peek() == '}' || comment_begins()) {
      if (word == "null") return Value{nullptr, line};
      if (word == "true") return Value{true, line};
      if (word == "false") return Value{false, line};
      if (auto number = this->number(word)) return Value{std::move(*number), line};
    }
    end = std::min(text_.find('\n', begin), text_.size());
    auto text = text_.substr(begin, end - begin);
    at_ = end;
    const auto trim = [&text] {
      while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
    };
    trim();
    if (text.ends_with(',')) text.remove_suffix(1);
    trim();
    return Value{std::string{text}, line};
  }

  // JSON's grammar: no leading zeros or plus signs.
  static std::optional<Value::Variant> number(std::string_view word) {
    auto rest = word;
    const auto digits = [&rest] {
      std::size_t count = 0;
      while (!rest.empty() && rest.front() >= '0' && rest.front() <= '9') {
        rest.remove_prefix(1);
        ++count;
      }
      return count;
    };
    if (rest.starts_with('-')) rest.remove_prefix(1);
    const bool zero = rest.starts_with('0');
    const auto whole = digits();
    if (whole == 0 || (zero && whole > 1)) return {};
    bool integer = true;
    if (rest.starts_with('.')) {
      rest.remove_prefix(1);
      integer = false;
      if (digits() == 0) return {};
    }
    if (rest.starts_with('e') || rest.starts_with('E')) {
      rest.remove_prefix(1);
      integer = false;
      if (rest.starts_with('+') || rest.starts_with('-')) rest.remove_prefix(1);
      if (digits() == 0) return {};
    }
    if (!rest.empty()) return {};
    std::int64_t value = 0;
    if (integer && std::from_chars(word.data(), word.data() + word.size(), value).ec == std::errc{}) return value;
    return std::strtod(std::string{word}.c_str(), nullptr);
  }

  Result<std::string> quoted() {
    const char quote = peek();
    ++at_;
    std::string out;
    while (true) {
      if (ended() || peek() == '\n') return fail("a quoted string does not end");
      const char c = peek();
      ++at_;
      if (c == quote) return out;
      if (c != '\\') {
        if (static_cast<unsigned char>(c) < 0x20 && c != '\t') return fail("a control character in a string");
        out += c;
        continue;
      }
      if (auto escaped = escape(out); !escaped) return escaped.error();
    }
  }

  Result<void> escape(std::string& out) {
    const char c = peek();
    ++at_;
    switch (c) {
      case '"':
      case '\'':
      case '\\':
      case '/': out += c; return {};
      case 'b': out += '\b'; return {};
      case 'f': out += '\f'; return {};
      case 'n': out += '\n'; return {};
      case 'r': out += '\r'; return {};
      case 't': out += '\t'; return {};
      case 'u': break;
      default: return fail("an unknown escape in a string");
    }
    auto code = hex4();
    if (code && *code >= 0xD800 && *code < 0xDC00 && peek() == '\\' && peek(1) == 'u') {
      at_ += 2;
      const auto low = hex4();
      if (!low || *low < 0xDC00 || *low >= 0xE000) return fail("half a surrogate pair in a string");
      code = 0x10000 + ((*code - 0xD800) << 10U) + (*low - 0xDC00);
    }
    if (!code || (*code >= 0xD800 && *code < 0xE000)) return fail("a bad \\u escape in a string");
    append_utf8(out, *code);
    return {};
  }

  std::optional<std::uint32_t> hex4() {
    std::uint32_t code = 0;
    if (text_.size() - at_ < 4) return {};
    const auto* begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, begin + 4, code, 16);
    if (error != std::errc{} || end != begin + 4) return {};
    at_ += 4;
    return code;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
};

void write_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      out += c;
    }
  }
  out += '"';
}

struct Writer {
  std::string& out;
  void operator()(std::nullptr_t) const { out += "null"; }
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(std::int64_t value) const { out += std::to_string(value); }
  void operator()(double value) const { out += std::isfinite(value) ? fmt::format("{}", value) : "null"; }
  void operator()(const std::string& value) const { write_string(out, value); }
  void operator()(const Array& items) const {
    out += '[';
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out += ',';
      std::visit(*this, items[i].content());
    }
    out += ']';
  }
  void operator()(const Object& object) const {
    out += '{';
    for (std::size_t i = 0; i < object.size(); ++i) {
      if (i > 0) out += ',';
      write_string(out, object[i].first);
      out += ':';
      std::visit(*this, object[i].second.content());
    }
    out += '}';
  }
};

}  // namespace

std::string_view Value::kind() const noexcept {
  switch (content_.index()) {
    case 0: return "null";
    case 1: return "true or false";
    case 2: return "an integer";
    case 3: return "a number";
    case 4: return "a string";
    case 5: return "a list";
    default: return "an object";
  }
}

Result<Object> parse_hjson(std::string_view text) { return Reader{text}.document(); }

std::string to_json(const Value& value) {
  std::string out;
  std::visit(Writer{out}, value.content());
  return out;
}

}  // namespace axl::daemon
