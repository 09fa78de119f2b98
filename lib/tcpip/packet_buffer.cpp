#include "tcpip/packet_buffer.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include "core/block_pool.hpp"
#include "tcpip/checksum.hpp"

namespace axl::tcpip {

namespace {

// lwIP knows the first member only.
struct Lent {
  pbuf_custom custom;
  Buffer packet;

  static void* operator new(std::size_t size) {
    auto* const memory = take_memory(size);
    if (memory == nullptr) throw std::bad_alloc{};
    return memory;
  }
  static void operator delete(void* memory) noexcept { give_back_memory(memory); }
};
static_assert(offsetof(pbuf_custom, pbuf) == 0);

Lent* lent(pbuf* piece) noexcept { return reinterpret_cast<Lent*>(piece); }

constexpr std::size_t kNextHeaderAt = 6;
constexpr std::size_t kAddressesAt = 8;
constexpr std::size_t kTcpAt = 40;
constexpr std::size_t kTcpChecksumAt = kTcpAt + 16;
constexpr std::size_t kTcpHeader = 20;
constexpr std::uint8_t kTcp = 6;

constexpr std::uint16_t swapped(std::uint16_t word) noexcept {
  return static_cast<std::uint16_t>(word << 8U | word >> 8U);
}

// `sum`: of all the packet's 16-bit words as they stand in memory. The pseudo header has both addresses, the length of
// the segment and the protocol, but not what stands before the addresses.
void put_tcp_checksum(MutableByteSpan packet, std::uint32_t sum) noexcept {
  if (packet.size() < kTcpAt + kTcpHeader || std::to_integer<std::uint8_t>(packet[kNextHeaderAt]) != kTcp) return;
  const auto length = packet.size() - kTcpAt;
  const std::array pseudo{static_cast<std::uint8_t>(length >> 8U), static_cast<std::uint8_t>(length), std::uint8_t{0},
                          kTcp};
  sum += sum_of(pseudo.data(), pseudo.size());
  sum += 0xffffU - sum_of(packet.data(), kAddressesAt);
  while (sum > 0xffffU) sum = (sum & 0xffffU) + (sum >> 16U);
  const auto checksum = static_cast<std::uint16_t>(~sum);
  std::memcpy(packet.data() + kTcpChecksumAt, &checksum, sizeof checksum);
}

void free_lent(pbuf* piece) noexcept { std::unique_ptr<Lent>{lent(piece)}; }

}  // namespace

pbuf* lend(Buffer packet) {
  auto holder = std::make_unique<Lent>();
  holder->packet = std::move(packet);
  holder->custom.custom_free_function = free_lent;
  const auto size = static_cast<u16_t>(holder->packet.size());
  auto* piece = pbuf_alloced_custom(PBUF_RAW, size, PBUF_REF, &holder->custom, holder->packet.data(), size);
  static_cast<void>(holder.release());  // freed by free_lent
  return piece;
}

Buffer take_back(pbuf* piece) {
  const auto* payload = static_cast<const std::byte*>(piece->payload);
  if ((piece->flags & PBUF_FLAG_IS_CUSTOM) == 0 || piece->ref != 1) {
    return Buffer::copy_of({payload, piece->len});
  }
  Buffer packet = std::move(lent(piece)->packet);
  packet.drop_front(static_cast<std::size_t>(payload - packet.data()));
  packet.drop_back(packet.size() - piece->len);
  return packet;
}

Buffer assemble(const pbuf* chain) {
  Buffer packet{chain->tot_len, Buffer::kHeadroom};
  std::uint32_t sum = 0;
  std::size_t at = 0;
  for (const pbuf* piece = chain; piece != nullptr && at < packet.size(); piece = piece->next) {
    const auto count = std::min<std::size_t>(piece->len, packet.size() - at);
    const auto part = copy_and_sum(packet.data() + at, piece->payload, count);
    sum += at % 2 == 0 ? part : swapped(part);  // behind an odd number of bytes its own lie in the other halves
    at += count;
  }
  packet.drop_back(packet.size() - at);
  put_tcp_checksum(packet.mutable_span(), sum);
  return packet;
}

}  // namespace axl::tcpip
