// Where random bytes come from. Engines take it in their constructor; a test gives them a seeded one.
#pragma once

#include <axl/bytes.hpp>
#include <cstdint>

namespace axl {

class Rng {
 public:
  Rng() = default;
  Rng(const Rng&) = delete;
  Rng& operator=(const Rng&) = delete;
  virtual ~Rng() = default;

  /// Fills all of `out`; never fails.
  virtual void fill(MutableByteSpan out) = 0;

  [[nodiscard]] std::uint64_t next_u64() {
    std::uint64_t value = 0;
    fill(std::as_writable_bytes(std::span{&value, 1}));
    return value;
  }
};

}  // namespace axl
