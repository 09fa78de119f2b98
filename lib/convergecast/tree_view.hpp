// What a node knows of the tree: its parent, its children, and since when.
//
// Also how often each child may ask: a branch asks through its top node, which gets so much whatever lies below.
#pragma once

#include <axl/key.hpp>
#include <axl/time.hpp>
#include <map>
#include <span>

namespace axl::convergecast {

class TreeView {
 public:
  static constexpr int kAsksPerSecond = 20;  ///< of a child, on average
  static constexpr int kAskBurst = 40;       ///< and at once

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

  /// Whether this child may ask now; counts it.
  [[nodiscard]] bool take_ask(const PublicKey& child, Time now);

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
