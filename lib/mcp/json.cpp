#include "mcp/json.hpp"

#include <algorithm>

#include "core/utf8.hpp"

namespace axl::mcp::json {

namespace {

bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

void skip_space(std::string_view& text) noexcept {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
}

// Behind the closing quote of the string that begins at `at`.
std::size_t string_end(std::string_view text, std::size_t at) noexcept {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return text.size();
}

// Behind the value at the front of `text`.
std::size_t value_end(std::string_view text) noexcept {
  if (text.starts_with('"')) return string_end(text, 0);
  std::size_t depth = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto c = text[at];
    if (c == '"') {
      at = string_end(text, at);
      continue;
    }
    if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return at;
      if (--depth == 0) return at + 1;
    } else if (depth == 0 && (c == ',' || is_space(c))) {
      return at;
    }
    ++at;
  }
  return text.size();
}

std::string_view take(std::string_view& text, std::size_t size) noexcept {
  const auto taken = text.substr(0, size);
  text.remove_prefix(taken.size());
  return taken;
}

std::uint32_t hex4(std::string_view digits) noexcept {
  std::uint32_t value = 0;
  for (const auto c : digits.substr(0, 4)) {
    const auto l = lower(c);
    value = value * 16 + static_cast<std::uint32_t>(l >= 'a' ? l - 'a' + 10 : l - '0');
  }
  return value;
}

// Reads one escape, without its backslash, from the front of `text`.
void unescape(std::string_view& text, std::string& out) {
  const auto c = text.front();
  text.remove_prefix(1);
  switch (c) {
    case 'b': out += '\b'; return;
    case 'f': out += '\f'; return;
    case 'n': out += '\n'; return;
    case 'r': out += '\r'; return;
    case 't': out += '\t'; return;
    case 'u': break;
    default: out += c; return;
  }
  auto code = hex4(take(text, 4));
  if (code >= 0xD800 && code < 0xDC00 && text.starts_with("\\u")) {
    const auto low = hex4(text.substr(2));
    if (low >= 0xDC00 && low < 0xE000) {
      code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
      take(text, 6);
    }
  }
  append_utf8(out, code);
}

}  // namespace

std::string_view trim(std::string_view text) noexcept {
  skip_space(text);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

Type type_of(std::string_view value) noexcept {
  skip_space(value);
  switch (value.empty() ? 'n' : value.front()) {
    case '{': return Type::object;
    case '[': return Type::array;
    case '"': return Type::string;
    case 't':
    case 'f': return Type::boolean;
    case 'n': return Type::null;
    default: return Type::number;
  }
}

Members::Members(std::string_view object) noexcept : rest_{object} {
  skip_space(rest_);
  if (!rest_.starts_with('{')) rest_ = {};
}

std::optional<Member> Members::next() noexcept {
  if (!rest_.empty()) rest_.remove_prefix(1);  // the brace, or a comma
  skip_space(rest_);
  if (!rest_.starts_with('"')) {
    rest_ = {};
    return {};
  }
  Member member;
  member.name = take(rest_, string_end(rest_, 0));
  skip_space(rest_);
  if (!rest_.empty()) rest_.remove_prefix(1);  // the colon
  skip_space(rest_);
  member.value = take(rest_, value_end(rest_));
  skip_space(rest_);
  return member;
}

Elements::Elements(std::string_view array) noexcept : rest_{array} {
  skip_space(rest_);
  if (!rest_.starts_with('[')) rest_ = {};
}

std::optional<std::string_view> Elements::next() noexcept {
  if (!rest_.empty()) rest_.remove_prefix(1);  // the bracket, or a comma
  skip_space(rest_);
  const auto value = take(rest_, value_end(rest_));
  skip_space(rest_);
  if (value.empty()) {
    rest_ = {};
    return {};
  }
  return value;
}

std::optional<std::string_view> find(std::string_view object, std::string_view name) {
  std::optional<std::string_view> found;
  Members members{object};
  while (const auto member = members.next()) {
    if (says(member->name, name)) found = member->value;
  }
  return found;
}

bool says(std::string_view string, std::string_view name, bool ignoring_case) {
  if (string.size() < 2) return false;
  auto text = string.substr(1, string.size() - 2);
  std::string decoded;
  if (text.find('\\') != std::string_view::npos) {
    if (string.size() > 6 * name.size() + 2) return false;  // no escape is longer
    decoded = text_of(string).value_or(std::string{});
    text = decoded;
  }
  if (!ignoring_case) return text == name;
  return std::ranges::equal(text, name, [](char a, char b) { return lower(a) == lower(b); });
}

std::optional<std::string> text_of(std::string_view value) {
  if (value.size() < 2 || !value.starts_with('"')) return {};
  auto text = value.substr(1, value.size() - 2);
  std::string out;
  while (!text.empty()) {
    out += take(text, std::min(text.find('\\'), text.size()));
    if (text.size() < 2) break;
    text.remove_prefix(1);
    unescape(text, out);
  }
  return out;
}

}  // namespace axl::mcp::json
