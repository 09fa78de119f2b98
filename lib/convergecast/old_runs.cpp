#include "convergecast/old_runs.hpp"

#include <algorithm>

namespace axl::convergecast {

namespace {

const Operation kSum{Operation::Kind::sum, 0, {}};

std::vector<Contribution> contributions(const OldPart& part) {
  std::vector<Contribution> list;
  for (const auto& [name, value] : part.data) list.push_back({name, value});
  return list;
}

}  // namespace

void OldRuns::on_tree(const PublicKey& parent, std::span<const PublicKey> children, Time now) {
  tree_.update(parent, children, now);
}

bool OldRuns::on_message(const PublicKey& from, ByteSpan body, Time now) {
  const auto part = read_old_part(body);
  if (!part || part->from != from || !tree_.is_child(from)) return false;
  const auto run = runs_.find(part->session);
  if (run != runs_.end()) {
    if (run->second.waiting.contains(from)) add(run->second, *part);
    finish_if_ready(part->session, now);
    return true;
  }
  const auto is_same = [&](const Early& early) {
    return early.part.session == part->session && early.part.from == from;
  };
  if (const auto before = std::ranges::find_if(early_, is_same); before != early_.end()) forget_early(before);
  early_.push_back({*part, body.size(), now + kKeepEarly});
  early_bytes_ += body.size();
  while (early_.size() > kMaxEarly || early_bytes_ > kMaxEarlyBytes) forget_early(early_.begin());
  return true;
}

void OldRuns::forget_early(std::deque<Early>::iterator entry) {
  early_bytes_ -= entry->size;
  early_.erase(entry);
}

void OldRuns::add(Run& run, const OldPart& part) {
  run.waiting.erase(part.from);
  bool truncated = false;
  const auto groups = groups_of(part.from, kSum, contributions(part));
  if (groups && merge_into(run.sum, *groups, kSum, nullptr, truncated) && !truncated) {
    run.received.push_back(part.from);
  } else {
    run.refused.push_back(part.from);
  }
}

Result<void> OldRuns::start(const std::string& session, const std::vector<Contribution>& values, Duration time,
                            Time now) {
  if (const auto checked = check(Question{session, kSum, time, false}); !checked) return checked.error();
  if (runs_.contains(session)) return Error{Errc::already_exists, "session " + session + " runs"};
  if (runs_.size() == kMaxRuns) return Error{Errc::limit_reached, "16 sessions of the older kind run already"};
  auto own = groups_of(own_, kSum, values);
  if (!own) return own.error();
  auto& run = runs_[session];
  run.until = now + time;
  run.sum = std::move(*own);
  tree_.each_child([&](const PublicKey& child) { run.waiting.insert(child); });
  for (auto entry = early_.begin(); entry != early_.end();) {
    if (entry->part.session != session || !run.waiting.contains(entry->part.from)) {
      ++entry;
      continue;
    }
    add(run, entry->part);
    const auto place = entry - early_.begin();
    forget_early(entry);
    entry = early_.begin() + place;
  }
  finish_if_ready(session, now);
  return {};
}

void OldRuns::finish_if_ready(const std::string& session, Time now) {
  const auto found = runs_.find(session);
  if (found == runs_.end() || (!found->second.waiting.empty() && now < found->second.until)) return;
  auto& run = found->second;
  OldFinished finished;
  finished.session = session;
  finished.is_root = tree_.is_root();
  for (const auto& aggregate : aggregates(run.sum, kSum)) finished.data.emplace_back(aggregate.group, aggregate.value);
  finished.received_from = std::move(run.received);
  std::ranges::sort(finished.received_from);
  finished.missing = std::move(run.refused);
  finished.missing.insert(finished.missing.end(), run.waiting.begin(), run.waiting.end());
  std::ranges::sort(finished.missing);
  if (!finished.is_root) outputs_.emplace_back(OldSend{tree_.parent(), encode(OldPart{session, own_, finished.data})});
  outputs_.emplace_back(std::move(finished));
  runs_.erase(found);
}

void OldRuns::on_tick(Time now) {
  while (!early_.empty() && early_.front().until <= now) forget_early(early_.begin());
  std::vector<std::string> over;
  for (const auto& [session, run] : runs_) {
    if (run.until <= now) over.push_back(session);
  }
  for (const auto& session : over) finish_if_ready(session, now);
}

std::optional<OldOutput> OldRuns::poll_output() {
  if (outputs_.empty()) return std::nullopt;
  std::optional<OldOutput> first{std::move(outputs_.front())};
  outputs_.pop_front();
  return first;
}

std::optional<Time> OldRuns::next_tick() const {
  std::optional<Time> next;
  if (!early_.empty()) next = early_.front().until;
  for (const auto& [session, run] : runs_) next = std::min(next.value_or(Time::max()), run.until);
  return next;
}

}  // namespace axl::convergecast
