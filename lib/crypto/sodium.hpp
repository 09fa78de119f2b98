// libsodium, initialised before its first use, and byte pointers as it wants them.
#pragma once

#include <cstddef>

namespace axl::crypto {

/// Call before any libsodium function; cheap, and safe from any thread.
void ensure_sodium() noexcept;

inline const unsigned char* raw(const std::byte* bytes) noexcept {
  return reinterpret_cast<const unsigned char*>(bytes);
}
inline unsigned char* raw(std::byte* bytes) noexcept { return reinterpret_cast<unsigned char*>(bytes); }

}  // namespace axl::crypto
