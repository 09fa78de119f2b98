#include "http/headers.hpp"

#include <algorithm>
#include <limits>

#include "http/text.hpp"

namespace axl::http {

namespace {
// The first line brings room for as many as most messages have.
constexpr std::size_t kFirstText = 240;
constexpr std::size_t kFirstLines = 8;
}  // namespace

Headers::Headers(std::initializer_list<Given> lines) {
  for (const auto& [name, value] : lines) add(name, value);
}

bool Headers::add(FieldName name, std::string_view value) {
  value = trim(value);
  return is_field_value(value) && append(name.text(), value);
}

bool Headers::add_line(std::string_view name, std::string_view value) {
  value = trim(value);
  return is_token(name) && is_field_value(value) && append(name, value);
}

bool Headers::append(std::string_view name, std::string_view value) {
  constexpr std::size_t limit = std::numeric_limits<std::uint32_t>::max();
  if (name.size() > limit || value.size() > limit || text_.size() > limit - name.size() ||
      text_.size() + name.size() > limit - value.size()) {
    return false;
  }
  const auto begin = static_cast<std::uint32_t>(text_.size());
  if (text_.capacity() - text_.size() < name.size() + value.size()) {  // either may be a view into this text
    std::string larger;
    larger.reserve(std::max({kFirstText, 2 * text_.size(), text_.size() + name.size() + value.size()}));
    larger.append(text_).append(name).append(value);
    text_.swap(larger);
  } else {
    text_.append(name).append(value);
  }
  names_ |= bit_of(name);
  if (entries_.empty()) entries_.reserve(kFirstLines);
  entries_.push_back({begin, static_cast<std::uint32_t>(name.size()), static_cast<std::uint32_t>(value.size())});
  return true;
}

bool Headers::set(FieldName name, std::string_view value) {
  if (!contains(name.text())) return add(name, value);
  if (!is_field_value(value)) return false;
  const std::string kept{value};  // it may be a view into this object
  remove(name.text());
  return add(name, kept);
}

std::size_t Headers::remove(std::string_view name) {
  if ((names_ & bit_of(name)) == 0) return 0;
  // The text stays where it is, so a view into it stays good.
  return remove_if([&](const Line& line) { return equal_ignoring_case(line.name, name); });
}

void Headers::clear() noexcept {
  text_.clear();
  entries_.clear();
  names_ = 0;
}

std::optional<std::string_view> Headers::find(std::string_view name) const noexcept {
  for (const auto& entry : entries_) {
    if (entry.name_size != name.size()) continue;
    const char* text = text_.data() + entry.begin;
    if (equal_ignoring_case({text, entry.name_size}, name)) {
      return std::string_view{text + entry.name_size, entry.value_size};
    }
  }
  return std::nullopt;
}

std::vector<std::string_view> Headers::get_all(std::string_view name) const {
  std::vector<std::string_view> values;
  if ((names_ & bit_of(name)) == 0) return values;
  for (const auto& line : *this) {
    if (equal_ignoring_case(line.name, name)) values.push_back(line.value);
  }
  return values;
}

std::size_t Headers::count_lines(std::string_view name) const noexcept {
  std::size_t found = 0;
  for (const auto& entry : entries_) {
    if (entry.name_size == name.size() && equal_ignoring_case(text_at(entry).name, name)) ++found;
  }
  return found;
}

bool Headers::has_token(std::string_view name, std::string_view token) const noexcept {
  if ((names_ & bit_of(name)) == 0) return false;
  for (const auto& line : *this) {
    if (equal_ignoring_case(line.name, name) && list_contains(line.value, token)) return true;
  }
  return false;
}

Headers::Line Headers::line(std::size_t index) const noexcept { return text_at(entries_[index]); }

}  // namespace axl::http
