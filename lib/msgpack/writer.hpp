// Writes MessagePack, each value in its shortest form, as other writers do.
//
// Arrays and maps get their size first; the caller then writes that many values, or keys and values.
//
// Pure. Source: the MessagePack specification.
#pragma once

#include <axl/bytes.hpp>
#include <cstdint>
#include <string_view>
#include <utility>

namespace axl::msgpack {

class Writer {
 public:
  Writer& nil() { return byte(0xc0); }
  Writer& boolean(bool value) { return byte(value ? 0xc3 : 0xc2); }
  Writer& integer(std::int64_t value);
  Writer& unsigned_integer(std::uint64_t value);
  Writer& real(double value);  ///< always of 8 bytes
  Writer& text(std::string_view utf8);
  Writer& bytes(ByteSpan value);
  /// The head of bytes, for a body that is sent behind it without being copied; at most 2^32 - 1 of them.
  Writer& bytes_head(std::uint64_t size);
  Writer& array(std::uint32_t size);
  Writer& map(std::uint32_t pairs);

  [[nodiscard]] Bytes take() && { return std::move(out_); }

 private:
  Writer& byte(unsigned value) {
    out_.push_back(static_cast<std::byte>(value));
    return *this;
  }
  Writer& number(std::uint64_t value, int size) {
    for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) out_.push_back(static_cast<std::byte>(value >> shift));
    return *this;
  }
  Writer& raw(ByteSpan value) {
    out_.insert(out_.end(), value.begin(), value.end());
    return *this;
  }

  Bytes out_;
};

}  // namespace axl::msgpack
