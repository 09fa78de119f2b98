#include "router/quota.hpp"

#include <algorithm>
#include <utility>

#include "core/expect.hpp"

namespace axl::router {

Quota::Quota(std::size_t total, std::size_t slack) noexcept
    : total_{total}, peer_limit_{std::max<std::size_t>(total / 4, 1) + slack} {}

void Quota::favour(const PublicKey& peer) {
  auto& account = accounts_[peer];
  if (std::exchange(account.favoured, true)) return;
  ++favoured_;
  used_by_strangers_ -= account.used;
}

bool Quota::favoured(const PublicKey& peer) const {
  const auto found = accounts_.find(peer);
  return found != accounts_.end() && found->second.favoured;
}

std::size_t Quota::used_by(const PublicKey& peer) const {
  const auto found = accounts_.find(peer);
  return found == accounts_.end() ? 0 : found->second.used;
}

std::optional<Refusal> Quota::would_refuse(const PublicKey& peer, std::size_t amount) const {
  const auto found = accounts_.find(peer);
  return would_refuse(found == accounts_.end() ? Account{} : found->second, amount);
}

std::optional<Refusal> Quota::would_refuse(const Account& account, std::size_t amount) const {
  if (amount > total_ - std::min(used_, total_)) return Refusal::full;
  if (favoured_ > 0 && !account.favoured) {
    const auto half = std::max<std::size_t>(total_ / 2, 1);
    if (amount > half - std::min(used_by_strangers_, half)) return Refusal::full;
  }
  if (amount > peer_limit_ - std::min(account.used, peer_limit_)) return Refusal::peer_share;
  return {};
}

std::optional<Refusal> Quota::take(const PublicKey& peer, std::size_t amount) {
  const auto found = accounts_.find(peer);
  if (auto refusal = would_refuse(found == accounts_.end() ? Account{} : found->second, amount)) return refusal;
  if (amount > 0) add(found == accounts_.end() ? accounts_[peer] : found->second, amount);
  return {};
}

void Quota::force(const PublicKey& peer, std::size_t amount) {
  if (amount > 0) add(accounts_[peer], amount);
}

void Quota::add(Account& account, std::size_t amount) {
  account.used += amount;
  used_ += amount;
  if (!account.favoured) used_by_strangers_ += amount;
}

void Quota::give_back(const PublicKey& peer, std::size_t amount) {
  if (amount == 0) return;
  const auto found = accounts_.find(peer);
  AXL_EXPECT_OR(found != accounts_.end() && found->second.used >= amount, return );
  auto& account = found->second;
  account.used -= amount;
  used_ -= amount;
  if (account.favoured) return;
  used_by_strangers_ -= amount;
  if (account.used > 0 || emptied_ == peer) return;
  if (emptied_) {
    const auto before = accounts_.find(*emptied_);
    if (before != accounts_.end() && before->second.used == 0 && !before->second.favoured) accounts_.erase(before);
  }
  emptied_ = peer;
}

}  // namespace axl::router
