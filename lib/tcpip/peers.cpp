#include "tcpip/peers.hpp"

#include <algorithm>
#include <utility>

namespace axl::tcpip {

namespace {
std::uint32_t both(std::uint16_t local, std::uint16_t remote) noexcept {
  return static_cast<std::uint32_t>(local) << 16U | remote;
}
}  // namespace

Peer* Peers::find(const Address& address) noexcept {
  if (last_ != nullptr && last_->address == address) return last_;
  const auto found = peers_.find(address);
  if (found == peers_.end()) return nullptr;
  last_ = found->second.get();
  return last_;
}

Peer* Peers::pin(const PublicKey& key, const Address& address) {
  if (auto* peer = find(address)) return peer->key == key ? peer : nullptr;
  auto peer = std::make_unique<Peer>();
  peer->key = key;
  peer->address = address;
  last_ = peer.get();
  peers_.emplace(address, std::move(peer));
  return last_;
}

void Peers::release(Peer& peer) {
  if (!peer.tags.empty() || peer.waiting > 0) return;
  if (peer.blocked) std::erase(blocked_, peer.address);
  if (last_ == &peer) last_ = nullptr;
  peers_.erase(Address{peer.address});
}

void Peers::add(Tag& tag) {
  auto& peer = *tag.peer;
  tag.index = peer.tags.size();
  peer.tags.push_back(&tag);
  peer.ports[both(tag.local_port, tag.remote_port)] = &tag;
  if (tag.half_open) ++peer.half_open;
  if (tag.opening) ++peer.opening;
  tag.pcb->blocked = peer.blocked ? 1 : 0;
}

void Peers::remove(Tag& tag) {
  auto& peer = *tag.peer;
  auto* last = peer.tags.back();
  peer.tags[tag.index] = last;
  last->index = tag.index;
  peer.tags.pop_back();
  if (find(peer, tag.local_port, tag.remote_port) == &tag) peer.ports.erase(both(tag.local_port, tag.remote_port));
  if (tag.half_open) --peer.half_open;
  if (tag.opening) --peer.opening;
  release(peer);
}

Tag* Peers::find(const Peer& peer, std::uint16_t local, std::uint16_t remote) noexcept {
  const auto found = peer.ports.find(both(local, remote));
  return found == peer.ports.end() ? nullptr : found->second;
}

void Peers::block(Peer& peer) {
  if (peer.blocked) return;
  peer.blocked = true;
  blocked_.push_back(peer.address);
  for (auto* tag : peer.tags) tag->pcb->blocked = 1;
}

void Peers::unblock(Peer& peer) noexcept {
  peer.blocked = false;
  for (auto* tag : peer.tags) {
    tag->pcb->blocked = 0;
    tag->pcb->rttest = 0;  // no measure of the peer's
  }
}

}  // namespace axl::tcpip
