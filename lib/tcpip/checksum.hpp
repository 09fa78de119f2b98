// The internet checksum (RFC 1071). The sum may be formed over wide words, since carries are folded in at the end.
//
// Pure.
#pragma once

#include <cstddef>
#include <cstdint>

namespace axl::tcpip {

/// The ones' complement sum of the 16-bit words of `size` bytes in memory order, an odd rest padded with zero.
[[nodiscard]] std::uint16_t sum_of(const void* data, std::size_t size) noexcept;

/// Copies `size` bytes that do not overlap, and gives the same sum of them: they are fetched from memory once.
[[nodiscard]] std::uint16_t copy_and_sum(void* to, const void* from, std::size_t size) noexcept;

}  // namespace axl::tcpip
