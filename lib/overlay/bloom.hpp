// Filter arithmetic: which bits a key sets, and what becomes of a key first.
//
// Source: overlay routing, sections 10.1 and 10.2.
#pragma once

#include <array>
#include <axl/key.hpp>
#include <cstdint>

#include "overlay/config.hpp"
#include "wire/frames.hpp"

namespace axl::overlay {

/// The key as filters and lookups see it.
[[nodiscard]] PublicKey transform_key(const PublicKey& key, KeyTransform transform);

/// The eight 64-bit values of a (transformed) key, before they are reduced to bit positions.
[[nodiscard]] std::array<std::uint64_t, 8> bloom_hash(const PublicKey& key) noexcept;

/// Where a key's bits are. Hash once, test against many filters.
class BloomBits {
 public:
  explicit BloomBits(const PublicKey& transformed_key) noexcept;

  void add_to(wire::BloomFilter& filter) const noexcept;
  [[nodiscard]] bool in(const wire::BloomFilter& filter) const noexcept;
  [[nodiscard]] const std::array<std::uint16_t, 8>& positions() const noexcept { return positions_; }

 private:
  std::array<std::uint16_t, 8> positions_{};
};

/// filter |= other.
void merge(wire::BloomFilter& filter, const wire::BloomFilter& other) noexcept;

}  // namespace axl::overlay
