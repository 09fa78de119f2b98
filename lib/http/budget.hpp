// Bounds the bytes of request bodies that are under way, over all connections together.
//
// Bytes count as they arrive, not as a length announces them. Part of the whole can be kept for trusted clients, and
// one client's share can be bounded, so that neither a crowd of strangers nor one client takes everything.
#pragma once

#include <cstddef>

namespace axl::http {

class ByteBudget {
 public:
  /// `reserved` of the `limit` bytes are for trusted takers only.
  explicit ByteBudget(std::size_t limit, std::size_t reserved = 0) noexcept
      : limit_{limit}, reserved_{reserved < limit ? reserved : limit} {}
  ByteBudget(const ByteBudget&) = delete;
  ByteBudget& operator=(const ByteBudget&) = delete;

  /// All of `bytes` or nothing.
  [[nodiscard]] bool take(std::size_t bytes, bool trusted) noexcept;
  void give_back(std::size_t bytes, bool trusted) noexcept;
  [[nodiscard]] std::size_t used() const noexcept { return used_; }

 private:
  std::size_t limit_;
  std::size_t reserved_;
  std::size_t used_ = 0;
  std::size_t used_by_strangers_ = 0;
};

/// One client's part of a budget; the budget must live longer.
class BudgetShare {
 public:
  BudgetShare(ByteBudget& whole, std::size_t limit, bool trusted) noexcept
      : whole_{&whole}, limit_{limit}, trusted_{trusted} {}
  BudgetShare(const BudgetShare&) = delete;
  BudgetShare& operator=(const BudgetShare&) = delete;
  ~BudgetShare() { whole_->give_back(used_, trusted_); }

  [[nodiscard]] bool take(std::size_t bytes) noexcept;
  void give_back(std::size_t bytes) noexcept;
  [[nodiscard]] std::size_t used() const noexcept { return used_; }

 private:
  ByteBudget* whole_;
  std::size_t limit_;
  std::size_t used_ = 0;
  bool trusted_;
};

}  // namespace axl::http
