#include "e2e/pings.hpp"

#include <algorithm>
#include <utility>

namespace axl::e2e {

Result<PingId> Pings::start(const PublicKey& key, Time deadline, Time now) {
  if (under_way_ >= config_.max_pings) return Error{Errc::limit_reached, "too many pings are under way"};
  ++under_way_;
  const auto id = PingId{next_id_++};
  const auto [found, fresh] = targets_.try_emplace(key);
  found->second.waiting.push_back({id, deadline});
  if (fresh) {
    found->second.interval = config_.first_interval;
    reach(key, found->second, now);
  }
  return id;
}

void Pings::reach(const PublicKey& key, Target& target, Time now) {
  target.reach_at = now + config_.open_interval;  // asked() puts it off
  reaches_.push_back(key);
}

void Pings::on_up(const PublicKey& key, Time now) {
  const auto found = targets_.find(key);
  if (found != targets_.end() && found->second.questions == 0) reach(key, found->second, now);
}

Question Pings::question_for(const PublicKey& key) const {
  const auto found = targets_.find(key);
  return found != targets_.end() && found->second.questions % 2 == 1 ? Question::node_info : Question::self;
}

void Pings::asked(const PublicKey& key, Time now) {
  const auto found = targets_.find(key);
  if (found == targets_.end()) return;
  auto& target = found->second;
  target.since[static_cast<std::size_t>(question_for(key))] = now;
  ++target.questions;
  target.reach_at = now + target.interval;
  target.interval = std::min(2 * target.interval, config_.last_interval);
}

void Pings::put_off(const PublicKey& key, Time now) {
  const auto found = targets_.find(key);
  if (found != targets_.end()) found->second.reach_at = now + config_.pace;
}

void Pings::on_answer(const PublicKey& key, Question question, Time now) {
  const auto found = targets_.find(key);
  if (found == targets_.end()) return;
  const auto since = found->second.since[static_cast<std::size_t>(question)];
  if (!since) return;
  finish(found->second, now - *since);
  targets_.erase(found);
}

void Pings::fail(const PublicKey& key, const Error& error) {
  const auto found = targets_.find(key);
  if (found == targets_.end()) return;
  finish(found->second, error);
  targets_.erase(found);
}

void Pings::finish(const Target& target, const Result<Duration>& result) {
  for (const auto& waiting : target.waiting) done_.push_back({waiting.id, result});
  under_way_ -= target.waiting.size();
}

void Pings::on_tick(Time now) {
  for (auto item = targets_.begin(); item != targets_.end();) {
    auto& target = item->second;
    std::erase_if(target.waiting, [&](const Waiting& waiting) {
      if (waiting.deadline > now) return false;
      done_.push_back({waiting.id, target.questions == 0 ? Error{Errc::unreachable, "operation timed out"}
                                                         : Error{Errc::timed_out, "no answer"}});
      --under_way_;
      return true;
    });
    if (target.waiting.empty()) {
      item = targets_.erase(item);
      continue;
    }
    if (target.reach_at <= now) reach(item->first, target, now);
    ++item;
  }
}

std::optional<Time> Pings::next_tick() const {
  std::optional<Time> next;
  const auto consider = [&next](Time at) {
    if (!next || at < *next) next = at;
  };
  for (const auto& [key, target] : targets_) {
    consider(target.reach_at);
    for (const auto& waiting : target.waiting) consider(waiting.deadline);
  }
  return next;
}

std::optional<Pings::Reach> Pings::next_reach() {
  if (reaches_.empty()) return std::nullopt;
  const auto key = reaches_.front();
  reaches_.pop_front();
  return Reach{key};
}

std::optional<Pings::Done> Pings::next_done() {
  if (done_.empty()) return std::nullopt;
  auto done = std::move(done_.front());
  done_.pop_front();
  return done;
}

}  // namespace axl::e2e
