// Keys for the tests of aggregation: one node, its parent and its children.
#pragma once

#include <array>
#include <axl/key.hpp>

namespace axl::test {

inline PublicKey key(unsigned number) {
  std::array<std::byte, 32> bytes{};
  bytes[0] = static_cast<std::byte>(number);
  return PublicKey{bytes};
}

inline const PublicKey kOwn = key(100);
inline const PublicKey kParent = key(1);
inline const PublicKey kLeft = key(110);
inline const PublicKey kRight = key(120);

}  // namespace axl::test
