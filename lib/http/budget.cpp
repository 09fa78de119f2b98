#include "http/budget.hpp"

#include "core/expect.hpp"

namespace axl::http {

bool ByteBudget::take(std::size_t bytes, bool trusted) noexcept {
  if (bytes > limit_ - used_) return false;
  if (!trusted) {
    if (bytes > limit_ - reserved_ - used_by_strangers_) return false;
    used_by_strangers_ += bytes;
  }
  used_ += bytes;
  return true;
}

void ByteBudget::give_back(std::size_t bytes, bool trusted) noexcept {
  AXL_EXPECT_OR(bytes <= used_ && (trusted || bytes <= used_by_strangers_), return );
  used_ -= bytes;
  if (!trusted) used_by_strangers_ -= bytes;
}

bool BudgetShare::take(std::size_t bytes) noexcept {
  if (bytes > limit_ - used_ || !whole_->take(bytes, trusted_)) return false;
  used_ += bytes;
  return true;
}

void BudgetShare::give_back(std::size_t bytes) noexcept {
  AXL_EXPECT_OR(bytes <= used_, bytes = used_);
  used_ -= bytes;
  whole_->give_back(bytes, trusted_);
}

}  // namespace axl::http
