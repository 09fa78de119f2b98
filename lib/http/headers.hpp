// The header lines of one message: in order, repeated names kept, all text in one piece of memory.
//
// A name that is no token or a value with a control character cannot get in, so nothing that is written from here can
// add a line of its own. Lookups ignore the case of names. RFC 9110, section 5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/text.hpp"

namespace axl::http {

/// The name of a header that the code itself gives: a token, as the compiler makes sure.
class FieldName {
 public:
  consteval FieldName(std::string_view text) : text_{text} {
    if (text.empty()) throw "a header's name is not empty";
    for (const char c : text) {
      if (!is_token_char(c)) throw "not a character of a header's name";
    }
  }
  consteval FieldName(const char* text) : FieldName{std::string_view{text}} {}
  [[nodiscard]] constexpr std::string_view text() const noexcept { return text_; }

 private:
  std::string_view text_;
};

class Headers {
 public:
  struct Line {
    std::string_view name;
    std::string_view value;
  };
  /// Views stay good until the next change.
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Line;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = Line;
    Iterator(const Headers& headers, std::size_t index) noexcept : headers_{&headers}, index_{index} {}
    Line operator*() const noexcept { return headers_->line(index_); }
    Iterator& operator++() noexcept {
      ++index_;
      return *this;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) noexcept { return a.index_ == b.index_; }

   private:
    const Headers* headers_;
    std::size_t index_;
  };

  Headers() = default;
  struct Given {
    FieldName name;
    std::string_view value;
  };
  /// Lines whose value is not valid are left out.
  Headers(std::initializer_list<Given> lines);

  /// False, and nothing added, when the value is not valid or the text would pass 4 GiB.
  bool add(FieldName name, std::string_view value);
  /// The same for a name that comes from elsewhere, and may not be valid either.
  bool add_line(std::string_view name, std::string_view value);
  /// Like add(), in place of all lines of that name.
  bool set(FieldName name, std::string_view value);
  /// The lines of `other`, another object, for which `keep(line)` is true.
  template <class Keep>
  void add_from(const Headers& other, Keep keep) {
    for (const auto& line : other) {
      if (keep(line)) append(line.name, line.value);
    }
  }
  /// Returns how many lines went.
  std::size_t remove(std::string_view name);
  /// Removes the lines for which `gone(line)` is true, in one pass; returns how many.
  template <class Gone>
  std::size_t remove_if(Gone gone) {
    return std::erase_if(entries_, [&](const Entry& entry) { return gone(text_at(entry)); });
  }
  void clear() noexcept;

  /// The first value of that name.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const noexcept {
    if ((names_ & bit_of(name)) == 0) return std::nullopt;
    return find(name);
  }
  [[nodiscard]] std::vector<std::string_view> get_all(std::string_view name) const;
  [[nodiscard]] std::size_t count(std::string_view name) const noexcept {
    return (names_ & bit_of(name)) == 0 ? 0 : count_lines(name);
  }
  [[nodiscard]] bool contains(std::string_view name) const noexcept { return get(name).has_value(); }
  /// Is `token` an element of the comma-separated lists under that name?
  [[nodiscard]] bool has_token(std::string_view name, std::string_view token) const noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  [[nodiscard]] Line line(std::size_t index) const noexcept;
  [[nodiscard]] Iterator begin() const noexcept { return {*this, 0}; }
  [[nodiscard]] Iterator end() const noexcept { return {*this, entries_.size()}; }

 private:
  friend class Parser;
  struct Entry {
    std::uint32_t begin = 0;
    std::uint32_t name_size = 0;
    std::uint32_t value_size = 0;
  };

  // One for all names of that size and first letter, whatever its case.
  [[nodiscard]] static constexpr std::uint64_t bit_of(std::string_view name) noexcept {
    if (name.empty()) return 0;
    return std::uint64_t{1} << ((name.size() * 5 + (static_cast<unsigned char>(name.front()) & 31U)) % 64U);
  }
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;
  [[nodiscard]] std::size_t count_lines(std::string_view name) const noexcept;
  /// Of a valid line.
  bool append(std::string_view name, std::string_view value);

  [[nodiscard]] Line text_at(const Entry& entry) const noexcept {
    const char* text = text_.data() + entry.begin;
    return {{text, entry.name_size}, {text + entry.name_size, entry.value_size}};
  }

  std::string text_;  // name, value, name, value ...
  std::vector<Entry> entries_;
  std::uint64_t names_ = 0;  // bits of all names that are here, perhaps of some that were: most lookups find nothing
};

}  // namespace axl::http
