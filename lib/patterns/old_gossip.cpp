#include "patterns/old_gossip.hpp"

#include <algorithm>
#include <utility>

#include "node/node_state.hpp"
#include "pubsub/compat_codec.hpp"

namespace axl::patterns {

OldGossip::OldGossip(node::NodeState& node, std::size_t max_body, Events events)
    : node_{node},
      scheduler_{node.scheduler()},
      events_{std::move(events)},
      largest_{pubsub::compat::largest_body(max_body)} {}

void OldGossip::open() {
  const std::weak_ptr<OldGossip> weak = weak_from_this();
  handler_ = node_.router().on_message(
      [weak](const Message& message) {
        const auto self = weak.lock();
        return self && self->wants(message);
      },
      [weak](Message message) {
        if (const auto self = weak.lock()) self->take(std::move(message));
      });
  open_ = true;
}

void OldGossip::close() {
  if (!std::exchange(open_, false)) return;
  node_.router().remove(handler_);
  peers_.clear();
}

bool OldGossip::has_place() const {
  return peers_.size() < kMaxPeers ||
         std::ranges::any_of(peers_, [silent_since = scheduler_.now() - kMaySpeak](const auto& entry) {
           return entry.second.heard <= silent_since;
         });
}

// What a peer says that is malformed is taken all the same, and counts against it; a stranger has to say something right.
bool OldGossip::wants(const Message& message) const {
  const auto& from = message.sender;
  if (!message.topic.empty() || message.body.size() > largest_ || from == node_.key()) return false;
  if (!pubsub::compat::is_gossip(message.body)) return false;
  if (events_.has_session(from) || !node_.bridge().allows(from)) return false;
  return peers_.contains(from) || (has_place() && static_cast<bool>(pubsub::compat::decode(message.body)));
}

void OldGossip::take(Message message) {
  if (!open_) return;
  const auto from = message.sender;
  if (!peers_.contains(from)) {
    make_place();
    peers_[from];
    events_.on_peer(from);
  }
  const auto found = peers_.find(from);
  if (found == peers_.end()) return;  // not welcome
  found->second.heard = scheduler_.now();
  events_.on_body(from, std::move(message.body));
}

void OldGossip::make_place() {
  if (peers_.size() < kMaxPeers) return;
  const auto longest = std::ranges::min_element(peers_, {}, [](const auto& entry) { return entry.second.heard; });
  const auto key = longest->first;
  peers_.erase(longest);
  events_.on_lost(key);
}

bool OldGossip::send(const PublicKey& peer, MessageBody body) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return false;
  auto& it = found->second;
  if (!it.full()) {
    const auto size = body.size();
    ++it.messages;
    it.bytes += size;
    node_.bridge().send(peer, std::move(body), {},
                        [weak = weak_from_this(), peer, size](const Result<SendReport>& report) {
                          if (const auto self = weak.lock()) self->on_sent(peer, size, static_cast<bool>(report));
                        });
  }
  it.blocked = it.busy();
  return it.blocked;
}

void OldGossip::on_sent(const PublicKey& peer, std::size_t bytes, bool arrived) {
  const auto found = peers_.find(peer);
  // One that was forgotten and has come again: these were of its life before.
  if (!open_ || found == peers_.end() || found->second.messages == 0 || found->second.bytes < bytes) return;
  auto& it = found->second;
  --it.messages;
  it.bytes -= bytes;
  it.failures = arrived ? 0 : it.failures + 1;
  if (it.failures >= kMaxFailures) {
    peers_.erase(found);
    events_.on_lost(peer);
  } else if (it.blocked && !it.busy()) {
    it.blocked = false;
    events_.on_writable(peer);
  }
}

}  // namespace axl::patterns
