#pragma once

#include <array>
#include <axl/bytes.hpp>
#include <axl/random.hpp>

namespace axl::crypto {

/// BLAKE2b-512 of `message`; `key` may be empty (unkeyed) or 1 to 64 bytes.
[[nodiscard]] std::array<std::byte, 64> blake2b512(ByteSpan message, ByteSpan key) noexcept;

/// Compares without telling by its duration where they differ.
[[nodiscard]] bool equal_secret(ByteSpan a, ByteSpan b) noexcept;

/// The system's random source. Draws of a few bytes, as each message takes them, come from a supply that one call of the
/// system fills; what has been handed out is wiped from it.
class SystemRng final : public Rng {
 public:
  ~SystemRng() override;
  void fill(MutableByteSpan out) override;

 private:
  std::array<std::byte, 512> supply_{};
  std::size_t left_ = 0;  // at the end of the supply
};

/// The same bytes for the same seed; for simulations and tests only.
class SeededRng final : public Rng {
 public:
  explicit SeededRng(std::uint64_t seed) noexcept;
  void fill(MutableByteSpan out) override;

 private:
  std::array<std::byte, 32> key_{};
  std::uint64_t counter_ = 0;
};

}  // namespace axl::crypto
