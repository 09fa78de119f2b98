#include "core/ring.hpp"

#include <catch2/catch_test_macros.hpp>
#include <deque>
#include <memory>
#include <random>

using axl::Ring;

TEST_CASE("ring: does what a deque does", "[core]") {
  std::mt19937 random{1};
  Ring<std::unique_ptr<int>> ring;
  std::deque<int> expected;
  for (int i = 0; i < 100'000; ++i) {
    // Grows for a while, then shrinks.
    const bool grow = random() % 16 < (i / 500 % 2 == 0 ? 10U : 6U);
    if (grow && random() % 4 == 0) {
      ring.push_front(std::make_unique<int>(i));
      expected.push_front(i);
    } else if (grow) {
      ring.push_back(std::make_unique<int>(i));
      expected.push_back(i);
    } else if (!expected.empty()) {
      ring.pop_front();
      expected.pop_front();
    }
    REQUIRE(ring.size() == expected.size());
    REQUIRE(ring.empty() == expected.empty());
    if (expected.empty()) continue;
    REQUIRE(*ring.front() == expected.front());
    REQUIRE(*ring.back() == expected.back());
    const auto index = random() % expected.size();
    REQUIRE(*ring[index] == expected[index]);
  }
}

TEST_CASE("ring: what leaves it is let go at once", "[core]") {
  const auto element = std::make_shared<int>(1);
  Ring<std::shared_ptr<int>> ring;
  for (int i = 0; i < 3; ++i) ring.push_back(element);
  CHECK(element.use_count() == 4);
  ring.pop_front();
  CHECK(element.use_count() == 3);
  ring.clear();
  CHECK(ring.empty());
  CHECK(element.use_count() == 1);
}

TEST_CASE("ring: moved, the elements go along and an empty queue stays", "[core]") {
  Ring<int> from;
  for (int i = 0; i < 10; ++i) from.push_back(i);
  auto to = std::move(from);
  CHECK(to.size() == 10);
  CHECK(to.back() == 9);
  CHECK(from.empty());  // NOLINT: that is what is looked at
  from.push_back(5);
  from = std::move(to);
  CHECK(from.size() == 10);
  CHECK(from.front() == 0);
}
