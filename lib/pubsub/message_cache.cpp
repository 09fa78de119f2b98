#include "pubsub/message_cache.hpp"

#include <algorithm>
#include <utility>

namespace axl::pubsub {

MessageCache::Holder& MessageCache::Entry::holder(PeerSlot peer) {
  const auto found = std::ranges::find(holders, peer, &Holder::peer);
  return found == holders.end() ? holders.emplace_back(Holder{peer}) : *found;
}

bool MessageCache::Entry::has(PeerSlot peer) const {
  const auto found = std::ranges::find(holders, peer, &Holder::peer);
  return found != holders.end() && found->has;
}

MessageCache::MessageCache(std::size_t windows, std::size_t most, std::size_t most_bytes)
    : most_{std::max<std::size_t>(most, 1)}, most_bytes_{most_bytes}, windows_(std::max<std::size_t>(windows, 1)) {}

// A body may exist twice: as it came, and as it leaves.
std::size_t MessageCache::cost(const Entry& entry) noexcept { return 512 + 2 * entry.message.body.size(); }

MessageCache::Entry* MessageCache::add(Entry entry, const std::optional<MessageId>& alias) {
  const auto id = entry.id;
  const auto [at, added] = entries_.try_emplace(id, std::move(entry));
  if (!added) return nullptr;
  bytes_ += cost(at->second);
  if (alias) by_name_[*alias] = id;
  windows_.front()[at->second.message.topic].push_back(id);
  order_.push_back(id);
  while (entries_.size() > most_ || (bytes_ > most_bytes_ && entries_.size() > 1)) drop_oldest();
  return &at->second;
}

void MessageCache::remove(const MessageId& id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  bytes_ -= cost(found->second);
  if (!by_name_.empty()) {
    const auto name = by_name_.find(found->second.message.name.alias());
    if (name != by_name_.end() && name->second == id) by_name_.erase(name);
  }
  entries_.erase(found);
}

void MessageCache::drop_oldest() {
  const auto id = order_.front();
  order_.pop_front();
  remove(id);
}

MessageCache::Entry* MessageCache::find(const MessageId& id) {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second;
}

MessageCache::Entry* MessageCache::find_name(const MessageId& alias) {
  const auto found = by_name_.find(alias);
  return found == by_name_.end() ? nullptr : find(found->second);
}

void MessageCache::shift() {
  for (const auto& [topic, ids] : windows_.back()) {
    for (const auto& id : ids) remove(id);
  }
  windows_.pop_back();
  windows_.emplace_front();
  while (!order_.empty() && !entries_.contains(order_.front())) order_.pop_front();
}

const MessageCache::Ids& MessageCache::window(std::size_t age, std::string_view topic) const {
  static const Ids kNone;
  if (age >= windows_.size()) return kNone;
  const auto found = windows_[age].find(topic);
  return found == windows_[age].end() ? kNone : found->second;
}

}  // namespace axl::pubsub
