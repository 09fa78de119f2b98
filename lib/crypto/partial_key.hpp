// Keys of which only the bits are known that an address carries.
#pragma once

#include <axl/key.hpp>

namespace axl {

/// Equals Address::of(key).partial_key(): it may stand for any key with that address.
[[nodiscard]] bool is_partial(const PublicKey& key) noexcept;

}  // namespace axl
