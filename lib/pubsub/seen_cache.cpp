#include "pubsub/seen_cache.hpp"

namespace axl::pubsub {

std::optional<PeerSlot> SeenCache::find(const MessageId& id) const {
  const auto found = from_.find(id);
  if (found == from_.end()) return std::nullopt;
  return found->second;
}

void SeenCache::add(const MessageId& id, PeerSlot from, const std::optional<MessageId>& alias, const PublicKey& origin,
                    std::optional<std::uint64_t> sequence, Time now) {
  if (!from_.emplace(id, from).second) return;
  // Several messages may have one name; it is forgotten with the first of them.
  if (alias) names_.insert(*alias);
  records_.push_back({id, alias, now, {origin, sequence}});
}

std::optional<SeenCache::Forgotten> SeenCache::forget_one(Time now) {
  if (records_.empty() || (records_.size() <= most_ && now - records_.front().seen < keep_)) return std::nullopt;
  const auto record = records_.front();
  records_.pop_front();
  from_.erase(record.id);
  if (record.alias) names_.erase(*record.alias);
  return record.message;
}

}  // namespace axl::pubsub
