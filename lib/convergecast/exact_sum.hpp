// The exact sum of any numbers: whole ones of 64 bits and doubles, mixed as they come.
//
// Adding doubles one after another rounds each time, so the result depends on the order, and in a tree the order
// depends on who answers first. This keeps all bits: a sign and a magnitude in units of 2^-1088, only as many 32-bit
// limbs of it as the values reach. Sums merge in any order to the same bits, and are rounded once, when they are read.
#pragma once

#include <axl/aggregation.hpp>
#include <cstdint>
#include <optional>
#include <vector>

namespace axl::convergecast {

class ExactSum {
 public:
  /// More than 2^31 times the largest double; what goes beyond is refused.
  static constexpr std::size_t kMaxLimbs = 67;

  ExactSum() = default;  ///< 0
  explicit ExactSum(const Number& value);
  /// Empty if it is not the one form that limbs() and the like give: no zero limb at either end, no negative zero.
  [[nodiscard]] static std::optional<ExactSum> from_parts(bool negative, std::size_t first,
                                                          std::vector<std::uint32_t> limbs);

  /// False, and nothing is changed, if it would become too large.
  [[nodiscard]] bool add(const ExactSum& other);

  /// A whole number if it is one of 64 bits; else the nearest double, at most the largest one.
  [[nodiscard]] Number value() const;
  /// The nearest double; a tie goes to the even one.
  [[nodiscard]] double to_double() const;
  /// The double nearest to the sum by `count`, 1 to 2^32: rounded once.
  [[nodiscard]] double mean(std::uint64_t count) const;

  [[nodiscard]] bool negative() const noexcept { return negative_; }
  [[nodiscard]] std::size_t first() const noexcept { return first_; }  ///< place of the lowest limb; 0 for zero
  [[nodiscard]] const std::vector<std::uint32_t>& limbs() const noexcept { return limbs_; }  ///< lowest first
  friend bool operator==(const ExactSum&, const ExactSum&) = default;

 private:
  void set(bool negative, std::uint64_t mantissa, std::size_t lowest_bit);
  void trim();
  [[nodiscard]] std::size_t end() const noexcept { return first_ + limbs_.size(); }
  [[nodiscard]] std::uint32_t at(std::size_t place) const noexcept {
    return place < first_ || place >= end() ? 0 : limbs_[place - first_];
  }
  [[nodiscard]] bool bit(std::size_t number) const noexcept { return (at(number / 32) >> (number % 32) & 1) != 0; }
  [[nodiscard]] int compare_magnitude(const ExactSum& other) const noexcept;
  [[nodiscard]] static std::vector<std::uint32_t> added(const ExactSum& a, const ExactSum& b, std::size_t first);
  [[nodiscard]] static std::vector<std::uint32_t> subtracted(const ExactSum& large, const ExactSum& small,
                                                             std::size_t first);

  bool negative_ = false;
  std::size_t first_ = 0;
  std::vector<std::uint32_t> limbs_;
};

}  // namespace axl::convergecast
