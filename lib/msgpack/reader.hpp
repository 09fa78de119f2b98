// Reads MessagePack, one value at a time, without making a tree of them.
//
// Text and bytes are views into the input, so a tensor costs no copy. Arrays and maps are announced with their size;
// their elements follow as values of their own, a map's as key, value, key, value. A size is never believed before the
// input is long enough for it: each element takes a byte at least.
//
// Pure. Source: the MessagePack specification (formats of 2013, with str, bin and ext).
#pragma once

#include <axl/bytes.hpp>
#include <axl/result.hpp>
#include <cstdint>
#include <string_view>
#include <variant>

namespace axl::msgpack {

struct Nil {
  friend bool operator==(const Nil&, const Nil&) = default;
};
struct Array {
  std::uint32_t size = 0;
};
struct Map {
  std::uint32_t size = 0;  ///< pairs
};
struct Ext {
  std::int8_t type = 0;
  ByteSpan bytes;
};
/// Whole numbers are signed when they fit, whatever form they came in. Text is UTF-8. A float is a double that
/// has the same value.
using Value = std::variant<Nil, bool, std::int64_t, std::uint64_t, double, std::string_view, ByteSpan, Array, Map, Ext>;

class Reader {
 public:
  /// Arrays and maps inside each other, for skip().
  static constexpr int kMaxDepth = 32;

  explicit Reader(ByteSpan input) noexcept : rest_{input} {}

  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }
  [[nodiscard]] ByteSpan rest() const noexcept { return rest_; }

  /// The next value, or the head of an array or map. malformed: no such format, text that is no UTF-8, or the input
  /// ends before it does; then the reader stays where it is.
  [[nodiscard]] Result<Value> next();
  /// Steps over one whole value; malformed, or nested too deep.
  [[nodiscard]] Result<void> skip();

  // The next value, if it is of that kind; malformed otherwise.
  [[nodiscard]] Result<std::string_view> text();
  [[nodiscard]] Result<ByteSpan> bytes();  ///< of bin; text is taken too
  [[nodiscard]] Result<std::int64_t> integer();
  [[nodiscard]] Result<std::uint32_t> array();
  [[nodiscard]] Result<std::uint32_t> map();

 private:
  ByteSpan rest_;
};

}  // namespace axl::msgpack
