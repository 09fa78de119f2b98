#include "overlay/bloom.hpp"

#include <bit>
#include <span>

#include "crypto/transform.hpp"

namespace axl::overlay {

namespace {

constexpr std::uint64_t kC1 = 0x87c37b91114253d5;
constexpr std::uint64_t kC2 = 0x4cf5ad432745937f;

std::uint64_t little_endian(const std::byte* bytes) noexcept {
  std::uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  return value;
}

std::uint64_t finish(std::uint64_t x) noexcept {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccd;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53;
  return x ^ x >> 33;
}

std::uint64_t scramble1(std::uint64_t k) noexcept { return std::rotl(k * kC1, 31) * kC2; }
std::uint64_t scramble2(std::uint64_t k) noexcept { return std::rotl(k * kC2, 33) * kC1; }

// MurmurHash3 x64 128, seed 0, as a state: the two hashes of a key share its 32 bytes and differ in the end.
struct Murmur {
  std::uint64_t h1 = 0;
  std::uint64_t h2 = 0;

  void block(const std::byte* bytes) noexcept {
    h1 ^= scramble1(little_endian(bytes));
    h1 = (std::rotl(h1, 27) + h2) * 5 + 0x52dce729;
    h2 ^= scramble2(little_endian(bytes + 8));
    h2 = (std::rotl(h2, 31) + h1) * 5 + 0x38495ab5;
  }
  void end(std::uint64_t length) noexcept {
    h1 ^= length;
    h2 ^= length;
    h1 += h2;
    h2 += h1;
    h1 = finish(h1);
    h2 = finish(h2);
    h1 += h2;
    h2 += h1;
  }
};

}  // namespace

PublicKey transform_key(const PublicKey& key, KeyTransform transform) {
  return transform == KeyTransform::subnet ? crypto::transform(key) : key;
}

std::array<std::uint64_t, 8> bloom_hash(const PublicKey& key) noexcept {
  Murmur first;
  first.block(key.bytes().data());
  first.block(key.bytes().data() + 16);
  Murmur second = first;
  second.h1 ^= scramble1(1);  // the tail: one more byte, 01
  first.end(PublicKey::kSize);
  second.end(PublicKey::kSize + 1);
  const auto h1 = first.h1;
  const auto h2 = first.h2;
  const auto h3 = second.h1;
  const auto h4 = second.h2;
  return {h1, h2 + h4, h1 + 2 * h4, h2 + 3 * h3, h1 + 4 * h3, h2 + 5 * h4, h1 + 6 * h4, h2 + 7 * h3};
}

BloomBits::BloomBits(const PublicKey& transformed_key) noexcept {
  const auto values = bloom_hash(transformed_key);
  for (std::size_t i = 0; i < values.size(); ++i) {
    positions_[i] = static_cast<std::uint16_t>(values[i] % (wire::BloomFilter::kWords * 64));
  }
}

void BloomBits::add_to(wire::BloomFilter& filter) const noexcept {
  for (const auto bit : positions_) filter.words[bit / 64] |= std::uint64_t{1} << bit % 64;
}

bool BloomBits::in(const wire::BloomFilter& filter) const noexcept {
  for (const auto bit : positions_) {
    if ((filter.words[bit / 64] >> bit % 64 & 1) == 0) return false;
  }
  return true;
}

void merge(wire::BloomFilter& filter, const wire::BloomFilter& other) noexcept {
  for (std::size_t i = 0; i < filter.words.size(); ++i) filter.words[i] |= other.words[i];
}

}  // namespace axl::overlay
