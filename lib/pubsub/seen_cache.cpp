#include "pubsub/seen_cache.hpp"

namespace axl::pubsub {

std::optional<PeerSlot> SeenCache::find(const MessageId& id) const {
  const auto found = from_.find(id);
  if (found == from_.end()) return std::nullopt;
  return found->second;
}

void SeenCache::add(const MessageId& id, PeerSlot from, const PublicKey& origin, std::optional<std::uint64_t> sequence,
                    bool lasts, Time now) {
  if (!from_.emplace(id, from).second) return;
  (lasts ? lasting_ : records_).push_back({id, now, {origin, sequence}});
}

void SeenCache::add_name(const MessageId& alias, Time now) {
  if (names_.insert(alias).second) name_order_.push_back({alias, now});
}

std::optional<SeenCache::Forgotten> SeenCache::forget_one(Time now) {
  forget_names(now);
  const bool expired = !records_.empty() && now - records_.front().seen >= keep_;
  if (!expired && from_.size() <= most_) return std::nullopt;
  const bool lasting = !expired && !lasting_.empty() &&
                       (records_.empty() || lasting_.front().seen < records_.front().seen);
  auto& records = lasting ? lasting_ : records_;
  const auto record = records.front();
  records.pop_front();
  from_.erase(record.id);
  return record.message;
}

void SeenCache::forget_names(Time now) {
  while (!name_order_.empty() && (names_.size() > most_ || now - name_order_.front().seen >= keep_)) {
    names_.erase(name_order_.front().alias);
    name_order_.pop_front();
  }
}

}  // namespace axl::pubsub
