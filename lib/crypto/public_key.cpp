#include <sodium.h>

#include <algorithm>
#include <axl/key.hpp>
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

}  // namespace

PublicKey::PublicKey(std::span<const std::byte, kSize> bytes) noexcept { std::ranges::copy(bytes, bytes_.begin()); }

Result<PublicKey> PublicKey::from_hex(std::string_view digits) {
  if (digits.size() != 2 * kSize) {
    return Error{Errc::invalid_argument,
                 "a public key has 64 hexadecimal digits, not " + std::to_string(digits.size())};
  }
  const auto decoded = axl::from_hex(digits);
  if (!decoded) return Error{Errc::invalid_argument, "a public key has hexadecimal digits only"};
  return PublicKey{std::span<const std::byte, kSize>{*decoded}};
}

}  // namespace axl

std::size_t std::hash<axl::PublicKey>::operator()(const axl::PublicKey& key) const noexcept {
  return axl::keyed_hash(key.bytes());
}

std::size_t std::hash<axl::Address>::operator()(const axl::Address& address) const noexcept {
  return axl::keyed_hash(address.bytes());
}
