// The bytes that gathered request bodies may take, over all handlers together, and each caller's quarter of them.
#pragma once

#include <axl/key.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include "http/budget.hpp"

namespace axl::services {

/// Bytes of a caller's share, until the end of this object.
class HeldBytes {
 public:
  HeldBytes() = default;
  HeldBytes(std::shared_ptr<http::BudgetShare> share, std::size_t bytes) noexcept
      : share_{std::move(share)}, bytes_{bytes} {}
  HeldBytes(HeldBytes&& other) noexcept = default;
  HeldBytes& operator=(HeldBytes&& other) noexcept {
    std::swap(share_, other.share_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  HeldBytes(const HeldBytes&) = delete;
  HeldBytes& operator=(const HeldBytes&) = delete;
  ~HeldBytes() {
    if (share_) share_->give_back(bytes_);
  }

 private:
  std::shared_ptr<http::BudgetShare> share_;  // empty: none are held
  std::size_t bytes_ = 0;
};

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
  /// Empty: there is no room for them.
  [[nodiscard]] std::optional<HeldBytes> hold(const PublicKey& caller, std::size_t bytes) {
    auto share = share_of(caller);
    if (!share->take(bytes)) return {};
    return HeldBytes{std::move(share), bytes};
  }
  [[nodiscard]] std::size_t used() const noexcept { return whole_.used(); }

 private:
  http::ByteBudget whole_;
  std::size_t share_;
  std::unordered_map<PublicKey, std::weak_ptr<http::BudgetShare>> shares_;
  std::size_t kept_ = 0;  // how many were in use when the list was last tidied
};

}  // namespace axl::services
