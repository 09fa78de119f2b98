#include "overlay/infos.hpp"

#include <algorithm>

namespace axl::overlay {

std::uint64_t tree_distance(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) noexcept {
  const auto shorter = std::min(a.size(), b.size());
  std::size_t common = 0;
  while (common < shorter && a[common] == b[common]) ++common;
  return a.size() + b.size() - 2 * common;
}

bool supersedes(const wire::Announce& incoming, const wire::Announce& stored) noexcept {
  if (incoming.seq != stored.seq) return incoming.seq > stored.seq;
  if (incoming.parent != stored.parent) return incoming.parent < stored.parent;
  return incoming.nonce < stored.nonce;
}

void IndexSet::add(std::size_t index) {
  if (words_.size() <= index / 64) words_.resize(index / 64 + 1);
  words_[index / 64] |= std::uint64_t{1} << index % 64;
}

void IndexSet::remove(std::size_t index) noexcept {
  if (index / 64 < words_.size()) words_[index / 64] &= ~(std::uint64_t{1} << index % 64);
}

bool IndexSet::has(std::size_t index) const noexcept {
  return index / 64 < words_.size() && (words_[index / 64] >> index % 64 & 1) != 0;
}

Infos::Entry* Infos::find(const PublicKey& key) {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second;
}

const Infos::Entry* Infos::find(const PublicKey& key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second;
}

Infos::Entry& Infos::store(const wire::Announce& announce, Time due, const PublicKey& via) {
  const auto [place, is_new] = entries_.try_emplace(announce.key);
  auto& entry = place->second;
  if (is_new || entry.announce.parent != announce.parent || entry.announce.port != announce.port) ++shape_;
  if (is_new) {
    entry.via = via;
    ++introduced_[via];
  } else {
    due_.erase({entry.due, announce.key});
  }
  entry.announce = announce;
  entry.due = due;
  entry.holders.clear();
  due_.emplace(due, announce.key);
  ++version_;
  return entry;
}

void Infos::erase(const PublicKey& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  due_.erase({found->second.due, key});
  const auto count = introduced_.find(found->second.via);
  if (count != introduced_.end() && --count->second == 0) introduced_.erase(count);
  entries_.erase(found);
  ++version_;
  ++shape_;
}

void Infos::forget_holder(std::size_t index) noexcept {
  for (auto& [key, entry] : entries_) entry.holders.remove(index);
}

std::size_t Infos::introduced_by(const PublicKey& neighbour) const {
  const auto found = introduced_.find(neighbour);
  return found == introduced_.end() ? 0 : found->second;
}

// Visits entries from `key` towards the root; returns the parent at which the walk ended (null if `key` is unknown).
template <class Visit>
const PublicKey* Infos::walk(const PublicKey& key, Visit visit) const {
  const auto walk = ++walks_;
  const PublicKey* end = nullptr;
  for (auto at = entries_.find(key); at != entries_.end() && at->second.mark != walk;
       at = entries_.find(at->second.announce.parent)) {
    at->second.mark = walk;
    visit(at->first, at->second);
    end = &at->second.announce.parent;
  }
  return end;
}

std::vector<const PublicKey*> Infos::chain(const PublicKey& key) const {
  std::vector<const PublicKey*> keys;
  walk(key, [&](const PublicKey& at, const Entry&) { keys.push_back(&at); });
  return keys;
}

Infos::Position Infos::position(const PublicKey& key, const PublicKey& watched) const {
  Position position;
  position.root = key;
  std::uint64_t visited = 0;
  const auto* end = walk(key, [&](const PublicKey& at, const Entry& entry) {
    position.root = at;
    position.coords.push_back(entry.announce.port);
    position.through_us = position.through_us || at == watched;
    ++visited;
  });
  position.known = end != nullptr;
  position.depth = visited == 0 ? 0 : visited - 1;
  if (end != nullptr && *end == position.root) {
    position.coords.pop_back();  // a root's own port means nothing
    std::reverse(position.coords.begin(), position.coords.end());
  } else {
    position.coords.clear();  // a dead end or a loop: as if at the root
  }
  return position;
}

std::optional<PublicKey> Infos::oldest_outside(std::span<const PublicKey> keep, const PublicKey* via) const {
  const auto first_walk = walks_ + 1;
  for (const auto& key : keep) walk(key, [](const PublicKey&, const Entry&) {});
  for (const auto& [due, key] : due_) {
    const auto& entry = entries_.find(key)->second;
    if (entry.mark < first_walk && (via == nullptr || entry.via == *via)) return key;
  }
  return std::nullopt;
}

std::optional<std::pair<Time, PublicKey>> Infos::next_due() const {
  if (due_.empty()) return std::nullopt;
  return *due_.begin();
}

void Infos::clear_due(const PublicKey& key) {
  auto* entry = find(key);
  if (entry == nullptr) return;
  due_.erase({entry->due, key});
  entry->due = Time::max();
  due_.emplace(entry->due, key);
}

}  // namespace axl::overlay
