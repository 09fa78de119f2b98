#include "convergecast/session.hpp"

#include <algorithm>
#include <utility>

namespace axl::convergecast {

namespace {

constexpr Duration kLeastHop{std::chrono::milliseconds{20}};

// An eighth is for the way to the child and back.
Duration budget_below(Duration budget) {
  const auto rest = budget - std::max(budget / 8, kLeastHop);
  return rest < kLeastHop ? Duration::zero() : rest;
}

}  // namespace

Session::Session(Question question, const PublicKey& own, const PublicKey& parent, Duration budget, bool slow, Time now)
    : question_{std::move(question)},
      own_{own},
      parent_{parent},
      accepted_{now},
      deadline_{now + budget},
      child_budget_{budget_below(budget)},
      collect_until_{slow ? deadline_ - (budget - child_budget_) / 2 : deadline_} {}

bool Session::waits_for(const PublicKey& child) const {
  const auto found = children_.find(child);
  return !done_ && found != children_.end() && found->second.state == State::waiting;
}

bool Session::waiting_for_none() const {
  return std::ranges::none_of(children_, [](const auto& child) { return child.second.state == State::waiting; });
}

std::vector<PublicKey> Session::waited_for() const {
  std::vector<PublicKey> keys;
  for (const auto& [key, child] : children_) {
    if (!done_ && child.state == State::waiting) keys.push_back(key);
  }
  return keys;
}

std::vector<PublicKey> Session::asked() const {
  std::vector<PublicKey> keys;
  for (const auto& [key, child] : children_) keys.push_back(key);
  return keys;
}

void Session::set_missing(const PublicKey& key, Child& child) {
  child.state = State::missing;
  marks_.add_missing(key);
}

bool Session::merge(const Marks& marks, const Groups& groups, const Merge* merge) {
  if (marks.contributed > kMaxNodes - marks_.contributed) return false;
  auto merged = groups_;
  bool truncated = false;
  if (!merge_into(merged, groups, question_.operation, merge, truncated)) return false;
  if (encode_groups(merged, question_.operation).size() > kMaxGroupsSize) return false;
  groups_ = std::move(merged);
  marks_.add(marks);
  marks_.truncated = marks_.truncated || truncated;
  return true;
}

bool Session::on_part(const PublicKey& key, const Marks& marks, Groups groups, const Merge* with, std::size_t room) {
  auto& child = children_.at(key);
  if (question_.operation.kind == Operation::Kind::custom) {
    const auto size = encode_groups(groups, question_.operation).size();
    if (size > room) {
      set_missing(key, child);
      return false;
    }
    held_ += size;
    child.held = std::move(groups);
    child.marks = marks;
  } else if (!merge(marks, groups, with)) {
    set_missing(key, child);
    return false;
  }
  child.state = State::answered;
  return true;
}

void Session::on_decline(const PublicKey& key, Reason reason) {
  auto& child = children_.at(key);
  if (reason == Reason::taken) {
    child.state = State::elsewhere;
  } else {
    set_missing(key, child);
  }
}

void Session::contribute(Groups groups) {
  own_done_ = true;
  Marks marks;
  (groups.empty() ? marks.abstained : marks.contributed) = 1;
  if (question_.operation.kind == Operation::Kind::custom) {
    own_groups_ = std::move(groups);
    marks_.add(marks);
  } else if (!merge(marks, groups, nullptr)) {
    marks_.add_missing(own_);
  }
}

void Session::stop_collecting() {
  if (std::exchange(collected_, true)) return;
  if (!std::exchange(own_done_, true)) marks_.add_missing(own_);
  if (own_groups_) groups_ = std::move(*own_groups_);
  own_groups_.reset();
  for (auto& [key, child] : children_) {
    if (child.state == State::waiting) set_missing(key, child);
  }
}

// A child goes in as a whole or not at all: each time from the start, with what has been merged so far.
std::optional<Session::Pair> Session::fold() {
  for (auto& [key, child] : children_) {
    if (!child.held) continue;
    std::size_t next = 0;
    std::optional<Pair> wanted;
    const Merge again = [&](ByteSpan first, ByteSpan second) -> std::optional<Bytes> {
      if (next < merged_.size()) return merged_[next++];
      wanted = Pair{to_bytes(first), to_bytes(second)};
      return std::nullopt;
    };
    const bool fits = merge(child.marks, *child.held, &again);
    if (wanted) return wanted;
    if (!fits) set_missing(key, child);
    child.held.reset();
    merged_.clear();
    merged_bytes_ = 0;
  }
  return std::nullopt;
}

void Session::on_merged(std::optional<Bytes> merged) {
  if (merged) merged_bytes_ += merged->size();
  if (merged_bytes_ > kMaxGroupsSize) merged.reset();
  merged_.push_back(std::move(merged));
}

void Session::finish(bool settling, const Merge* with) {
  stop_collecting();
  for (auto& [key, child] : children_) {
    if (child.held && !merge(child.marks, *child.held, with)) set_missing(key, child);
    child.held.reset();
  }
  held_ = 0;
  merged_.clear();
  marks_.settling = marks_.settling || settling;
  done_ = true;
}

}  // namespace axl::convergecast
