// Which key of a table is due next. A deadline that moves away is not moved here: the table looks again when the old
// one comes, so that what happens per packet costs nothing.
#pragma once

#include <axl/key.hpp>
#include <axl/time.hpp>
#include <optional>
#include <set>
#include <utility>

namespace axl::overlay {

class DueQueue {
 public:
  void add(Time due, const PublicKey& key) { set_.emplace(due, key); }
  void remove(Time due, const PublicKey& key) { set_.erase({due, key}); }
  [[nodiscard]] std::optional<std::pair<Time, PublicKey>> first() const {
    if (set_.empty()) return std::nullopt;
    return *set_.begin();
  }
  [[nodiscard]] const std::set<std::pair<Time, PublicKey>>& in_order() const noexcept { return set_; }

 private:
  std::set<std::pair<Time, PublicKey>> set_;
};

}  // namespace axl::overlay
