#include "e2e/ipv6.hpp"

#include <algorithm>

namespace axl::e2e {

namespace {

constexpr std::size_t kSourceOffset = 8;
constexpr std::size_t kDestOffset = 24;
constexpr std::uint32_t kIcmp6 = 58;
constexpr std::size_t kIcmp6HeaderSize = 8;
constexpr std::size_t kQuoted = 512;

void put_u16(std::byte* out, std::size_t value) noexcept {
  out[0] = static_cast<std::byte>(value >> 8);
  out[1] = static_cast<std::byte>(value);
}

void put_u32(std::byte* out, std::uint32_t value) noexcept {
  put_u16(out, value >> 16);
  put_u16(out + 2, value & 0xffff);
}

// Sum of 16-bit words, an odd last byte padded with zero.
std::uint32_t sum_words(ByteSpan bytes) noexcept {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    sum += std::to_integer<std::uint32_t>(bytes[i]) << 8;
    if (i + 1 < bytes.size()) sum += std::to_integer<std::uint32_t>(bytes[i + 1]);
  }
  return sum;
}

// Checksum of an ICMPv6 message whose own checksum field is zero, over the pseudo-header of `packet`.
std::uint16_t icmp6_checksum(ByteSpan packet) noexcept {
  const auto message = packet.subspan(kIpv6HeaderSize);
  std::uint32_t sum = sum_words(packet.subspan(kSourceOffset, 2 * Address::kSize));
  sum += static_cast<std::uint32_t>(message.size()) + kIcmp6 + sum_words(message);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

}  // namespace

std::optional<Ipv6Addresses> Ipv6Addresses::of(ByteSpan packet) noexcept {
  if (packet.size() < kIpv6HeaderSize || (packet[0] >> 4) != std::byte{6}) return {};
  return Ipv6Addresses{.source = Address{packet.subspan<kSourceOffset, Address::kSize>()},
                       .dest = Address{packet.subspan<kDestOffset, Address::kSize>()}};
}

bool is_in(const Address& address, const Subnet& subnet) noexcept {
  return std::ranges::equal(address.bytes().first<Subnet::kSize>(), subnet.bytes());
}

OwnAddresses OwnAddresses::of(const PublicKey& key) noexcept {
  return {.address = Address::of(key), .subnet = Subnet::of(key)};
}

Buffer packet_too_big(ByteSpan offending, std::uint32_t mtu) {
  const auto quoted = offending.first(std::min(offending.size(), kQuoted));
  Buffer packet{kIpv6HeaderSize + kIcmp6HeaderSize, Buffer::kHeadroom, quoted.size()};
  auto* header = packet.data();
  std::fill_n(header, packet.size(), std::byte{0});
  header[0] = std::byte{0x60};
  put_u16(header + 4, kIcmp6HeaderSize + quoted.size());
  header[6] = std::byte{kIcmp6};
  header[7] = std::byte{0xff};
  std::ranges::copy(offending.subspan(kDestOffset, Address::kSize), header + kSourceOffset);
  std::ranges::copy(offending.subspan(kSourceOffset, Address::kSize), header + kDestOffset);
  auto* icmp = header + kIpv6HeaderSize;
  icmp[0] = std::byte{2};
  put_u32(icmp + 4, mtu);
  packet.append(quoted);
  put_u16(packet.data() + kIpv6HeaderSize + 2, icmp6_checksum(packet));
  return packet;
}

}  // namespace axl::e2e
