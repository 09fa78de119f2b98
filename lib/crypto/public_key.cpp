#include <sodium.h>

#include <algorithm>
#include <array>
#include <axl/key.hpp>
#include <cstdint>
#include <cstring>

#include "crypto/sodium.hpp"

namespace axl {

namespace {

std::size_t keyed_hash(ByteSpan bytes) noexcept {
  using Secret = std::array<unsigned char, crypto_shorthash_KEYBYTES>;
  static const Secret secret = [] {
    crypto::ensure_sodium();
    Secret drawn{};
    randombytes_buf(drawn.data(), drawn.size());
    return drawn;
  }();
  std::array<unsigned char, crypto_shorthash_BYTES> digest{};
  crypto_shorthash(digest.data(), crypto::raw(bytes.data()), bytes.size(), secret.data());
  std::size_t value = 0;
  static_assert(sizeof value <= digest.size());
  std::memcpy(&value, digest.data(), sizeof value);
  return value;
}

constexpr std::uint8_t kNoDigit = 0xff;

constexpr std::array<std::uint8_t, 256> kDigitValue = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (std::uint8_t i = 0; i < 10; ++i) values[static_cast<std::size_t>('0') + i] = i;
  for (std::uint8_t i = 0; i < 6; ++i) {
    values[static_cast<std::size_t>('a') + i] = values[static_cast<std::size_t>('A') + i] = static_cast<std::uint8_t>(10 + i);
  }
  return values;
}();

}  // namespace

PublicKey::PublicKey(std::span<const std::byte, kSize> bytes) noexcept { std::ranges::copy(bytes, bytes_.begin()); }

Result<PublicKey> PublicKey::from_hex(std::string_view digits) {
  if (digits.size() != 2 * kSize) {
    return Error{Errc::invalid_argument,
                 "a public key has 64 hexadecimal digits, not " + std::to_string(digits.size())};
  }
  std::array<std::byte, kSize> bytes{};
  unsigned all = 0;  // of the values; a digit that is none has higher bits
  for (std::size_t i = 0; i < kSize; ++i) {
    const unsigned high = kDigitValue[static_cast<unsigned char>(digits[2 * i])];
    const unsigned low = kDigitValue[static_cast<unsigned char>(digits[2 * i + 1])];
    all |= high | low;
    bytes[i] = static_cast<std::byte>(high << 4U | (low & 15U));
  }
  if (all > 15) return Error{Errc::invalid_argument, "a public key has hexadecimal digits only"};
  return PublicKey{bytes};
}

}  // namespace axl

std::size_t std::hash<axl::PublicKey>::operator()(const axl::PublicKey& key) const noexcept {
  return axl::keyed_hash(key.bytes());
}

std::size_t std::hash<axl::Address>::operator()(const axl::Address& address) const noexcept {
  return axl::keyed_hash(address.bytes());
}
