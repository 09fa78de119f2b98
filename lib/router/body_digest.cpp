#include "router/body_digest.hpp"

#include <algorithm>
#include <cstring>

namespace axl::router {

namespace {

constexpr std::size_t kBlock = 16;

std::uint64_t load(const std::byte* from) noexcept {
  std::uint64_t value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// Both ends of the product of 64 by 64 bits, folded into one.
std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
#ifdef __SIZEOF_INT128__
  __extension__ using Wide = unsigned __int128;
  const auto product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
#else
  constexpr std::uint64_t kLow = 0xffff'ffff;
  const auto low = (a & kLow) * (b & kLow);
  const auto left = (a >> 32U) * (b & kLow);
  const auto right = (a & kLow) * (b >> 32U);
  const auto middle = (low >> 32U) + (left & kLow) + (right & kLow);
  const auto high = (a >> 32U) * (b >> 32U) + (left >> 32U) + (right >> 32U) + (middle >> 32U);
  return ((middle << 32U) | (low & kLow)) ^ high;
#endif
}

}  // namespace

BodyDigest::BodyDigest(Rng& rng) { rng.fill(std::as_writable_bytes(std::span{secret_})); }

BodyDigest::Digest BodyDigest::operator()(ByteSpan body) const noexcept {
  std::array<std::uint64_t, kLanes> lanes{secret_[0], secret_[1], secret_[2], secret_[3]};
  const auto* mask = secret_.data() + kLanes;
  const auto step = [&](std::size_t lane, const std::byte* block) {
    lanes[lane] = fold(load(block) ^ mask[lane], load(block + kBlock / 2) ^ lanes[lane]);
  };
  const auto* at = body.data();
  auto left = body.size();
  for (; left >= kLanes * kBlock; at += kLanes * kBlock, left -= kLanes * kBlock) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) step(lane, at + lane * kBlock);
  }
  for (std::size_t lane = 0; left > 0; ++lane) {
    std::array<std::byte, kBlock> block{};
    const auto count = std::min(left, kBlock);
    std::memcpy(block.data(), at, count);
    step(lane, block.data());
    at += count;
    left -= count;
  }
  const auto end = [&](const std::uint64_t* keys) {
    const auto first = fold(lanes[0] ^ keys[0], lanes[1] ^ keys[1]);
    const auto second = fold(lanes[2] ^ keys[2], lanes[3] ^ keys[3]);
    return fold(first ^ body.size(), second ^ keys[0]);
  };
  return {end(mask + kLanes), end(mask + 2 * kLanes)};
}

}  // namespace axl::router
