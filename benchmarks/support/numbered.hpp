// Keys and bytes that are the same in every run, and the answer to a setup that did not come about.
#pragma once

#include <array>
#include <axl/key.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "core/buffer.hpp"
#include "crypto/hash.hpp"

namespace axl::bench {

/// What is measured must be what is meant: a measurement whose parts do not do their work ends the program.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "the measurement is wrong: %s\n", what);
  std::abort();
}

inline PrivateKey numbered_key(std::uint64_t number) {
  std::array<std::byte, PrivateKey::kSeedSize> seed{};
  crypto::SeededRng{number}.fill(seed);
  return PrivateKey::from_seed(seed);
}

/// A public key of nobody, which begins with `first`: cheap to have thousands of.
inline PublicKey numbered_public_key(std::uint64_t number, std::byte first) {
  std::array<std::byte, PublicKey::kSize> bytes{};
  crypto::SeededRng{number}.fill(bytes);
  bytes[0] = first;
  return PublicKey{bytes};
}

inline Bytes numbered_bytes(std::uint64_t number, std::size_t size) {
  Bytes bytes(size);
  crypto::SeededRng{number}.fill(bytes);
  return bytes;
}

}  // namespace axl::bench
