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

bool TreeView::take_ask(const PublicKey& child, Duration time, Rng& rng, Time now) {
  const auto found = children_.find(child);
  if (found == children_.end()) return false;
  auto& paid_until = found->second.paid_until;
  paid_until = std::max(paid_until, now);
  constexpr auto kHalf = static_cast<std::uint64_t>((kAtOnce / 2).count());
  const auto free = kAtOnce - (paid_until - now);
  if (free <= Duration::zero()) return false;
  if (free < kAtOnce / 2 && rng.next_u64() % kHalf >= static_cast<std::uint64_t>(free.count())) return false;
  paid_until += std::max(time, kLeastCost) / kQuestions;
  return true;
}

}  // namespace axl::convergecast
