// Appends the fields of a body, in the encodings that codec.hpp names.
#pragma once

#include <axl/bytes.hpp>
#include <cstdint>
#include <string_view>
#include <utility>

#include "wire/codec.hpp"

namespace axl::convergecast {

class Writer {
 public:
  Writer& u8(std::uint8_t value) { return number(value, 1); }
  Writer& u16(std::uint16_t value) { return number(value, 2); }
  Writer& u32(std::uint32_t value) { return number(value, 4); }
  Writer& u64(std::uint64_t value) { return number(value, 8); }
  Writer& uvarint(std::uint64_t value) {
    wire::append_uvarint(out_, value);
    return *this;
  }
  Writer& bytes(ByteSpan value) {
    out_.insert(out_.end(), value.begin(), value.end());
    return *this;
  }
  /// At most 255 bytes.
  Writer& text(std::string_view value) { return u8(static_cast<std::uint8_t>(value.size())).bytes(as_bytes(value)); }
  [[nodiscard]] Bytes take() && { return std::move(out_); }

 private:
  Writer& number(std::uint64_t value, int size) {
    for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) out_.push_back(static_cast<std::byte>(value >> shift));
    return *this;
  }

  Bytes out_;
};

}  // namespace axl::convergecast
