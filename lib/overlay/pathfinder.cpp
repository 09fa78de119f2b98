#include "overlay/pathfinder.hpp"

#include <algorithm>

namespace axl::overlay {

const Pathfinder::Path* Pathfinder::find(const PublicKey& dest) const {
  const auto found = paths_.find(dest);
  return found == paths_.end() ? nullptr : &found->second;
}

void Pathfinder::keep(const PublicKey& dest, ByteSpan payload) {
  const auto found = paths_.find(dest);
  if (found == paths_.end()) return;
  auto& kept = found->second.kept;
  if (config_.max_kept_packet != 0 && payload.size() > config_.max_kept_packet) {
    kept.reset();
    return;
  }
  if (!kept) kept.emplace();
  kept->assign(payload.begin(), payload.end());
}

void Pathfinder::on_delivered(const PublicKey& source, Time now) {
  const auto found = paths_.find(source);
  if (found != paths_.end() && !found->second.broken) found->second.expires = now + config_.path_timeout;
}

bool Pathfinder::start_lookup(const PublicKey& target, Time now) {
  const auto key = transform(target);
  auto found = rumors_.find(key);
  if (found != rumors_.end()) {
    if (now - found->second.last_lookup < config_.path_throttle) return false;
    rumor_due_.remove(found->second.expires, key);
  } else {
    if (config_.max_rumors != 0 && rumors_.size() >= config_.max_rumors) expire_rumor(rumor_due_.first()->second);
    found = rumors_.emplace(key, Rumor{target, BloomBits{key}, {}, {}, false, {}}).first;
  }
  auto& rumor = found->second;
  rumor.target = target;
  rumor.last_lookup = now;
  rumor.expires = now + config_.path_timeout;
  rumor_due_.add(rumor.expires, key);
  return repeat_lookup(target, now);
}

bool Pathfinder::repeat_lookup(const PublicKey& target, Time now) {
  const auto found = paths_.find(target);
  if (found == paths_.end()) return true;
  auto& path = found->second;
  const auto last = config_.strict_broken_throttle ? path.last_lookup : path.created;
  if (now - last < config_.path_throttle) return false;
  path.last_lookup = now;
  return true;
}

void Pathfinder::wait(const PublicKey& dest, Buffer payload) {
  const auto found = rumors_.find(transform(dest));
  if (found == rumors_.end()) return;
  auto& rumor = found->second;
  drop_waiting(rumor);
  waiting_bytes_ += payload.size();
  rumor.waiting.emplace(dest, std::move(payload));
  rumor.answered = false;
  if (config_.max_waiting_bytes == 0) return;
  for (const auto& [due, key] : rumor_due_.in_order()) {
    if (waiting_bytes_ <= config_.max_waiting_bytes) break;
    auto& other = rumors_.find(key)->second;
    if (&other != &rumor) drop_waiting(other);
  }
}

void Pathfinder::drop_waiting(Rumor& rumor) {
  if (!rumor.waiting) return;
  waiting_bytes_ -= rumor.waiting->second.size();
  rumor.waiting.reset();
}

std::vector<PublicKey> Pathfinder::unanswered(const std::function<bool(const BloomBits&)>& wanted) const {
  std::vector<PublicKey> targets;
  for (const auto& [key, rumor] : rumors_) {
    if (!rumor.answered && wanted(rumor.bits)) targets.push_back(rumor.target);
  }
  return targets;
}

bool Pathfinder::valid(const wire::PathNotify& notify) const {
  const auto bytes = wire::PathNotify::signed_bytes(notify.info.seq, notify.info.path);
  return verify_(notify.source, bytes, notify.info.sig);
}

Pathfinder::Answer Pathfinder::on_notify(const wire::PathNotify& notify, Time now) {
  const auto rumor = rumors_.find(transform(notify.source));
  const auto known = paths_.find(notify.source);
  const bool is_new = known == paths_.end();
  Answer answer;
  auto* path = [&]() -> Path* {
    if (!is_new) {
      // What confirms the known path changes nothing at all, not even its lifetime.
      if (notify.info.seq <= known->second.seq || notify.info.path == known->second.coords) return nullptr;
      if (!valid(notify)) return nullptr;
      known->second.expires = now + config_.path_timeout;
      return &known->second;
    }
    if (rumor == rumors_.end() || !valid(notify)) return nullptr;
    return &create_path(notify.source, now);
  }();
  if (path == nullptr) return answer;
  path->coords = notify.info.path;
  path->seq = notify.info.seq;
  path->broken = false;
  answer.changed = true;
  if (path->kept) {
    answer.resend = Buffer::copy_of(*path->kept, Buffer::kHeadroom);
    path->kept.reset();
  }
  if (rumor != rumors_.end()) {
    rumor->second.answered = true;
    auto& waiting = rumor->second.waiting;
    if (is_new && waiting && waiting->first == notify.source) {
      waiting_bytes_ -= waiting->second.size();
      answer.resend = std::move(waiting->second);
      waiting.reset();
    }
  }
  return answer;
}

Pathfinder::Path& Pathfinder::create_path(const PublicKey& key, Time now) {
  if (config_.max_paths != 0 && paths_.size() >= config_.max_paths) expire_path(first_path_due()->second);
  auto& path = paths_[key];
  path.created = path.last_lookup = now;
  path.expires = path.queued = now + config_.path_timeout;
  path_due_.add(path.queued, key);
  return path;
}

bool Pathfinder::on_broken(const PublicKey& dest) {
  const auto found = paths_.find(dest);
  if (found == paths_.end()) return false;
  found->second.broken = true;
  return true;
}

void Pathfinder::expire_path(const PublicKey& key) {
  const auto found = paths_.find(key);
  if (found == paths_.end()) return;
  path_due_.remove(found->second.queued, key);
  paths_.erase(found);
}

void Pathfinder::expire_rumor(const PublicKey& transformed_key) {
  const auto found = rumors_.find(transformed_key);
  if (found == rumors_.end()) return;
  drop_waiting(found->second);
  rumor_due_.remove(found->second.expires, transformed_key);
  rumors_.erase(found);
}

// The path that really is due first: those that have been kept alive meanwhile are queued again behind.
std::optional<std::pair<Time, PublicKey>> Pathfinder::first_path_due() {
  while (const auto first = path_due_.first()) {
    auto& path = paths_.find(first->second)->second;
    if (path.expires == first->first) return first;
    path_due_.remove(path.queued, first->second);
    path.queued = path.expires;
    path_due_.add(path.queued, first->second);
  }
  return std::nullopt;
}

std::optional<Time> Pathfinder::next_due() const {
  const auto path = path_due_.first();
  const auto rumor = rumor_due_.first();
  if (path && rumor) return std::min(path->first, rumor->first);
  if (path) return path->first;
  if (rumor) return rumor->first;
  return std::nullopt;
}

void Pathfinder::on_tick(Time now) {
  for (auto first = first_path_due(); first && first->first <= now; first = first_path_due()) {
    expire_path(first->second);
  }
  for (auto first = rumor_due_.first(); first && first->first <= now; first = rumor_due_.first()) {
    expire_rumor(first->second);
  }
}

}  // namespace axl::overlay
