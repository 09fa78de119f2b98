#include "pubsub/contacts.hpp"

#include <algorithm>
#include <iterator>

#include "pubsub/peers.hpp"

namespace axl::pubsub {

void Contacts::set(std::span<const PublicKey> candidates) {
  for (auto& [key, contact] : contacts_) contact.named = false;
  for (const auto& key : candidates.first(std::min(candidates.size(), most_))) contacts_[key].named = true;
  std::erase_if(contacts_, [](const auto& entry) {
    const auto& contact = entry.second;
    return !contact.named && !contact.offered && contact.state == State::idle;
  });
}

void Contacts::offer(const PublicKey& key) {
  const auto offered = std::ranges::count_if(contacts_, [](const auto& entry) { return !entry.second.named; });
  if (static_cast<std::size_t>(offered) >= most_offered_) return;
  if (const auto [at, is_new] = contacts_.try_emplace(key); is_new) at->second.offered = true;
}

void Contacts::on_connected(const PublicKey& key) {
  if (const auto found = contacts_.find(key); found != contacts_.end()) {
    found->second.state = State::connected;
    found->second.lost = false;
    found->second.met = true;
  }
}

void Contacts::pause(Contact& contact, Time now) {
  contact.state = State::idle;
  const auto longest = contact.met ? kLongestPause : kStrangersPause;
  contact.not_before = now + std::min(longest, kFirstPause * (1U << std::min(contact.failures, 10U)));
  ++contact.failures;
}

void Contacts::on_lost(const PublicKey& key, Time now) {
  const auto found = contacts_.find(key);
  if (found == contacts_.end()) return;
  if (found->second.state == State::connected) {
    found->second.failures = 0;
    found->second.lost = true;
  }
  pause(found->second, now);
}

void Contacts::on_failed(const PublicKey& key, Time now) {
  const auto found = contacts_.find(key);
  if (found == contacts_.end() || found->second.state == State::connected) return;
  // Hearsay gets one chance.
  if (!found->second.named) {
    contacts_.erase(found);
  } else {
    pause(found->second, now);
  }
}

std::vector<PublicKey> Contacts::choose_some(std::size_t count, Time now) {
  std::vector<PublicKey> named;
  std::vector<PublicKey> offered;
  for (auto& [key, contact] : contacts_) {
    if (contact.state == State::trying && contact.until <= now) pause(contact, now);
    if (contact.state == State::idle && contact.not_before <= now) (contact.named ? named : offered).push_back(key);
  }
  auto chosen = choose(std::move(named), count, rng_);
  for (const auto& key : choose(std::move(offered), count - chosen.size(), rng_)) chosen.push_back(key);
  try_now(chosen, now);
  return chosen;
}

std::vector<PublicKey> Contacts::choose_lost(std::size_t count, Time now) {
  std::vector<PublicKey> lost;
  for (const auto& [key, contact] : contacts_) {
    if (contact.lost && contact.named && contact.state == State::idle && contact.not_before <= now) lost.push_back(key);
  }
  auto chosen = choose(std::move(lost), count, rng_);
  try_now(chosen, now);
  return chosen;
}

void Contacts::try_now(const std::vector<PublicKey>& keys, Time now) {
  for (const auto& key : keys) {
    auto& contact = contacts_[key];
    contact.state = State::trying;
    contact.until = now + kPatience;
  }
}

std::size_t Contacts::trying(Time now) const {
  return static_cast<std::size_t>(std::ranges::count_if(contacts_, [now](const auto& entry) {
    return entry.second.state == State::trying && entry.second.until > now;
  }));
}

}  // namespace axl::pubsub
