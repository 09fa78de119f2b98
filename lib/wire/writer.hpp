// Writes a message's fields one after another into a buffer whose size was computed beforehand.
#pragma once

#include <algorithm>
#include <axl/key.hpp>
#include <cstdint>

#include "core/buffer.hpp"
#include "core/expect.hpp"
#include "crypto/signature.hpp"
#include "wire/codec.hpp"
#include "wire/frames.hpp"

namespace axl::wire {

inline constexpr std::size_t kKeySize = PublicKey::kSize;
inline constexpr std::size_t kSignatureSize = crypto::Signature::kSize;

class Writer {
 public:
  explicit Writer(MutableByteSpan out) noexcept : at_{out.data()}, end_{out.data() + out.size()} {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { AXL_EXPECT_OR(at_ == end_, return ); }

  Writer& type(FrameType value) noexcept { return u8(static_cast<std::uint8_t>(value)); }
  Writer& u8(std::uint8_t value) noexcept {
    *at_++ = std::byte{value};
    return *this;
  }
  Writer& u16(std::uint16_t value) noexcept {
    return u8(static_cast<std::uint8_t>(value >> 8)).u8(static_cast<std::uint8_t>(value));
  }
  Writer& u64(std::uint64_t value) noexcept {
    for (int shift = 56; shift >= 0; shift -= 8) u8(static_cast<std::uint8_t>(value >> shift));
    return *this;
  }
  Writer& uvarint(std::uint64_t value) noexcept {
    at_ += put_uvarint(at_, value);
    return *this;
  }
  Writer& path(const Path& value) noexcept {
    at_ += put_path(at_, value);
    return *this;
  }
  Writer& bytes(ByteSpan value) noexcept {
    at_ = std::ranges::copy(value, at_).out;
    return *this;
  }
  Writer& key(const PublicKey& value) noexcept { return bytes(value.bytes()); }
  Writer& signature(const crypto::Signature& value) noexcept { return bytes(value.bytes); }

 private:
  std::byte* at_;
  std::byte* end_;
};

/// What a decoder says of a body that its layout does not allow.
[[nodiscard]] inline Error malformed(const char* message_name) {
  return {Errc::malformed, std::string{"malformed "} + message_name};
}

}  // namespace axl::wire
