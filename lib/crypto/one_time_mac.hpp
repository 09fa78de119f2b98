// Poly1305 under a key that is used once.
//
// Source: RFC 8439, section 2.5; overlay links and sessions, section 5.1, which has it as NaCl does.
#pragma once

#include <axl/bytes.hpp>
#include <cstddef>
#include <span>

namespace axl::crypto {

inline constexpr std::size_t kMacSize = 16;
inline constexpr std::size_t kMacKeySize = 32;

/// Writes the 16 bytes that stand for `data` under `key`.
void one_time_mac(std::span<std::byte, kMacSize> mac, ByteSpan data,
                  std::span<const std::byte, kMacKeySize> key) noexcept;

}  // namespace axl::crypto
