#include "tcpip/packet_buffer.hpp"

#include <algorithm>
#include <memory>
#include <new>
#include <utility>

#include "core/block_pool.hpp"

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
  std::size_t at = 0;
  for (const pbuf* piece = chain; piece != nullptr && at < packet.size(); piece = piece->next) {
    const auto count = std::min<std::size_t>(piece->len, packet.size() - at);
    std::memcpy(packet.data() + at, piece->payload, count);
    at += count;
  }
  packet.drop_back(packet.size() - at);
  return packet;
}

}  // namespace axl::tcpip
