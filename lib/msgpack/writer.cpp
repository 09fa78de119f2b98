#include "msgpack/writer.hpp"

#include <bit>

namespace axl::msgpack {

Writer& Writer::integer(std::int64_t value) {
  if (value >= 0) return unsigned_integer(static_cast<std::uint64_t>(value));
  const auto bits = static_cast<std::uint64_t>(value);
  if (value >= -32) return number(bits, 1);
  if (value >= INT8_MIN) return byte(0xd0).number(bits, 1);
  if (value >= INT16_MIN) return byte(0xd1).number(bits, 2);
  if (value >= INT32_MIN) return byte(0xd2).number(bits, 4);
  return byte(0xd3).number(bits, 8);
}

Writer& Writer::unsigned_integer(std::uint64_t value) {
  if (value <= 0x7f) return number(value, 1);
  if (value <= UINT8_MAX) return byte(0xcc).number(value, 1);
  if (value <= UINT16_MAX) return byte(0xcd).number(value, 2);
  if (value <= UINT32_MAX) return byte(0xce).number(value, 4);
  return byte(0xcf).number(value, 8);
}

Writer& Writer::real(double value) { return byte(0xcb).number(std::bit_cast<std::uint64_t>(value), 8); }

Writer& Writer::text(std::string_view utf8) {
  const auto size = utf8.size();
  if (size < 32) {
    byte(0xa0 | static_cast<unsigned>(size));
  } else if (size <= UINT8_MAX) {
    byte(0xd9).number(size, 1);
  } else if (size <= UINT16_MAX) {
    byte(0xda).number(size, 2);
  } else {
    byte(0xdb).number(size, 4);
  }
  return raw(as_bytes(utf8));
}

Writer& Writer::bytes(ByteSpan value) { return bytes_head(value.size()).raw(value); }

Writer& Writer::bytes_head(std::uint64_t size) {
  if (size <= UINT8_MAX) return byte(0xc4).number(size, 1);
  if (size <= UINT16_MAX) return byte(0xc5).number(size, 2);
  return byte(0xc6).number(size, 4);
}

Writer& Writer::array(std::uint32_t size) {
  if (size < 16) return byte(0x90 | size);
  if (size <= UINT16_MAX) return byte(0xdc).number(size, 2);
  return byte(0xdd).number(size, 4);
}

Writer& Writer::map(std::uint32_t pairs) {
  if (pairs < 16) return byte(0x80 | pairs);
  if (pairs <= UINT16_MAX) return byte(0xde).number(pairs, 2);
  return byte(0xdf).number(pairs, 4);
}

}  // namespace axl::msgpack
