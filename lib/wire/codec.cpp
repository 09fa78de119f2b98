#include "wire/codec.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace axl::wire {

std::size_t uvarint_size(std::uint64_t value) noexcept {
  return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
}

std::size_t put_uvarint(std::byte* out, std::uint64_t value) noexcept {
  std::size_t size = 0;
  while (value >= 0x80) {
    out[size++] = std::byte{static_cast<std::uint8_t>(value | 0x80)};
    value >>= 7;
  }
  out[size++] = std::byte{static_cast<std::uint8_t>(value)};
  return size;
}

void append_uvarint(Bytes& out, std::uint64_t value) {
  std::array<std::byte, kMaxUvarintSize> encoded{};
  const auto size = put_uvarint(encoded.data(), value);
  out.insert(out.end(), encoded.data(), encoded.data() + size);
}

std::size_t path_size(const Path& path) noexcept {
  std::size_t size = 1;
  for (const auto port : path) size += uvarint_size(port);
  return size;
}

std::size_t put_path(std::byte* out, const Path& path) noexcept {
  auto* to = out;
  for (const auto port : path) to += put_uvarint(to, port);
  *to++ = std::byte{0};
  return static_cast<std::size_t>(to - out);
}

void append_path(Bytes& out, const Path& path) {
  for (const auto port : path) append_uvarint(out, port);
  out.push_back(std::byte{0});
}

UvarintPrefix read_uvarint_prefix(ByteSpan input) noexcept {
  std::uint64_t value = 0;
  const auto limit = std::min(input.size(), kMaxUvarintSize);
  for (std::size_t i = 0; i < limit; ++i) {
    const auto byte = std::to_integer<std::uint64_t>(input[i]);
    // The tenth byte holds the 64th bit and nothing else.
    if (i == kMaxUvarintSize - 1 && byte > 1) return {.status = UvarintStatus::overflow};
    value |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) return {.status = UvarintStatus::complete, .value = value, .size = i + 1};
  }
  return {};
}

std::uint8_t Reader::u8() noexcept {
  const auto view = bytes(1);
  return view.empty() ? std::uint8_t{0} : std::to_integer<std::uint8_t>(view[0]);
}

std::uint16_t Reader::u16() noexcept {
  std::uint32_t value = 0;
  for (const auto byte : bytes(2)) value = value << 8 | std::to_integer<std::uint32_t>(byte);
  return static_cast<std::uint16_t>(value);
}

std::uint32_t Reader::u32() noexcept {
  std::uint32_t value = 0;
  for (const auto byte : bytes(4)) value = value << 8 | std::to_integer<std::uint32_t>(byte);
  return value;
}

std::uint64_t Reader::u64() noexcept {
  std::uint64_t value = 0;
  for (const auto byte : bytes(8)) value = value << 8 | std::to_integer<std::uint64_t>(byte);
  return value;
}

std::uint64_t Reader::uvarint() noexcept {
  const auto prefix = read_uvarint_prefix(rest_);
  if (prefix.status != UvarintStatus::complete) {
    fail();
    return 0;
  }
  rest_ = rest_.subspan(prefix.size);
  return prefix.value;
}

Path Reader::path() {
  Path path;
  while (const auto port = uvarint()) path.push_back(port);
  if (!ok_) path.clear();
  return path;
}

ByteSpan Reader::bytes(std::size_t count) noexcept {
  if (count > rest_.size()) {
    fail();
    return {};
  }
  const auto taken = rest_.first(count);
  rest_ = rest_.subspan(count);
  return taken;
}

PublicKey Reader::key() noexcept {
  const auto view = bytes(PublicKey::kSize);
  return view.empty() ? PublicKey{} : PublicKey{std::span<const std::byte, PublicKey::kSize>{view}};
}

crypto::Signature Reader::signature() noexcept {
  crypto::Signature signature;
  std::ranges::copy(bytes(crypto::Signature::kSize), signature.bytes.begin());
  return signature;
}

}  // namespace axl::wire
