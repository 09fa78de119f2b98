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

BodyDigest::Digest BodyDigest::operator()(ByteSpan body) const noexcept { return Running{*this}.finish(body); }

BodyDigest::Running::Running(const BodyDigest& digest) noexcept
    : digest_{digest}, lanes_{digest.secret_[0], digest.secret_[1], digest.secret_[2], digest.secret_[3]} {}

void BodyDigest::Running::step(std::size_t lane, const std::byte* block) noexcept {
  lanes_[lane] = fold(load(block) ^ digest_.secret_[kLanes + lane], load(block + kBlock / 2) ^ lanes_[lane]);
}

void BodyDigest::Running::advance(ByteSpan body) noexcept {
  constexpr auto kRound = kLanes * kBlock;
  for (; body.size() - done_ >= kRound; done_ += kRound) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) step(lane, body.data() + done_ + lane * kBlock);
  }
}

BodyDigest::Digest BodyDigest::Running::finish(ByteSpan whole) noexcept {
  advance(whole);
  auto rest = whole.subspan(done_);
  for (std::size_t lane = 0; !rest.empty(); ++lane) {
    std::array<std::byte, kBlock> block{};
    const auto count = std::min(rest.size(), kBlock);
    std::memcpy(block.data(), rest.data(), count);
    step(lane, block.data());
    rest = rest.subspan(count);
  }
  const auto end = [&](const std::uint64_t* keys) {
    const auto first = fold(lanes_[0] ^ keys[0], lanes_[1] ^ keys[1]);
    const auto second = fold(lanes_[2] ^ keys[2], lanes_[3] ^ keys[3]);
    return fold(first ^ whole.size(), second ^ keys[0]);
  };
  const auto* keys = digest_.secret_.data() + 2 * kLanes;
  return {end(keys), end(keys + kLanes)};
}

}  // namespace axl::router
