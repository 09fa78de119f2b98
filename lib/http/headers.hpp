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

namespace axl::http {

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
  /// Lines that are not valid are left out.
  Headers(std::initializer_list<std::pair<std::string_view, std::string_view>> lines);

  /// False, and nothing added, when the line is not valid or the text would pass 4 GiB.
  bool add(std::string_view name, std::string_view value);
  /// Like add(), in place of all lines of that name.
  bool set(std::string_view name, std::string_view value);
  /// Returns how many lines went.
  std::size_t remove(std::string_view name);
  /// Removes the lines for which `gone(line)` is true, in one pass; returns how many.
  template <class Gone>
  std::size_t remove_if(Gone gone) {
    return std::erase_if(entries_, [&](const Entry& entry) { return gone(text_at(entry)); });
  }
  void clear() noexcept;

  /// The first value of that name.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const noexcept;
  [[nodiscard]] std::vector<std::string_view> get_all(std::string_view name) const;
  [[nodiscard]] std::size_t count(std::string_view name) const noexcept;
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

  [[nodiscard]] Line text_at(const Entry& entry) const noexcept {
    const char* text = text_.data() + entry.begin;
    return {{text, entry.name_size}, {text + entry.name_size, entry.value_size}};
  }

  std::string text_;  // name, value, name, value ...
  std::vector<Entry> entries_;
};

}  // namespace axl::http
