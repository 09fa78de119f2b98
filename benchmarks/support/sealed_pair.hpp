// Two end-to-end engines with a session between them, and nothing but memory in the middle. Time stands still.
#pragma once

#include <axl/key.hpp>

#include "crypto/hash.hpp"
#include "e2e/engine.hpp"

namespace axl::bench {

class SealedPair {
 public:
  /// `mtu`: the largest packet that will be carried.
  explicit SealedPair(std::size_t mtu);

  /// An IPv6 packet of `size` bytes from the first to the second, with room in front for every header.
  [[nodiscard]] Buffer packet(std::size_t size) const;
  /// Sealed by the one, opened by the other: as it went in.
  [[nodiscard]] Buffer carry(Buffer packet);

 private:
  struct End {
    End(std::uint64_t number, const e2e::Config& config);
    PrivateKey key;
    crypto::SeededRng rng;
    e2e::Engine engine;
  };
  /// What the engines have for each other; true if there was anything.
  bool exchange(End& from, End& to);

  Time now_{};
  End a_;
  End b_;
};

}  // namespace axl::bench
