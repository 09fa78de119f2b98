#include "router/quota.hpp"

#include <catch2/catch_test_macros.hpp>

#include "peers.hpp"

using axl::router::Quota;
using axl::router::Refusal;
using axl::test::peer;

TEST_CASE("quota: one peer gets a quarter, and the whole is never exceeded", "[router]") {
  Quota quota{100};
  CHECK_FALSE(quota.take(peer(1), 25));
  CHECK(quota.take(peer(1), 1) == Refusal::peer_share);
  CHECK_FALSE(quota.take(peer(2), 25));
  CHECK_FALSE(quota.take(peer(3), 25));
  CHECK_FALSE(quota.take(peer(4), 25));
  CHECK(quota.take(peer(5), 1) == Refusal::full);
  quota.give_back(peer(1), 25);
  CHECK(quota.used() == 75);
  CHECK_FALSE(quota.take(peer(5), 1));
}

TEST_CASE("quota: strangers share half once somebody is favoured", "[router]") {
  Quota quota{100};
  CHECK_FALSE(quota.take(peer(1), 25));
  CHECK_FALSE(quota.take(peer(2), 25));
  CHECK_FALSE(quota.take(peer(3), 1));
  quota.favour(peer(9));
  CHECK(quota.take(peer(4), 1) == Refusal::full);
  CHECK_FALSE(quota.take(peer(9), 25));
  SECTION("a stranger who becomes favoured gives strangers their room back") {
    quota.favour(peer(1));
    CHECK_FALSE(quota.take(peer(4), 24));
    CHECK(quota.take(peer(4), 1) == Refusal::full);
    quota.give_back(peer(1), 25);
    CHECK(quota.used_by(peer(1)) == 0);
  }
}

TEST_CASE("quota: amounts near the top of the range do not wrap", "[router]") {
  Quota quota{100, 10};
  CHECK(quota.take(peer(1), static_cast<std::size_t>(-1)) == Refusal::full);
  CHECK_FALSE(quota.take(peer(1), 35));
  CHECK(quota.take(peer(1), static_cast<std::size_t>(-1)) == Refusal::full);
}

TEST_CASE("quota: a very small total still lets one peer have one", "[router]") {
  Quota quota{1};
  CHECK_FALSE(quota.take(peer(1), 1));
  CHECK(quota.take(peer(2), 1) == Refusal::full);
}
