#include "router/quota.hpp"

#include <algorithm>

#include "core/expect.hpp"

namespace axl::router {

Quota::Quota(std::size_t total, std::size_t slack) noexcept
    : total_{total}, peer_limit_{std::max<std::size_t>(total / 4, 1) + slack} {}

void Quota::favour(const PublicKey& peer) {
  if (favoured_.insert(peer).second) used_by_strangers_ -= used_by(peer);
}

std::size_t Quota::used_by(const PublicKey& peer) const {
  const auto found = by_peer_.find(peer);
  return found == by_peer_.end() ? 0 : found->second;
}

std::optional<Refusal> Quota::would_refuse(const PublicKey& peer, std::size_t amount) const {
  if (amount > total_ - std::min(used_, total_)) return Refusal::full;
  if (!favoured_.empty() && !favoured(peer)) {
    const auto half = std::max<std::size_t>(total_ / 2, 1);
    if (amount > half - std::min(used_by_strangers_, half)) return Refusal::full;
  }
  if (amount > peer_limit_ - std::min(used_by(peer), peer_limit_)) return Refusal::peer_share;
  return {};
}

std::optional<Refusal> Quota::take(const PublicKey& peer, std::size_t amount) {
  if (auto refusal = would_refuse(peer, amount)) return refusal;
  force(peer, amount);
  return {};
}

void Quota::force(const PublicKey& peer, std::size_t amount) {
  if (amount == 0) return;
  by_peer_[peer] += amount;
  used_ += amount;
  if (!favoured(peer)) used_by_strangers_ += amount;
}

void Quota::give_back(const PublicKey& peer, std::size_t amount) {
  if (amount == 0) return;
  const auto found = by_peer_.find(peer);
  AXL_EXPECT_OR(found != by_peer_.end() && found->second >= amount, return );
  found->second -= amount;
  if (found->second == 0) by_peer_.erase(found);
  used_ -= amount;
  if (!favoured(peer)) used_by_strangers_ -= amount;
}

}  // namespace axl::router
