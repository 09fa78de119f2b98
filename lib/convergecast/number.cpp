#include <axl/aggregation.hpp>
#include <cmath>

namespace axl {

namespace {
constexpr double kTwoTo63 = 9'223'372'036'854'775'808.0;

// `real` is not a whole number of 64 bits, so they are never equal.
std::strong_ordering compare(std::int64_t integer, double real) noexcept {
  if (real >= kTwoTo63) return std::strong_ordering::less;
  if (real < -kTwoTo63) return std::strong_ordering::greater;
  return integer <= static_cast<std::int64_t>(std::floor(real)) ? std::strong_ordering::less
                                                                : std::strong_ordering::greater;
}
}  // namespace

Result<Number> Number::from_double(double value) {
  if (!std::isfinite(value)) return Error{Errc::invalid_argument, "a number that is infinite or none"};
  if (value >= -kTwoTo63 && value < kTwoTo63 && std::trunc(value) == value) {
    return Number{static_cast<std::int64_t>(value)};
  }
  Number number;
  number.is_integer_ = false;
  number.real_ = value;
  return number;
}

double Number::to_double() const noexcept { return is_integer_ ? static_cast<double>(integer_) : real_; }

std::strong_ordering operator<=>(const Number& a, const Number& b) noexcept {
  if (a.is_integer_ && b.is_integer_) return a.integer_ <=> b.integer_;
  if (a.is_integer_) return compare(a.integer_, b.real_);
  if (b.is_integer_) return 0 <=> compare(b.integer_, a.real_);
  return std::strong_order(a.real_, b.real_);
}

}  // namespace axl
