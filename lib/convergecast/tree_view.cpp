#include "convergecast/tree_view.hpp"

#include <algorithm>

namespace axl::convergecast {

void TreeView::update(const PublicKey& parent, std::span<const PublicKey> children, Time now) {
  const bool was_root = is_root();
  parent_ = parent;
  bool changed = was_root != is_root();
  std::map<PublicKey, Child> updated;
  for (const auto& key : children) {
    if (key == own_ || key == parent) continue;
    const auto known = children_.find(key);
    changed = changed || known == children_.end();
    updated.emplace(key, known == children_.end() ? Child{} : known->second);
  }
  changed = changed || updated.size() != children_.size();
  children_ = std::move(updated);
  if (changed) changed_at_ = now;
}

bool TreeView::take_ask(const PublicKey& child, Time now) {
  constexpr Duration kOne = Duration{std::chrono::seconds{1}} / kAsksPerSecond;
  const auto found = children_.find(child);
  if (found == children_.end()) return false;
  auto& paid_until = found->second.paid_until;
  paid_until = std::max(paid_until, now);
  if (paid_until - now > (kAskBurst - 1) * kOne) return false;
  paid_until += kOne;
  return true;
}

}  // namespace axl::convergecast
