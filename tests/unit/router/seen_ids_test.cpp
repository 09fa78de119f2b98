#include "router/seen_ids.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "crypto/hash.hpp"
#include "peers.hpp"

using namespace std::chrono_literals;
using axl::as_bytes;
using axl::router::SeenIds;
using axl::test::peer;
using Seen = SeenIds::Seen;

namespace {
constexpr axl::Time t0{};
}

TEST_CASE("seen ids: the same id is known by its body, per sender", "[router]") {
  axl::crypto::SeededRng rng{1};
  SeenIds seen{rng};
  CHECK(seen.look_up(peer(1), "id", as_bytes("body"), t0) == Seen::no);
  seen.remember(peer(1), "id", as_bytes("body"), t0);
  CHECK(seen.look_up(peer(1), "id", as_bytes("body"), t0 + 1s) == Seen::same_body);
  CHECK(seen.look_up(peer(1), "id", as_bytes("Body"), t0 + 1s) == Seen::other_body);
  CHECK(seen.look_up(peer(1), "id", {}, t0 + 1s) == Seen::other_body);
  CHECK(seen.look_up(peer(2), "id", as_bytes("body"), t0 + 1s) == Seen::no);
  CHECK(seen.look_up(peer(1), "ID", as_bytes("body"), t0 + 1s) == Seen::no);
}

TEST_CASE("seen ids: an id is forgotten after ten minutes, counted from the first time", "[router]") {
  axl::crypto::SeededRng rng{1};
  SeenIds seen{rng};
  seen.remember(peer(1), "id", as_bytes("body"), t0);
  seen.remember(peer(1), "id", as_bytes("body"), t0 + 9min);
  CHECK(seen.look_up(peer(1), "id", as_bytes("body"), t0 + 10min - 1ns) == Seen::same_body);
  CHECK(seen.look_up(peer(1), "id", as_bytes("body"), t0 + 10min) == Seen::no);
  CHECK(seen.size() == 0);
}

TEST_CASE("seen ids: with no room left the oldest goes", "[router]") {
  axl::crypto::SeededRng rng{1};
  SeenIds seen{rng};
  for (std::size_t i = 0; i <= SeenIds::kMaxIds; ++i) {
    seen.remember(peer(static_cast<unsigned char>(i % 7)), std::to_string(i), {}, t0 + i * 1us);
  }
  CHECK(seen.size() == SeenIds::kMaxIds);
  CHECK(seen.look_up(peer(0), "0", {}, t0 + 1s) == Seen::no);
  CHECK(seen.look_up(peer(1), "1", {}, t0 + 1s) == Seen::same_body);
}

TEST_CASE("seen ids: a crowd of strangers cannot push out the ids of favoured peers", "[router]") {
  axl::crypto::SeededRng rng{1};
  SeenIds seen{rng, 8};
  seen.favour(peer(9));
  for (int i = 0; i < 4; ++i) seen.remember(peer(9), std::to_string(i), {}, t0);
  for (int i = 10; i < 110; ++i) seen.remember(peer(static_cast<unsigned char>(i)), "x", {}, t0 + 1s);
  CHECK(seen.size() == 8);
  CHECK(seen.look_up(peer(9), "0", {}, t0 + 2s) == Seen::same_body);
}
