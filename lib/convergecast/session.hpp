// One aggregation as one node sees it: whom it has asked, what has come, and what it says in the end.
//
// A child is in the account at most once: with the one part that comes while we wait for it, or as missing. Those who
// answered another parent are neither. What comes when we no longer wait is late, and for nothing.
//
// Built-in operations are merged as parts come. Parts of custom ones are kept, to be merged in the order of keys: at
// once, or two values at a time by somebody who takes a while (fold()), for which half of what children do not get of
// the budget is kept.
#pragma once

#include <axl/time.hpp>
#include <map>
#include <optional>
#include <vector>

#include "convergecast/codec.hpp"

namespace axl::convergecast {

/// What may have been lost is said again after a quarter of its time, but not sooner than after 250 ms.
[[nodiscard]] constexpr Duration repeat_interval(Duration time) noexcept {
  constexpr Duration kLeast{std::chrono::milliseconds{250}};
  return time / 4 < kLeast ? kLeast : time / 4;
}

class Session {
 public:
  /// `parent` is our own key at the root. `budget`: for us to answer. `slow`: values are merged by fold().
  Session(Question question, const PublicKey& own, const PublicKey& parent, Duration budget, bool slow, Time now);

  [[nodiscard]] const Question& question() const noexcept { return question_; }
  [[nodiscard]] const PublicKey& parent() const noexcept { return parent_; }
  [[nodiscard]] bool at_root() const noexcept { return parent_ == own_; }
  [[nodiscard]] Time accepted() const noexcept { return accepted_; }
  [[nodiscard]] Time deadline() const noexcept { return deadline_; }
  /// No part is waited for any longer.
  [[nodiscard]] Time collect_until() const noexcept { return collect_until_; }
  /// Nobody counts parts of this session after it.
  [[nodiscard]] Time forget_at() const noexcept { return accepted_ + question_.time; }

  /// What a child gets of our budget: less, so that we hear from it before our own parent gives up. Zero: too little to
  /// ask at all.
  [[nodiscard]] Duration child_budget() const noexcept { return child_budget_; }
  /// When to ask again who has not answered: the deadline, when there will be nothing left for it.
  [[nodiscard]] Time next_resend(Time now) const noexcept {
    const auto next = now + repeat_interval(child_budget_);
    return collected_ || children_.empty() || next >= accepted_ + child_budget_ ? deadline_ : next;
  }
  void expect(const PublicKey& child) { children_.try_emplace(child); }
  void miss(const PublicKey& child) { marks_.add_missing(child); }
  [[nodiscard]] bool waits_for(const PublicKey& child) const;
  [[nodiscard]] std::vector<PublicKey> waited_for() const;
  [[nodiscard]] std::vector<PublicKey> asked() const;

  /// From a child that we wait for. False: it does not go together with the rest, and is missing.
  bool on_part(const PublicKey& child, const Marks& marks, Groups groups, const Merge* merge, std::size_t room);
  void on_decline(const PublicKey& child, Reason reason);
  [[nodiscard]] bool wants_own() const noexcept { return !own_done_ && !done_; }
  /// Our own values; none means that we abstain.
  void contribute(Groups groups);

  /// Everybody has answered.
  [[nodiscard]] bool ready() const noexcept { return own_done_ && waiting_for_none(); }
  /// Who has not answered is missing.
  void stop_collecting();
  [[nodiscard]] bool collected() const noexcept { return collected_; }
  struct Pair {
    Bytes first;
    Bytes second;
  };
  /// After stop_collecting(): merges what can be. Empty: all is; else the next two that are to be merged elsewhere.
  [[nodiscard]] std::optional<Pair> fold();
  /// What has come of the two; empty: they do not go together, and the child is missing.
  void on_merged(std::optional<Bytes> merged);
  /// Closes the account: who has not answered is missing, and whose values are not merged yet.
  void finish(bool settling, const Merge* merge);
  [[nodiscard]] bool done() const noexcept { return done_; }

  [[nodiscard]] const Marks& marks() const noexcept { return marks_; }
  [[nodiscard]] const Groups& groups() const noexcept { return groups_; }
  void drop_groups() { groups_.clear(); }
  /// Bytes of parts that wait for finish().
  [[nodiscard]] std::size_t held() const noexcept { return held_; }

  Time resend_at{};           ///< next_resend() as it was
  Time due{};                 ///< when the engine looks at it
  std::optional<Bytes> kept;  ///< what we said: the groups at the root, else the part's body
  bool told = false;          ///< the result has been passed on

 private:
  enum class State : std::uint8_t { waiting, answered, missing, elsewhere };
  struct Child {
    State state = State::waiting;
    std::optional<Groups> held;
    Marks marks;
  };

  [[nodiscard]] bool waiting_for_none() const;
  bool merge(const Marks& marks, const Groups& groups, const Merge* merge);
  void set_missing(const PublicKey& key, Child& child);

  Question question_;
  PublicKey own_;
  PublicKey parent_;
  Time accepted_;
  Time deadline_;
  Duration child_budget_;
  Time collect_until_;
  std::map<PublicKey, Child> children_;
  std::optional<Groups> own_groups_;  // of a custom operation
  Marks marks_;
  Groups groups_;
  std::size_t held_ = 0;
  std::vector<std::optional<Bytes>> merged_;  // of the child that is being folded in, in the order of its groups
  std::size_t merged_bytes_ = 0;
  bool collected_ = false;
  bool own_done_ = false;
  bool done_ = false;
};

}  // namespace axl::convergecast
