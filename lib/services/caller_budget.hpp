// The bytes that gathered request bodies may take, over all handlers together, and each caller's quarter of them.
#pragma once

#include <axl/key.hpp>
#include <cstddef>
#include <memory>
#include <unordered_map>

#include "http/budget.hpp"

namespace axl::services {

class CallerBudget {
 public:
  explicit CallerBudget(std::size_t total) : whole_{total}, share_{total / 4} {}
  CallerBudget(const CallerBudget&) = delete;
  CallerBudget& operator=(const CallerBudget&) = delete;

  /// One caller's share; all of a caller's bodies under way use the same one.
  [[nodiscard]] std::shared_ptr<http::BudgetShare> share_of(const PublicKey& caller) {
    auto& known = shares_[caller];
    if (auto share = known.lock()) return share;
    auto share = std::make_shared<http::BudgetShare>(whole_, share_, true);
    known = share;
    if (shares_.size() > 2 * kept_ + 64) {
      std::erase_if(shares_, [](const auto& item) { return item.second.expired(); });
      kept_ = shares_.size();
    }
    return share;
  }
  [[nodiscard]] std::size_t used() const noexcept { return whole_.used(); }

 private:
  http::ByteBudget whole_;
  std::size_t share_;
  std::unordered_map<PublicKey, std::weak_ptr<http::BudgetShare>> shares_;
  std::size_t kept_ = 0;  // how many were in use when the list was last tidied
};

}  // namespace axl::services
