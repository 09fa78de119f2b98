#include "pubsub/scores.hpp"

#include <algorithm>

namespace axl::pubsub {

namespace {
constexpr double kNothing = 0.5;             // less is forgotten
constexpr double kEnoughAsked = 16;          // to say something of a peer
}  // namespace

Scores::Entry& Scores::entry(const PublicKey& peer) {
  if (const auto found = entries_.find(peer); found != entries_.end()) return found->second;
  if (entries_.size() >= config_.max_remembered) {
    entries_.erase(std::ranges::min_element(entries_, {}, [](const auto& entry) { return entry.second.points; }));
  }
  return entries_[peer];
}

void Scores::add(const PublicKey& peer, double points) {
  auto& entry = this->entry(peer);
  entry.points = std::min(config_.most, entry.points + points);
  if (entry.grey || entry.points < config_.grey_at) return;
  entry.grey = true;
  turned_grey_.push_back(peer);
}

void Scores::on_asked(const PublicKey& peer, std::size_t messages) {
  entry(peer).asked += static_cast<double>(messages);
}

void Scores::on_promise_broken(const PublicKey& peer) {
  auto& entry = this->entry(peer);
  entry.broken += 1;
  if (entry.broken >= kEnoughAsked / 2 && entry.broken * 2 > entry.asked) add(peer, config_.broken_promise);
}

void Scores::on_heartbeat() {
  for (auto at = entries_.begin(); at != entries_.end();) {
    auto& entry = at->second;
    entry.points *= config_.fade;
    entry.asked *= config_.fade;
    entry.broken *= config_.fade;
    if (entry.points < config_.forgiven_at) entry.grey = false;
    const bool forgotten = entry.points < kNothing && entry.asked < kNothing && entry.broken < kNothing;
    at = forgotten ? entries_.erase(at) : std::next(at);
  }
}

bool Scores::grey(const PublicKey& peer) const {
  const auto found = entries_.find(peer);
  return found != entries_.end() && found->second.grey;
}

double Scores::points(const PublicKey& peer) const {
  const auto found = entries_.find(peer);
  return found == entries_.end() ? 0 : found->second.points;
}

std::optional<PublicKey> Scores::poll_grey() {
  if (turned_grey_.empty()) return std::nullopt;
  const auto peer = turned_grey_.back();
  turned_grey_.pop_back();
  return peer;
}

}  // namespace axl::pubsub
