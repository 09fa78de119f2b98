#include "msgpack.hpp"

#include <bit>
#include <utility>

namespace tensor_link {

namespace {

axl::Error malformed(const char* what) { return {axl::Errc::malformed, what}; }

}  // namespace

void Writer::big_endian(std::uint64_t value, unsigned width) {
  for (unsigned shift = 8 * width; shift > 0; shift -= 8) put(static_cast<unsigned>(value >> (shift - 8)) & 0xFFU);
}

void Writer::map(std::size_t members) {
  put(0xDE);
  big_endian(members, 2);
}

void Writer::array(std::size_t elements) {
  put(0xDC);
  big_endian(elements, 2);
}

void Writer::text(std::string_view value) {
  put(0xDA);
  big_endian(value.size(), 2);
  bytes(axl::as_bytes(value));
}

void Writer::whole(std::uint64_t value) {
  put(0xCF);
  big_endian(value, 8);
}

void Writer::number(double value) {
  put(0xCB);
  big_endian(std::bit_cast<std::uint64_t>(value), 8);
}

void Writer::boolean(bool value) { put(value ? 0xC3 : 0xC2); }

void Writer::binary(std::size_t size) {
  put(0xC6);
  big_endian(size, 4);
}

axl::Result<unsigned> Reader::tag() {
  if (left_.empty()) return malformed("the message ends early");
  const auto value = std::to_integer<unsigned>(left_.front());
  left_ = left_.subspan(1);
  return value;
}

axl::Result<axl::ByteSpan> Reader::bytes(std::uint64_t size) {
  if (size > left_.size()) return malformed("the message ends early");
  const auto out = left_.first(static_cast<std::size_t>(size));
  left_ = left_.subspan(out.size());
  return out;
}

axl::Result<std::uint64_t> Reader::big_endian(unsigned width) {
  const auto digits = bytes(width);
  if (!digits) return digits.error();
  std::uint64_t value = 0;
  for (const auto digit : *digits) value = value << 8 | std::to_integer<std::uint64_t>(digit);
  return value;
}

axl::Result<axl::ByteSpan> Reader::sized(unsigned width) {
  const auto size = big_endian(width);
  if (!size) return size.error();
  return bytes(*size);
}

// Maps and arrays: `fixed` is the first of 16 tags that have the number in them, `wide` the one with two bytes of it.
axl::Result<std::size_t> Reader::count(unsigned fixed, unsigned wide) {
  const auto kind = tag();
  if (!kind) return kind.error();
  if ((*kind & 0xF0U) == fixed) return *kind & 0x0FU;
  if (*kind != wide && *kind != wide + 1) return malformed("a value of another kind");
  const auto size = big_endian(*kind == wide ? 2 : 4);
  if (!size) return size.error();
  return static_cast<std::size_t>(*size);
}

axl::Result<std::size_t> Reader::map() { return count(0x80, 0xDE); }
axl::Result<std::size_t> Reader::array() { return count(0x90, 0xDC); }

axl::Result<std::string_view> Reader::text() {
  const auto kind = tag();
  if (!kind) return kind.error();
  const auto out = (*kind & 0xE0U) == 0xA0U        ? bytes(*kind & 0x1FU)
                   : *kind >= 0xD9 && *kind <= 0xDB ? sized(1U << (*kind - 0xD9U))
                                                    : axl::Result<axl::ByteSpan>{malformed("no text")};
  if (!out) return out.error();
  return axl::as_text(*out);
}

axl::Result<std::uint64_t> Reader::whole() {
  const auto kind = tag();
  if (!kind) return kind.error();
  if (*kind < 0x80) return std::uint64_t{*kind};
  if (*kind >= 0xCC && *kind <= 0xCF) return big_endian(1U << (*kind - 0xCCU));
  if (*kind < 0xD0 || *kind > 0xD3) return malformed("no whole number");
  const auto width = 1U << (*kind - 0xD0U);  // signed, as some write positive numbers too
  const auto value = big_endian(width);
  if (value && *value >> (8 * width - 1) != 0) return malformed("a negative number");
  return value;
}

axl::Result<bool> Reader::boolean() {
  const auto kind = tag();
  if (!kind) return kind.error();
  if (*kind != 0xC2 && *kind != 0xC3) return malformed("neither true nor false");
  return *kind == 0xC3;
}

axl::Result<axl::ByteSpan> Reader::binary() {
  const auto kind = tag();
  if (!kind) return kind.error();
  if (*kind < 0xC4 || *kind > 0xC6) return malformed("not binary");
  return sized(1U << (*kind - 0xC4U));
}

axl::Result<void> Reader::skip() {
  // Each value takes a byte at least, so the input bounds the loop, whatever the numbers in it say.
  for (std::uint64_t values = 1; values > 0; --values) {
    const auto kind = tag();
    if (!kind) return kind.error();
    axl::Result<std::uint64_t> size = std::uint64_t{0};
    if (*kind < 0x80 || *kind >= 0xE0 || *kind == 0xC0 || *kind == 0xC2 || *kind == 0xC3) continue;
    if (*kind < 0x90) {
      values += 2 * (*kind & 0x0FU);
      continue;
    }
    if (*kind < 0xA0) {
      values += *kind & 0x0FU;
      continue;
    }
    if (*kind < 0xC0) {
      size = std::uint64_t{*kind & 0x1FU};
    } else if (*kind >= 0xC4 && *kind <= 0xC6) {
      size = big_endian(1U << (*kind - 0xC4U));
    } else if (*kind >= 0xC7 && *kind <= 0xC9) {
      size = big_endian(1U << (*kind - 0xC7U));
      if (size) size = *size + 1;
    } else if (*kind == 0xCA || *kind == 0xCB) {
      size = std::uint64_t{*kind == 0xCA ? 4U : 8U};
    } else if (*kind >= 0xCC && *kind <= 0xD3) {
      size = std::uint64_t{1U << ((*kind - 0xCCU) % 4)};
    } else if (*kind >= 0xD4 && *kind <= 0xD8) {
      size = (std::uint64_t{1} << (*kind - 0xD4U)) + 1;
    } else if (*kind >= 0xD9 && *kind <= 0xDB) {
      size = big_endian(1U << (*kind - 0xD9U));
    } else if (*kind >= 0xDC) {
      const auto more = big_endian(*kind % 2 == 0 ? 2 : 4);
      if (!more) return more.error();
      values += *kind < 0xDE ? *more : 2 * *more;
      continue;
    } else {
      return malformed("a tag that is not in use");
    }
    if (!size) return size.error();
    if (const auto skipped = bytes(*size); !skipped) return skipped.error();
  }
  return {};
}

}  // namespace tensor_link
