#include "crypto/transform.hpp"

namespace axl::crypto {

PublicKey transform(const PublicKey& key) noexcept { return Subnet::of(key).partial_key(); }

}  // namespace axl::crypto
