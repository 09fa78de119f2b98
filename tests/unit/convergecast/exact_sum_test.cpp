#include "convergecast/exact_sum.hpp"

#include <algorithm>
#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <random>

using namespace axl;
using convergecast::ExactSum;

namespace {

constexpr auto kLargest = std::numeric_limits<double>::max();
constexpr auto kSmallest = std::numeric_limits<double>::denorm_min();

Number real(double value) { return Number::from_double(value).value(); }

ExactSum sum_of(const std::vector<double>& values) {
  ExactSum sum;
  for (const auto value : values) REQUIRE(sum.add(ExactSum{real(value)}));
  return sum;
}

double any_double(std::mt19937_64& random) {
  while (true) {
    const auto value = std::bit_cast<double>(random());
    if (std::isfinite(value)) return value;
  }
}

}  // namespace

TEST_CASE("number: compared by value, whatever it is made of", "[convergecast]") {
  CHECK(real(3.0).is_integer());
  CHECK(real(3.0) == Number{3});
  CHECK(real(-0.0) == Number{0});
  CHECK(real(2.5) > Number{2});
  CHECK(real(2.5) < Number{3});
  CHECK(real(-2.5) > Number{-3});
  CHECK(real(-2.5) < Number{-2});
  CHECK(real(1e300) > Number{INT64_MAX});
  CHECK(real(-1e300) < Number{INT64_MIN});
  CHECK(real(9'223'372'036'854'775'808.0) > Number{INT64_MAX});  // 2^63
  CHECK(real(-9'223'372'036'854'775'808.0) == Number{INT64_MIN});
  CHECK(Number{INT64_MAX} > Number{INT64_MAX - 1});  // which doubles cannot tell apart
  CHECK(real(kSmallest) > Number{0});
  CHECK_FALSE(Number::from_double(std::numeric_limits<double>::infinity()));
  CHECK_FALSE(Number::from_double(std::numeric_limits<double>::quiet_NaN()));
}

TEST_CASE("exact sum: every double alone comes back", "[convergecast]") {
  std::mt19937_64 random{1};
  for (int i = 0; i < 20'000; ++i) {
    const auto value = any_double(random);
    CHECK(ExactSum{real(value)}.to_double() == value);
  }
  for (const auto value : {0.0, 1.0, -1.0, kLargest, -kLargest, kSmallest, -kSmallest, 2.2250738585072014e-308, 0.1}) {
    CHECK(ExactSum{real(value)}.to_double() == value);
  }
  CHECK(ExactSum{Number{INT64_MIN}}.value() == Number{INT64_MIN});
  CHECK(ExactSum{Number{INT64_MAX}}.value() == Number{INT64_MAX});
}

TEST_CASE("exact sum: the order does not matter, to the last bit", "[convergecast]") {
  std::mt19937_64 random{2};
  for (int round = 0; round < 50; ++round) {
    std::vector<double> values(100);
    for (auto& value : values) value = any_double(random) * 0x1p-20;
    const auto first = sum_of(values);
    std::ranges::shuffle(values, random);
    const auto second = sum_of(values);
    CHECK(first == second);
    // As two sub-trees would do it.
    auto left = sum_of({values.begin(), values.begin() + 37});
    REQUIRE(left.add(sum_of({values.begin() + 37, values.end()})));
    CHECK(left == first);
    // And back to nothing.
    for (const auto value : values) REQUIRE(left.add(ExactSum{real(-value)}));
    CHECK(left == ExactSum{});
  }
}

TEST_CASE("exact sum: what plain addition loses is kept, and rounded once", "[convergecast]") {
  CHECK(sum_of({1e100, 1.0, -1e100}).to_double() == 1.0);
  CHECK(sum_of({0.1, 0.2, 0.3, -0.6}).to_double() != 0.0);  // these are not tenths
  CHECK(sum_of(std::vector<double>(10, 0.1)).to_double() == 1.0);
  // Halfway goes to the even one; a little more goes up.
  CHECK(sum_of({0x1p53, 1.0}).to_double() == 0x1p53);
  CHECK(sum_of({0x1p53, 1.0, kSmallest}).to_double() == 0x1p53 + 2);
  CHECK(sum_of({0x1p53 + 2, 1.0}).to_double() == 0x1p53 + 4);
  CHECK(sum_of({0x1p53, 1.0}).value() == Number{9'007'199'254'740'993});  // exact as a whole number
  CHECK(sum_of({kSmallest, kSmallest}).to_double() == 2 * kSmallest);
  // Against wider arithmetic, where that is exact.
  std::mt19937_64 random{3};
  for (int round = 0; round < 2'000; ++round) {
    const auto a = static_cast<std::int64_t>(random());
    const auto b = static_cast<std::int64_t>(random());
    const auto wide = static_cast<long double>(a) + static_cast<long double>(b);
    auto sum = ExactSum{Number{a}};
    REQUIRE(sum.add(ExactSum{Number{b}}));
    if constexpr (std::numeric_limits<long double>::digits >= 64) {
      CHECK(sum.to_double() == static_cast<double>(wide));
    }
  }
}

TEST_CASE("exact sum: beyond the doubles it goes on, and says the largest", "[convergecast]") {
  auto sum = sum_of({kLargest, kLargest});
  CHECK(sum.to_double() == kLargest);
  REQUIRE(sum.add(ExactSum{real(-kLargest)}));
  REQUIRE(sum.add(ExactSum{real(-kLargest)}));
  CHECK(sum == ExactSum{});
  auto large = ExactSum::from_parts(false, ExactSum::kMaxLimbs - 1, {0xffffffff}).value();
  const auto before = large;
  CHECK_FALSE(large.add(before));
  CHECK(large == before);
}

TEST_CASE("exact sum: means are rounded once", "[convergecast]") {
  CHECK(sum_of({1.0, 2.0}).mean(2) == 1.5);
  CHECK(sum_of({1.0}).mean(3) == 1.0 / 3.0);
  CHECK(sum_of({-2.0}).mean(3) == -2.0 / 3.0);
  CHECK(sum_of({kLargest, kLargest, kLargest}).mean(3) == kLargest);
  CHECK(sum_of({kSmallest}).mean(2) == 0.0);
  CHECK(sum_of({kSmallest, kSmallest, kSmallest}).mean(2) == 2 * kSmallest);
  CHECK(ExactSum{}.mean(7) == 0.0);
  std::mt19937_64 random{4};
  for (int i = 0; i < 5'000; ++i) {
    const auto value = any_double(random);
    const auto count = 1 + (random() >> 32);
    CHECK(ExactSum{real(value)}.mean(count) == value / static_cast<double>(count));  // one division rounds once too
  }
}

TEST_CASE("exact sum: only the one form of a sum is read", "[convergecast]") {
  CHECK(ExactSum::from_parts(false, 0, {}));
  CHECK_FALSE(ExactSum::from_parts(true, 0, {}));
  CHECK_FALSE(ExactSum::from_parts(false, 3, {}));
  CHECK_FALSE(ExactSum::from_parts(false, 3, {0, 1}));
  CHECK_FALSE(ExactSum::from_parts(false, 3, {1, 0}));
  CHECK_FALSE(ExactSum::from_parts(false, ExactSum::kMaxLimbs, {1}));
  CHECK_FALSE(ExactSum::from_parts(false, ExactSum::kMaxLimbs - 1, {1, 1}));
  CHECK_FALSE(ExactSum::from_parts(false, 0, {1}));  // below the lowest bit of any double
  CHECK(ExactSum::from_parts(false, 0, {1u << 14})->to_double() == kSmallest);
}
