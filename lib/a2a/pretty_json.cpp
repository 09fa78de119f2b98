#include "a2a/pretty_json.hpp"

namespace axl::a2a {

namespace {

constexpr std::size_t kGrowth = 4;
constexpr std::size_t kSmall = 4'096;
constexpr std::size_t kLaidOut = 256UL * 1024;  // nobody reads more than that

bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::size_t string_end(std::string_view json, std::size_t at) noexcept {
  for (++at; at < json.size() && json[at] != '"'; ++at) {
    if (json[at] == '\\') ++at;
  }
  return at < json.size() ? at + 1 : json.size();
}

std::size_t skip_space(std::string_view json, std::size_t at) noexcept {
  while (at < json.size() && is_space(json[at])) ++at;
  return at;
}

}  // namespace

std::string pretty_json(std::string_view json) {
  if (json.size() > kLaidOut) return std::string{json};
  const auto limit = json.size() * kGrowth + kSmall;
  std::string out;
  std::size_t depth = 0;
  const auto new_line = [&] { out.append(1, '\n').append(2 * depth, ' '); };
  for (std::size_t at = 0; at < json.size();) {
    const char c = json[at];
    if (out.size() > limit) return std::string{json};
    if (c == '"') {
      const auto end = string_end(json, at);
      out += json.substr(at, end - at);
      at = end;
      continue;
    }
    ++at;
    if (is_space(c)) continue;
    if (c == '{' || c == '[') {
      out += c;
      const auto next = skip_space(json, at);
      if (next < json.size() && (json[next] == '}' || json[next] == ']')) {
        out += json[next];
        at = next + 1;
      } else {
        ++depth;
        new_line();
      }
    } else if (c == '}' || c == ']') {
      if (depth > 0) --depth;
      new_line();
      out += c;
    } else if (c == ',') {
      out += c;
      new_line();
    } else if (c == ':') {
      out += ": ";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace axl::a2a
