// What a node knows of the tree: its parent, its children, and since when.
//
// Also how much each child may ask: a branch asks through its top node, which gets so much whatever lies below. A
// question costs what it takes, the time for which nodes remember it. Who has used up half of what is allowed at once
// is refused by chance, the more the more is used: so one who floods does not take every place that becomes free from
// those who ask through the same branch.
#pragma once

#include <axl/key.hpp>
#include <axl/random.hpp>
#include <axl/time.hpp>
#include <map>
#include <span>

namespace axl::convergecast {

class TreeView {
 public:
  static constexpr int kQuestions = 100;                          ///< of a child that are remembered, on average
  static constexpr Duration kAtOnce{std::chrono::seconds{4}};     ///< that average for so long, after a rest
  static constexpr Duration kLeastCost{std::chrono::seconds{1}};  ///< a question's time counts as this at least

  TreeView(const PublicKey& own, Time now) : own_{own}, parent_{own}, changed_at_{now} {}

  /// `parent` is our own key at the root. The order of children does not matter.
  void update(const PublicKey& parent, std::span<const PublicKey> children, Time now);

  [[nodiscard]] bool is_root() const noexcept { return parent_ == own_; }
  [[nodiscard]] const PublicKey& parent() const noexcept { return parent_; }
  [[nodiscard]] bool is_child(const PublicKey& key) const { return children_.contains(key); }
  /// By key.
  template <class Function>
  void each_child(Function function) const {
    for (const auto& [key, child] : children_) function(key);
  }
  /// When we last got or lost a child, or became root or ceased to be it.
  [[nodiscard]] Time changed_at() const noexcept { return changed_at_; }

  /// Whether this child may ask now, for so long; counts it.
  [[nodiscard]] bool take_ask(const PublicKey& child, Duration time, Rng& rng, Time now);

 private:
  struct Child {
    Time paid_until{};  // asks so far, at the average rate
  };
  PublicKey own_;
  PublicKey parent_;
  std::map<PublicKey, Child> children_;
  Time changed_at_;
};

}  // namespace axl::convergecast
