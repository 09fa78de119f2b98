#include "tcpip/packet_filter.hpp"

#include <algorithm>

namespace axl::tcpip {

namespace {

constexpr std::size_t kIp6Header = 40;
constexpr std::size_t kLargest = 65'535;  // what lwIP's lengths hold, the IPv6 header included
constexpr std::size_t kTcpHeader = 20;
constexpr std::size_t kEchoHeader = 8;

std::uint8_t byte_at(ByteSpan bytes, std::size_t at) noexcept { return std::to_integer<std::uint8_t>(bytes[at]); }

std::size_t u16_at(ByteSpan bytes, std::size_t at) noexcept {
  return static_cast<std::size_t>(byte_at(bytes, at)) << 8U | byte_at(bytes, at + 1);
}

bool same(ByteSpan bytes, const Address& address) noexcept { return std::ranges::equal(bytes, address.bytes()); }

// RFC 9293, section 3.1: end and no-operation are single bytes; every other option counts its own two first bytes.
bool options_are_well_formed(ByteSpan options) noexcept {
  while (!options.empty()) {
    const auto kind = byte_at(options, 0);
    if (kind == 0) return true;
    if (kind == 1) {
      options = options.subspan(1);
      continue;
    }
    if (options.size() < 2) return false;
    const std::size_t length = byte_at(options, 1);
    if (length < 2 || length > options.size()) return false;
    options = options.subspan(length);
  }
  return true;
}

Verdict check_tcp(ByteSpan segment) noexcept {
  constexpr unsigned kFin = 1;
  constexpr unsigned kSyn = 2;
  constexpr unsigned kRst = 4;
  if (segment.size() < kTcpHeader) return Verdict::bad_tcp_header;
  const std::size_t header = 4U * (byte_at(segment, 12) >> 4U);
  if (header < kTcpHeader || header > segment.size()) return Verdict::bad_tcp_header;
  if (u16_at(segment, 0) == 0 || u16_at(segment, 2) == 0) return Verdict::bad_tcp_header;
  const unsigned flags = byte_at(segment, 13);
  if ((flags & kSyn) != 0 && (flags & (kFin | kRst)) != 0) return Verdict::bad_tcp_header;
  if (!options_are_well_formed(segment.subspan(kTcpHeader, header - kTcpHeader))) return Verdict::bad_tcp_options;
  return Verdict::pass;
}

Verdict check_icmp(ByteSpan message) noexcept {
  if (message.size() < kEchoHeader) return Verdict::bad_icmp;
  const auto type = byte_at(message, 0);
  return type == 128 || type == 129 ? Verdict::pass : Verdict::bad_icmp;
}

}  // namespace

Verdict check_packet(ByteSpan packet, const Address& source, const Address& own) noexcept {
  if (packet.size() < kIp6Header) return Verdict::too_short;
  if (byte_at(packet, 0) >> 4U != 6) return Verdict::wrong_version;
  if (u16_at(packet, 4) != packet.size() - kIp6Header || packet.size() > kLargest) return Verdict::wrong_length;
  // Overlay addresses are unicast, so equality leaves no room for multicast on either side.
  if (!same(packet.subspan(8, 16), source)) return Verdict::wrong_source;
  if (!same(packet.subspan(24, 16), own)) return Verdict::wrong_destination;
  switch (byte_at(packet, 6)) {
    case 6: return check_tcp(packet.subspan(kIp6Header));
    case 58: return check_icmp(packet.subspan(kIp6Header));
    default: return Verdict::wrong_protocol;
  }
}

}  // namespace axl::tcpip
