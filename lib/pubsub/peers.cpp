#include "pubsub/peers.hpp"

namespace axl::pubsub {

Peer* Peers::add(const PublicKey& key, Form form) {
  const auto [at, added] = peers_.try_emplace(key);
  if (!added) return nullptr;
  auto& peer = at->second;
  peer.key = key;
  peer.slot = PeerSlot{next_slot_++};
  peer.form = form;
  by_slot_.emplace(peer.slot, key);
  return &peer;
}

void Peers::remove(const PublicKey& key) {
  const auto found = peers_.find(key);
  if (found == peers_.end()) return;
  by_slot_.erase(found->second.slot);
  peers_.erase(found);
}

Peer* Peers::find(const PublicKey& key) {
  const auto found = peers_.find(key);
  return found == peers_.end() ? nullptr : &found->second;
}

Peer* Peers::find(PeerSlot slot) {
  const auto found = by_slot_.find(slot);
  return found == by_slot_.end() ? nullptr : find(found->second);
}

}  // namespace axl::pubsub
