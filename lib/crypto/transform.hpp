// The key transform: full key, address and subnet of one node meet in the same value.
//
// Source: overlay links and sessions, section 1.4; overlay routing, section 10.2.
#pragma once

#include <axl/key.hpp>

namespace axl::crypto {

/// What bloom filters hold and lookups compare: the key as far as its subnet carries it, then ones.
[[nodiscard]] PublicKey transform(const PublicKey& key) noexcept;

}  // namespace axl::crypto
