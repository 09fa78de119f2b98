#include "pubsub/wants.hpp"

#include <algorithm>

namespace axl::pubsub {

bool Wants::on_announced(const MessageId& id, PeerSlot peer, const MessageName* name) {
  auto entry = wants_.find(id);
  if (entry != wants_.end() && (std::ranges::count(entry->second.announcers, peer) != 0 ||
                                entry->second.announcers.size() >= config_.announcers)) {
    return true;
  }
  auto& account = accounts_[peer];
  if (account.announced >= config_.most_per_peer) return false;
  if (entry == wants_.end()) {
    if (wants_.size() >= config_.most) return false;
    entry = wants_.emplace(id, Wanted{}).first;
    if (name != nullptr) entry->second.name = *name;
  }
  entry->second.announcers.push_back(peer);
  ++account.announced;
  if (entry->second.asked == PeerSlot{}) {
    if (account.queue.size() >= 2 * config_.most_per_peer) drop_answered(account.queue);
    account.queue.push_back(id);
    ready(peer);
  }
  return true;
}

std::vector<PeerSlot> Wants::on_arrived(const MessageId& id) {
  const auto entry = wants_.find(id);
  if (entry == wants_.end()) return {};
  auto announcers = entry->second.announcers;
  erase(entry);
  return announcers;
}

void Wants::on_bad_copy(const MessageId& id, PeerSlot peer) {
  const auto entry = wants_.find(id);
  if (entry == wants_.end()) return;
  const bool asked = entry->second.asked == peer;
  if (asked) stop_asking(entry);
  remove_announcer(entry, peer);
  if (entry->second.announcers.empty()) {
    erase(entry);
  } else if (asked) {
    offer_next(entry);
  }
}

void Wants::on_peer_lost(PeerSlot peer) {
  if (!accounts_.contains(peer)) return;
  for (auto at = wants_.begin(); at != wants_.end();) {
    const auto entry = at++;
    if (std::ranges::count(entry->second.announcers, peer) != 0) on_bad_copy(entry->first, peer);
  }
  accounts_.erase(peer);
  ready_.erase(peer);
}

void Wants::on_tick(Time now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const auto entry = wants_.find(deadlines_.begin()->second);
    auto& wanted = entry->second;
    const auto late = wanted.asked;
    broken_.push_back(late);
    stop_asking(entry);
    // To the end of the line: with nobody else, it is asked again.
    std::erase(wanted.announcers, late);
    wanted.announcers.push_back(late);
    if (++wanted.tries >= config_.tries) {
      erase(entry);
    } else {
      offer_next(entry);
    }
  }
}

std::optional<Time> Wants::next_tick() const {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.begin()->first;
}

std::vector<MessageId> Wants::take_asks(PeerSlot peer, std::size_t most, Time now, unsigned times) {
  std::vector<MessageId> out;
  const auto found = accounts_.find(peer);
  if (found == accounts_.end()) return out;
  auto& account = found->second;
  while (!account.queue.empty() && account.asked < config_.window && out.size() < most) {
    const auto id = account.queue.front();
    account.queue.pop_front();
    const auto entry = wants_.find(id);
    if (entry == wants_.end() || entry->second.asked != PeerSlot{} ||
        std::ranges::count(entry->second.announcers, peer) == 0) {
      continue;
    }
    entry->second.asked = peer;
    entry->second.until = now + config_.patience * times;
    deadlines_.emplace(entry->second.until, id);
    ++account.asked;
    out.push_back(id);
  }
  return out;
}

bool Wants::has_asks(PeerSlot peer) const {
  const auto found = accounts_.find(peer);
  return found != accounts_.end() && !found->second.queue.empty() && found->second.asked < config_.window;
}

std::optional<PeerSlot> Wants::poll_broken() {
  if (broken_.empty()) return std::nullopt;
  const auto peer = broken_.back();
  broken_.pop_back();
  return peer;
}

std::optional<PeerSlot> Wants::poll_ready() {
  if (ready_.empty()) return std::nullopt;
  const auto peer = *ready_.begin();
  ready_.erase(ready_.begin());
  return peer;
}

const MessageName* Wants::name(const MessageId& id) const {
  const auto entry = wants_.find(id);
  return entry == wants_.end() || !entry->second.name ? nullptr : &*entry->second.name;
}

std::size_t Wants::announced_by(PeerSlot peer) const {
  const auto found = accounts_.find(peer);
  return found == accounts_.end() ? 0 : found->second.announced;
}

void Wants::drop_answered(std::deque<MessageId>& queue) {
  std::erase_if(queue, [this](const MessageId& id) { return !wants_.contains(id); });
}

void Wants::stop_asking(Entry entry) {
  auto& wanted = entry->second;
  if (wanted.asked == PeerSlot{}) return;
  deadlines_.erase({wanted.until, entry->first});
  const auto account = accounts_.find(wanted.asked);
  if (account != accounts_.end()) {
    --account->second.asked;
    ready(wanted.asked);
  }
  wanted.asked = PeerSlot{};
}

void Wants::remove_announcer(Entry entry, PeerSlot peer) {
  if (std::erase(entry->second.announcers, peer) == 0) return;
  const auto account = accounts_.find(peer);
  if (account != accounts_.end()) --account->second.announced;
}

void Wants::offer_next(Entry entry) {
  const auto next = entry->second.announcers.front();
  accounts_[next].queue.push_front(entry->first);
  ready(next);
}

void Wants::erase(Entry entry) {
  stop_asking(entry);
  while (!entry->second.announcers.empty()) remove_announcer(entry, entry->second.announcers.back());
  wants_.erase(entry);
}

}  // namespace axl::pubsub
