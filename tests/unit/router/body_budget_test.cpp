#include "router/body_budget.hpp"

#include <catch2/catch_test_macros.hpp>

#include "peers.hpp"

using axl::router::BodyBudget;
using axl::test::peer;

TEST_CASE("body budget: a peer's share stops its younger bodies, not its oldest", "[router]") {
  BodyBudget budget{400};
  const auto oldest = budget.begin(peer(1));
  const auto younger = budget.begin(peer(1));
  CHECK(budget.grow(younger, 100));
  CHECK_FALSE(budget.grow(younger, 1));
  CHECK(budget.grow(oldest, 50));
  CHECK_FALSE(budget.poll_ready());
  budget.end(oldest);
  REQUIRE(budget.poll_ready() == younger);
  CHECK(budget.grow(younger, 1));
  CHECK(budget.used() == 101);
  budget.end(younger);
  CHECK(budget.used() == 0);
  CHECK(budget.bodies() == 0);
}

TEST_CASE("body budget: when all is taken only the oldest body of all goes on", "[router]") {
  BodyBudget budget{400};
  const auto first = budget.begin(peer(1));
  CHECK(budget.grow(first, 100));
  for (unsigned char from = 2; from <= 4; ++from) CHECK(budget.grow(budget.begin(peer(from)), 100));
  const auto late = budget.begin(peer(5));
  CHECK_FALSE(budget.grow(late, 1));
  CHECK(budget.grow(first, 1));
  budget.end(first);
  CHECK(budget.has_ready());
  CHECK(budget.poll_ready() == late);
}

TEST_CASE("body budget: a body given up while waiting is not named any more", "[router]") {
  BodyBudget budget{4};
  const auto first = budget.begin(peer(1));
  CHECK(budget.grow(first, 1));
  const auto second = budget.begin(peer(1));
  CHECK_FALSE(budget.grow(second, 1));
  budget.end(second);
  budget.end(first);
  CHECK_FALSE(budget.poll_ready());
  CHECK_FALSE(budget.has_ready());
}

TEST_CASE("body budget: strangers leave half to favoured peers", "[router]") {
  BodyBudget budget{400};
  budget.favour(peer(9));
  CHECK(budget.grow(budget.begin(peer(1)), 100));
  CHECK(budget.grow(budget.begin(peer(2)), 100));
  CHECK_FALSE(budget.grow(budget.begin(peer(3)), 1));
  CHECK(budget.grow(budget.begin(peer(9)), 100));
}
