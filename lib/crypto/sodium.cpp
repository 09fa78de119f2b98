#include "crypto/sodium.hpp"

#include <sodium.h>

#include <cstdlib>

namespace axl::crypto {

void ensure_sodium() noexcept {
  // Fails only where the system has no randomness: no key or nonce could be trusted, so there is nothing to go on with.
  static const bool ready = [] {
    if (sodium_init() < 0) std::abort();
    return true;
  }();
  static_cast<void>(ready);
}

}  // namespace axl::crypto
