#include "crypto/hash.hpp"

#include <sodium.h>

#include <algorithm>

#include "core/expect.hpp"
#include "crypto/sodium.hpp"

namespace axl::crypto {

namespace {
constexpr std::size_t kSmallDraw = 32;
}

std::array<std::byte, 64> blake2b512(ByteSpan message, ByteSpan key) noexcept {
  AXL_EXPECT_OR(key.size() <= 64, key = key.first(64));
  ensure_sodium();
  std::array<std::byte, 64> digest{};
  crypto_generichash(raw(digest.data()), digest.size(), raw(message.data()), message.size(),
                     key.empty() ? nullptr : raw(key.data()), key.size());
  return digest;
}

bool equal_secret(ByteSpan a, ByteSpan b) noexcept {
  ensure_sodium();
  return a.size() == b.size() && (a.empty() || sodium_memcmp(a.data(), b.data(), a.size()) == 0);
}

SystemRng::~SystemRng() { sodium_memzero(supply_.data(), supply_.size()); }

void SystemRng::fill(MutableByteSpan out) {
  if (out.empty()) return;
  ensure_sodium();
  if (out.size() > kSmallDraw) {
    randombytes_buf(out.data(), out.size());
    return;
  }
  if (left_ < out.size()) {
    randombytes_buf(supply_.data(), supply_.size());
    left_ = supply_.size();
  }
  const auto drawn = MutableByteSpan{supply_}.subspan(supply_.size() - left_, out.size());
  std::ranges::copy(drawn, out.begin());
  sodium_memzero(drawn.data(), drawn.size());
  left_ -= out.size();
}

SeededRng::SeededRng(std::uint64_t seed) noexcept {
  for (std::size_t i = 0; i < 8; ++i) key_[i] = std::byte{static_cast<std::uint8_t>(seed >> (8 * i))};
}

void SeededRng::fill(MutableByteSpan out) {
  ensure_sodium();
  // One keystream per call, numbered by the nonce: the same calls draw the same bytes.
  std::array<unsigned char, crypto_stream_chacha20_NONCEBYTES> nonce{};
  for (std::size_t i = 0; i < nonce.size(); ++i) nonce[i] = static_cast<unsigned char>(counter_ >> (8 * i));
  ++counter_;
  if (out.empty()) return;
  crypto_stream_chacha20(raw(out.data()), out.size(), nonce.data(), raw(key_.data()));
}

}  // namespace axl::crypto
