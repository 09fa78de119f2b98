// What the tests of e2e share: keys from seeds, recorded or seeded randomness, packets of plausible shape.
#pragma once

#include <algorithm>
#include <array>
#include <axl/key.hpp>
#include <axl/random.hpp>
#include <deque>
#include <utility>
#include <variant>
#include <vector>

#include "core/buffer.hpp"
#include "crypto/hash.hpp"

namespace axl::test {

inline PrivateKey key_from(ByteSpan seed) { return PrivateKey::from_seed(seed.first<PrivateKey::kSeedSize>()); }

/// The same key for the same number.
inline PrivateKey numbered_key(std::uint64_t number) {
  crypto::SeededRng rng{number ^ 0x5eed5eed};
  std::array<std::byte, PrivateKey::kSeedSize> seed{};
  rng.fill(seed);
  return PrivateKey::from_seed(seed);
}

/// Hands out recorded box keys in their order.
class RecordedRng final : public Rng {
 public:
  void feed(Bytes key) { keys_.push_back(std::move(key)); }
  void fill(MutableByteSpan out) override {
    if (keys_.empty() || keys_.front().size() != out.size()) {
      overdrawn_ = true;
      std::ranges::fill(out, std::byte{0x42});
      return;
    }
    std::ranges::copy(keys_.front(), out.begin());
    keys_.pop_front();
  }
  /// Every recorded key has been drawn, and no other.
  [[nodiscard]] bool exhausted() const { return keys_.empty() && !overdrawn_; }

 private:
  std::deque<Bytes> keys_;
  bool overdrawn_ = false;
};

/// An IPv6 packet of `size` bytes, at least 40; `tag` is its last byte when it is longer.
inline Buffer ipv6_packet(const Address& source, const Address& dest, std::size_t size = 48, std::uint8_t tag = 0) {
  Buffer packet{size, Buffer::kHeadroom};
  std::ranges::fill(packet.mutable_span(), std::byte{0});
  packet.data()[0] = std::byte{0x60};
  packet.data()[4] = static_cast<std::byte>((size - 40) >> 8);
  packet.data()[5] = static_cast<std::byte>(size - 40);
  packet.data()[6] = std::byte{59};
  std::ranges::copy(source.bytes(), packet.data() + 8);
  std::ranges::copy(dest.bytes(), packet.data() + 24);
  if (size > 40) packet.data()[size - 1] = std::byte{tag};
  return packet;
}

/// Everything that an engine has to say.
template <class Engine>
auto drain(Engine& engine) {
  std::vector<typename Engine::Output> outputs;
  while (auto output = engine.poll_output()) outputs.push_back(*std::move(output));
  return outputs;
}

/// The outputs of one kind, in order.
template <class Kind, class Output>
std::vector<Kind> only(std::vector<Output>& outputs) {
  std::vector<Kind> found;
  for (auto& output : outputs) {
    if (auto* kind = std::get_if<Kind>(&output)) found.push_back(std::move(*kind));
  }
  return found;
}

}  // namespace axl::test
