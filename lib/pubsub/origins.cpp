#include "pubsub/origins.hpp"

#include <algorithm>

namespace axl::pubsub {

Origins::Entry& Origins::touch(const PublicKey& origin) {
  if (const auto found = index_.find(origin); found != index_.end()) {
    entries_.splice(entries_.end(), entries_, found->second);
    return entries_.back();
  }
  if (index_.size() >= most_ && !entries_.empty()) {
    index_.erase(entries_.front().origin);
    entries_.pop_front();
  }
  entries_.push_back({origin, 0, {}});
  index_.emplace(origin, std::prev(entries_.end()));
  return entries_.back();
}

bool Origins::is_old(const PublicKey& origin, std::uint64_t sequence) const {
  const auto found = index_.find(origin);
  return found != index_.end() && sequence <= found->second->floor;
}

void Origins::raise_floor(const PublicKey& origin, std::uint64_t sequence) {
  const auto found = index_.find(origin);
  auto& entry = found == index_.end() ? touch(origin) : *found->second;
  entry.floor = std::max(entry.floor, sequence);
}

bool Origins::allow(const PublicKey& origin, Time now) { return touch(origin).bucket.take(rate_, 1, now); }

}  // namespace axl::pubsub
