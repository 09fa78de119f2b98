#include "e2e/openings.hpp"

#include <utility>

namespace axl::e2e {

Opening* Openings::find(const PublicKey& key) {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : &*found->second;
}

const Opening* Openings::find(const PublicKey& key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : &*found->second;
}

Opening& Openings::insert(Opening opening) {
  const auto added = list_.insert(list_.end(), std::move(opening));
  by_key_.insert_or_assign(added->key, added);
  return *added;
}

bool Openings::erase(const PublicKey& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return false;
  list_.erase(found->second);
  by_key_.erase(found);
  return true;
}

void Openings::rearm(Opening& opening, Time due) {
  opening.due = due;
  list_.splice(list_.end(), list_, by_key_.find(opening.key)->second);
}

Opening* Openings::first() { return list_.empty() ? nullptr : &list_.front(); }

std::optional<Time> Openings::next_due() const {
  if (list_.empty()) return {};
  return list_.front().due;
}

}  // namespace axl::e2e
