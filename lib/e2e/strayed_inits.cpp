#include "e2e/strayed_inits.hpp"

namespace axl::e2e {

void StrayedInits::put(const PublicKey& key, const AnnouncedKeys& announced, Time now) {
  if (max_kept_ == 0) return;
  if (const auto found = by_key_.find(key); found != by_key_.end()) erase(found->second);
  if (entries_.size() >= max_kept_) erase(entries_.begin());
  by_key_.emplace(key, entries_.insert(entries_.end(), Entry{key, announced, now}));
}

std::optional<AnnouncedKeys> StrayedInits::take(const PublicKey& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return {};
  std::optional<AnnouncedKeys> announced{found->second->announced};
  erase(found->second);
  return announced;
}

void StrayedInits::expire(Time now) {
  while (!entries_.empty() && now - entries_.front().at >= timeout_) erase(entries_.begin());
}

std::optional<Time> StrayedInits::next_expiry() const {
  if (entries_.empty()) return {};
  return entries_.front().at + timeout_;
}

void StrayedInits::erase(List::iterator entry) {
  by_key_.erase(entry->key);
  entries_.erase(entry);
}

}  // namespace axl::e2e
