#include "http/target.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "http/text.hpp"

namespace axl::http {

namespace {

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Where the authority of an absolute form begins; 0 for another form.
std::size_t authority_begin(std::string_view text) noexcept {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (text.size() >= scheme.size() && equal_ignoring_case(text.substr(0, scheme.size()), scheme)) {
      return scheme.size();
    }
  }
  return 0;
}

}  // namespace

std::optional<Target> Target::parse(std::string text) {
  if (text.empty() || !is_visible(text) || text.find('#') != std::string::npos) return std::nullopt;
  Target target;
  target.text_ = std::move(text);
  const std::string_view whole{target.text_};
  const auto question = whole.find('?');
  const auto path_end = std::min(question, whole.size());

  if (whole.front() == '/' || whole == "*") {
    target.path_size_ = path_end;
  } else if (const auto begin = authority_begin(whole); begin != 0) {
    const auto end = std::min(whole.find_first_of("/?", begin), whole.size());
    if (end == begin) return std::nullopt;
    target.authority_begin_ = begin;
    target.authority_size_ = end - begin;
    target.path_begin_ = end;
    target.path_size_ = path_end - end;
    if (target.path_size_ == 0) {  // "http://host" means its root: the slash is that of the scheme
      target.path_begin_ = begin - 1;
      target.path_size_ = 1;
    }
  } else if (question == std::string_view::npos && whole.find('/') == std::string_view::npos) {
    target.authority_size_ = whole.size();
    return target;
  } else {
    return std::nullopt;
  }
  if (question != std::string_view::npos) {
    target.query_begin_ = question + 1;
    target.query_size_ = whole.size() - question - 1;
  }
  return target;
}

std::optional<std::string_view> Target::authority() const noexcept {
  if (authority_size_ == 0) return std::nullopt;
  return part(authority_begin_, authority_size_);
}

namespace {

// Decoding changes it.
bool is_encoded(std::string_view text, bool plus_is_space) noexcept {
  return text.find('%') != std::string_view::npos || (plus_is_space && text.find('+') != std::string_view::npos);
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  if (!is_encoded(text, plus_is_space)) return std::string{text};
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (text.size() - i < 3) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      out.push_back(plus_is_space && text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const char lower = to_lower(c);
    if ((lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~') {
      out.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out.push_back('%');
      out.push_back(digits[byte >> 4]);
      out.push_back(digits[byte & 15]);
    }
  }
  return out;
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto equals = std::min(pair.find('='), pair.size());
    const auto key = pair.substr(0, equals);
    if (is_encoded(key, true) ? percent_decode(key, true) != name : key != name) continue;
    if (auto value = percent_decode(pair.substr(std::min(equals + 1, pair.size())), true)) return value;
  }
  return std::nullopt;
}

std::string clean_path(std::string_view path) {
  std::vector<std::string_view> segments;
  for (std::size_t begin = 0; begin <= path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    const auto segment = path.substr(begin, end - begin);
    if (segment == "..") {
      if (!segments.empty()) segments.pop_back();
    } else if (!segment.empty() && segment != ".") {
      segments.push_back(segment);
    }
    begin = end + 1;
  }
  std::string out;
  for (const auto segment : segments) out.append("/").append(segment);
  if (out.empty() || path.ends_with('/')) out.push_back('/');
  return out;
}

}  // namespace axl::http
