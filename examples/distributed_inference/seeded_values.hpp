// Tensors that both ends can make from a shape and a seed, to see that what came is what was sent. To the bit those of
// values.py: element i depends on the seed and i alone.
#pragma once

#include <axl/bytes.hpp>
#include <bit>
#include <cstdint>
#include <cstring>

namespace tensor_link {

static_assert(std::endian::native == std::endian::little, "tensors are sent in little-endian order");

/// SplitMix64 as a function of the position; its upper 24 bits as a number from -0.5 up to 0.5.
[[nodiscard]] inline float seeded_value(std::uint64_t seed, std::uint64_t index) noexcept {
  auto z = (seed + index + 1) * 0x9E3779B97F4A7C15U;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
  z = (z ^ z >> 27) * 0x94D049BB133111EBU;
  z ^= z >> 31;
  return static_cast<float>(z >> 40) * 0x1p-24F - 0.5F;
}

[[nodiscard]] inline axl::Bytes seeded_tensor(std::uint64_t seed, std::size_t elements) {
  axl::Bytes out(elements * sizeof(float));
  for (std::size_t i = 0; i < elements; ++i) {
    const auto value = seeded_value(seed, i);
    std::memcpy(out.data() + i * sizeof value, &value, sizeof value);
  }
  return out;
}

/// Compares each `step`-th element.
[[nodiscard]] inline bool is_seeded(axl::ByteSpan data, std::uint64_t seed, std::size_t step = 1) noexcept {
  for (std::size_t i = 0; i < data.size() / sizeof(float); i += step) {
    const auto wanted = seeded_value(seed, i);
    if (std::memcmp(data.data() + i * sizeof wanted, &wanted, sizeof wanted) != 0) return false;
  }
  return data.size() % sizeof(float) == 0;
}

}  // namespace tensor_link
