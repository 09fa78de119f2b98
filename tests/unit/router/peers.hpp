// Keys for tests: peer(1), peer(2), ...
#pragma once

#include <array>
#include <axl/key.hpp>

namespace axl::test {

inline PublicKey peer(unsigned char number) {
  std::array<std::byte, PublicKey::kSize> bytes{};
  bytes.fill(std::byte{number});
  return PublicKey{bytes};
}

}  // namespace axl::test
