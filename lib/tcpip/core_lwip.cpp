// What lwIP calls: output, the life of pcbs, accepted connections, and the hooks of the port.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "core/block_pool.hpp"
#include "crypto/hash.hpp"
#include "tcpip/core.hpp"
#include "tcpip/packet_buffer.hpp"

__thread axl_lwip_context* axl_lwip = nullptr;

namespace axl::tcpip {

namespace {

Core* current_core() noexcept { return axl_lwip == nullptr ? nullptr : static_cast<Core*>(axl_lwip->owner); }

bool is_reset(ByteSpan packet) noexcept {
  constexpr std::size_t kNextHeader = 6;
  constexpr std::size_t kTcpFlags = 40 + 13;
  return packet.size() > kTcpFlags && packet[kNextHeader] == std::byte{6} &&
         (packet[kTcpFlags] & std::byte{4}) != std::byte{0};
}

}  // namespace

err_t Core::init_interface(netif* interface) {
  interface->name[0] = 'a';
  interface->name[1] = 'x';
  interface->mtu = static_cast<u16_t>(static_cast<Core*>(interface->state)->config_.mtu);
  interface->output_ip6 = output_packet;
  return ERR_OK;
}

err_t Core::output_packet(netif* interface, pbuf* chain, const ip6_addr_t* dest) {
  return static_cast<Core*>(interface->state)->output(chain, to_address(*dest));
}

// An error leaves the segment with lwIP. It is offered again when the host says that there is room.
err_t Core::output(const pbuf* chain, const Address& dest) {
  if (shut_) return ERR_IF;
  auto* peer = peers_.find(dest);
  const PublicKey* key = nullptr;
  if (peer != nullptr) {
    key = &peer->key;
  } else if (current_source_ != nullptr && dest == last_address_) {
    key = current_source_;
  } else {
    return ERR_RTE;
  }
  const bool blocked = peer != nullptr && peer->blocked;
  if (blocked && (peer->tags.empty() || chain->tot_len > 60)) return ERR_WOULDBLOCK;
  auto packet = assemble(chain);
  if (!blocked && host_.send_packet(*key, packet)) return ERR_OK;
  if (!blocked && !dated_) offered_.reset();
  // Nobody else remembers a reset, and a peer that misses it waits in vain.
  if (peer != nullptr && is_reset(packet.span())) keep_reset(*key, std::move(packet));
  if (peer != nullptr) peers_.block(*peer);
  return ERR_WOULDBLOCK;
}

err_t Core::on_passive_open(u8_t /*id*/, tcp_pcb_listen* listener, tcp_pcb* pcb) {
  auto* core = current_core();
  if (core->current_source_ == nullptr || core->is_full()) return ERR_ABRT;
  auto* peer = core->peers_.pin(*core->current_source_, core->last_address_);
  if (peer == nullptr) return ERR_ABRT;
  if (core->half_open_ >= core->config_.max_half_open || peer->half_open >= core->config_.max_half_open_per_peer) {
    core->peers_.release(*peer);
    return ERR_ABRT;
  }
  static_cast<void>(core->make_tag(pcb, *peer, listener->local_port, pcb->remote_port, Opened::by_peer));
  return ERR_OK;
}

void Core::on_pcb_destroyed(u8_t /*id*/, void* data) {
  if (data == nullptr) return;  // a listener
  const std::unique_ptr<Tag> tag{static_cast<Tag*>(data)};
  auto& core = *tag->core;
  if (core.touched_ == tag.get()) core.touched_ = nullptr;
  if (tag->flow != nullptr) tag->flow->on_pcb_gone();
  --(tag->time_wait ? core.time_wait_ : core.connections_);
  if (tag->half_open) --core.half_open_;
  core.end_opening(*tag);
  core.peers_.remove(*tag);
}

void Core::on_time_wait(Tag& tag) noexcept {
  tag.time_wait = true;
  --connections_;
  ++time_wait_;
}

err_t Core::on_accepted(void* arg, tcp_pcb* pcb, err_t /*error*/) {
  auto* core = static_cast<Core*>(arg);
  auto* tag = static_cast<Tag*>(tcp_ext_arg_get(pcb, 0));
  if (tag == nullptr) return ERR_VAL;
  tag->half_open = false;
  --tag->peer->half_open;
  --core->half_open_;
  const auto flow = core->make_flow(tag->peer->key, Flow::Phase::open);
  flow->attach(*tag, Flow::Phase::open);
  core->accepted_.push_back(flow);
  return ERR_OK;
}

void Core::on_segment(tcp_pcb* pcb) noexcept { touched_ = static_cast<Tag*>(tcp_ext_arg_get(pcb, 0)); }

tcp_pcb* Core::find_active(std::uint16_t local_port, std::uint16_t remote_port) noexcept {
  const auto* peer = peers_.find(last_address_);
  const auto* tag = peer == nullptr ? nullptr : Peers::find(*peer, local_port, remote_port);
  return tag == nullptr || tag->pcb->state == TIME_WAIT ? nullptr : tag->pcb;
}

void Core::on_assertion(const char* text, const char* file, int line) {
  ++asserts_;
  logger_(LogLevel::error, "tcpip", "assertion failed in lwIP: {} ({}:{})", text, file, line);
}

std::uint32_t Core::random() { return static_cast<std::uint32_t>(rng_.next_u64()); }

// RFC 6528: a clock of 4 us, plus a secret function of the connection.
std::uint32_t Core::initial_sequence(const ip_addr_t& local, std::uint16_t local_port, const ip_addr_t& remote,
                                     std::uint16_t remote_port) const {
  std::array<std::byte, 2 * Address::kSize + 4> connection;
  auto* out = connection.data();
  const auto put = [&out](const void* bytes, std::size_t count) {
    std::memcpy(out, bytes, count);
    out += count;
  };
  put(local.addr, sizeof local.addr);
  put(remote.addr, sizeof remote.addr);
  put(&local_port, sizeof local_port);
  put(&remote_port, sizeof remote_port);
  const auto digest = crypto::blake2b512(connection, isn_secret_);
  std::uint32_t offset;
  std::memcpy(&offset, digest.data(), sizeof offset);
  const auto clock = now_.time_since_epoch() / std::chrono::microseconds{4};
  return offset + static_cast<std::uint32_t>(clock);
}

}  // namespace axl::tcpip

using axl::tcpip::Core;

extern "C" {

void* axl_lwip_malloc(size_t size) { return axl::take_memory(size); }

void* axl_lwip_calloc(size_t count, size_t size) {
  if (size > 0 && count > SIZE_MAX / size) return nullptr;
  auto* const memory = axl::take_memory(count * size);
  if (memory != nullptr) std::memset(memory, 0, count * size);
  return memory;
}

void axl_lwip_free(void* memory) { axl::give_back_memory(memory); }

uint32_t axl_lwip_random(void) {
  auto* core = axl_lwip == nullptr ? nullptr : static_cast<Core*>(axl_lwip->owner);
  return core == nullptr ? 0 : core->random();
}

void axl_lwip_assertion_failed(const char* text, const char* file, int line) {
  if (axl_lwip != nullptr) static_cast<Core*>(axl_lwip->owner)->on_assertion(text, file, line);
}

u32_t axl_lwip_isn(const ip_addr_t* local_ip, u16_t local_port, const ip_addr_t* remote_ip, u16_t remote_port) {
  return static_cast<Core*>(axl_lwip->owner)->initial_sequence(*local_ip, local_port, *remote_ip, remote_port);
}

tcp_pcb* axl_lwip_find_active(u16_t local_port, u16_t remote_port) {
  return static_cast<Core*>(axl_lwip->owner)->find_active(local_port, remote_port);
}

err_t axl_lwip_on_segment(tcp_pcb* pcb) {
  static_cast<Core*>(axl_lwip->owner)->on_segment(pcb);
  return ERR_OK;
}

}  // extern "C"
