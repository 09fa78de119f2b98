#include "convergecast/exact_sum.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace axl::convergecast {

namespace {
constexpr std::size_t kUnitBit = 1088;                  // the bit that is worth 1
constexpr std::size_t kUnitLimb = kUnitBit / 32;        // and its limb
constexpr std::size_t kLowestBit = kUnitBit - 1074;     // of any double
constexpr int kMantissaBits = 53;
}  // namespace

ExactSum::ExactSum(const Number& value) {
  if (value.is_integer()) {
    const auto integer = value.integer();
    const auto bits = static_cast<std::uint64_t>(integer);
    set(integer < 0, integer < 0 ? 0 - bits : bits, kUnitBit);
    return;
  }
  int exponent = 0;
  const auto fraction = std::frexp(std::fabs(value.to_double()), &exponent);  // in [0.5, 1)
  auto mantissa = static_cast<std::uint64_t>(std::ldexp(fraction, kMantissaBits));
  auto lowest = static_cast<int>(kUnitBit) + exponent - kMantissaBits;
  if (lowest < static_cast<int>(kLowestBit)) {  // a subnormal, whose low mantissa bits are zero
    mantissa >>= static_cast<int>(kLowestBit) - lowest;
    lowest = static_cast<int>(kLowestBit);
  }
  set(value.to_double() < 0, mantissa, static_cast<std::size_t>(lowest));
}

void ExactSum::set(bool negative, std::uint64_t mantissa, std::size_t lowest_bit) {
  const auto shift = lowest_bit % 32;
  const auto low = mantissa << shift;
  const auto high = shift == 0 ? 0 : mantissa >> (64 - shift);
  negative_ = negative;
  first_ = lowest_bit / 32;
  limbs_ = {static_cast<std::uint32_t>(low), static_cast<std::uint32_t>(low >> 32), static_cast<std::uint32_t>(high)};
  trim();
}

std::optional<ExactSum> ExactSum::from_parts(bool negative, std::size_t first, std::vector<std::uint32_t> limbs) {
  ExactSum sum;
  if (limbs.empty()) {
    if (negative || first != 0) return std::nullopt;
    return sum;
  }
  if (first >= kMaxLimbs || limbs.size() > kMaxLimbs - first || limbs.front() == 0 || limbs.back() == 0) {
    return std::nullopt;
  }
  if (first == 0 && (limbs.front() & ((1u << kLowestBit) - 1)) != 0) return std::nullopt;  // no double reaches there
  sum.negative_ = negative;
  sum.first_ = first;
  sum.limbs_ = std::move(limbs);
  return sum;
}

void ExactSum::trim() {
  while (!limbs_.empty() && limbs_.back() == 0) limbs_.pop_back();
  const auto lowest = std::ranges::find_if(limbs_, [](std::uint32_t limb) { return limb != 0; });
  first_ += static_cast<std::size_t>(lowest - limbs_.begin());
  limbs_.erase(limbs_.begin(), lowest);
  if (limbs_.empty()) {
    negative_ = false;
    first_ = 0;
  }
}

int ExactSum::compare_magnitude(const ExactSum& other) const noexcept {
  for (auto place = std::max(end(), other.end()); place-- > 0;) {
    if (at(place) != other.at(place)) return at(place) < other.at(place) ? -1 : 1;
  }
  return 0;
}

std::vector<std::uint32_t> ExactSum::added(const ExactSum& a, const ExactSum& b, std::size_t first) {
  std::vector<std::uint32_t> limbs;
  std::uint64_t carry = 0;
  for (auto place = first; place < std::max(a.end(), b.end()); ++place) {
    carry += std::uint64_t{a.at(place)} + b.at(place);
    limbs.push_back(static_cast<std::uint32_t>(carry));
    carry >>= 32;
  }
  limbs.push_back(static_cast<std::uint32_t>(carry));
  return limbs;
}

std::vector<std::uint32_t> ExactSum::subtracted(const ExactSum& large, const ExactSum& small, std::size_t first) {
  std::vector<std::uint32_t> limbs;
  std::uint64_t borrow = 0;
  for (auto place = first; place < large.end(); ++place) {
    const auto difference = std::uint64_t{large.at(place)} - small.at(place) - borrow;
    limbs.push_back(static_cast<std::uint32_t>(difference));
    borrow = difference >> 63;
  }
  return limbs;
}

bool ExactSum::add(const ExactSum& other) {
  if (other.limbs_.empty()) return true;
  if (limbs_.empty()) {
    *this = other;
    return true;
  }
  ExactSum sum;
  sum.first_ = std::min(first_, other.first_);
  if (negative_ == other.negative_) {
    sum.negative_ = negative_;
    sum.limbs_ = added(*this, other, sum.first_);
  } else {
    const bool ours_is_larger = compare_magnitude(other) >= 0;
    sum.negative_ = ours_is_larger ? negative_ : other.negative_;
    sum.limbs_ = ours_is_larger ? subtracted(*this, other, sum.first_) : subtracted(other, *this, sum.first_);
  }
  sum.trim();
  if (sum.end() > kMaxLimbs) return false;
  *this = std::move(sum);
  return true;
}

double ExactSum::to_double() const {
  if (limbs_.empty()) return 0;
  const auto highest = end() * 32 - 1 - static_cast<std::size_t>(std::countl_zero(limbs_.back()));
  // The lowest bit that the double has room for; below it one bit to round by, and whether anything else is there.
  const auto lowest = std::max(highest + 1, kLowestBit + kMantissaBits) - kMantissaBits;
  std::uint64_t mantissa = 0;
  for (auto number = highest + 1; number-- > lowest;) mantissa = mantissa << 1 | (bit(number) ? 1 : 0);
  if (lowest > 0 && bit(lowest - 1)) {
    bool more = false;
    for (auto number = first_ * 32; !more && number + 1 < lowest; ++number) more = bit(number);
    if (more || (mantissa & 1) != 0) ++mantissa;
  }
  const auto size = std::ldexp(static_cast<double>(mantissa), static_cast<int>(lowest) - static_cast<int>(kUnitBit));
  const auto finite = std::min(size, std::numeric_limits<double>::max());
  return negative_ ? -finite : finite;
}

double ExactSum::mean(std::uint64_t count) const {
  // Long division, to 64 bits and more below the highest one of the quotient; what remains is told by the last bit,
  // which is below what a double has room for.
  ExactSum quotient;
  quotient.negative_ = negative_;
  quotient.first_ = first_ - std::min<std::size_t>(first_, 3);
  quotient.limbs_.resize(end() - quotient.first_);
  std::uint64_t rest = 0;
  for (auto place = end(); place-- > quotient.first_;) {
    rest = rest << 32 | at(place);
    quotient.limbs_[place - quotient.first_] = static_cast<std::uint32_t>(rest / count);
    rest %= count;
  }
  if (rest != 0) quotient.limbs_.front() |= 1;
  quotient.trim();
  return quotient.to_double();
}

Number ExactSum::value() const {
  if (limbs_.empty()) return {};
  if (first_ >= kUnitLimb && end() <= kUnitLimb + 2) {
    const auto size = std::uint64_t{at(kUnitLimb + 1)} << 32 | at(kUnitLimb);
    const auto most = std::uint64_t{1} << 63;
    if (size < most || (size == most && negative_)) {
      return Number{static_cast<std::int64_t>(negative_ ? 0 - size : size)};
    }
  }
  return Number::from_double(to_double()).value();  // finite, always
}

}  // namespace axl::convergecast
