// What of an IPv6 packet concerns the overlay: version, length, addresses, and the answer to a packet too large.
//
// Pure. Extension headers, hop limit and checksums of packets passing through are nobody's business here.
// Source: overlay links and sessions, section 6.3.
#pragma once

#include <axl/key.hpp>
#include <cstdint>
#include <optional>

#include "core/buffer.hpp"

namespace axl::e2e {

inline constexpr std::size_t kIpv6HeaderSize = 40;
inline constexpr std::size_t kMaxIpv6Packet = 65'535;

/// The addresses of an IPv6 packet.
struct Ipv6Addresses {
  Address source;
  Address dest;

  /// Empty unless the packet has version 6 and a whole header.
  [[nodiscard]] static std::optional<Ipv6Addresses> of(ByteSpan packet) noexcept;
};

[[nodiscard]] bool is_in(const Address& address, const Subnet& subnet) noexcept;

/// One node's own address and subnet.
struct OwnAddresses {
  Address address;
  Subnet subnet;

  [[nodiscard]] static OwnAddresses of(const PublicKey& key) noexcept;
  [[nodiscard]] bool has(const Address& candidate) const noexcept {
    return candidate == address || is_in(candidate, subnet);
  }
};

/// ICMPv6 Packet Too Big about `offending` (at least a whole header), from its destination to its source.
[[nodiscard]] Buffer packet_too_big(ByteSpan offending, std::uint32_t mtu);

}  // namespace axl::e2e
