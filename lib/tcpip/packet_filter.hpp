// What lwIP may see. Stock lwIP 2.2.1 reads past crafted options and extension headers, and obeys neighbour discovery;
// so a packet passes only if it is plain TCP or an ICMPv6 echo, well-formed to the last option, from the address of the
// key that sealed it, to ours.
//
// Pure: no state, no allocation.
#pragma once

#include <axl/bytes.hpp>
#include <axl/key.hpp>
#include <cstdint>

namespace axl::tcpip {

enum class Verdict : std::uint8_t {
  pass,
  too_short,          ///< no whole IPv6 header
  wrong_version,      ///< not version 6
  wrong_length,       ///< the header's length is not the packet's
  wrong_source,       ///< not the address of the session's key, or multicast
  wrong_destination,  ///< not our address
  wrong_protocol,     ///< neither TCP nor ICMPv6: extension headers too
  bad_icmp,           ///< not an echo
  bad_tcp_header,     ///< data offset outside of the packet, no port, or flags that contradict each other
  bad_tcp_options,    ///< an option's length is impossible
};

[[nodiscard]] Verdict check_packet(ByteSpan packet, const Address& source, const Address& own) noexcept;

}  // namespace axl::tcpip
