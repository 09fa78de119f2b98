#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <utility>

#include "fixture.hpp"
#include "pubsub/contacts.hpp"
#include "pubsub/message_cache.hpp"
#include "pubsub/origins.hpp"
#include "pubsub/scores.hpp"
#include "pubsub/seen_cache.hpp"
#include "pubsub/wants.hpp"

using namespace axl;
using namespace axl::pubsub;
using namespace axl::test;
using namespace std::chrono_literals;

namespace {

constexpr Time t0{};

MessageId id(std::uint8_t number) {
  MessageId out;
  out.bytes.back() = std::byte{number};
  return out;
}

MessageCache::Entry entry(std::uint8_t number, std::size_t size = 10, std::string topic = "t") {
  return {id(number), {numbered(1), MessageName{MessageName::Binary{}}, std::move(topic), MessageBody{Bytes(size)}, 0, {}, {}}, {}, {}, true, {}};
}

}  // namespace

TEST_CASE("pubsub tables: the message cache keeps some heartbeats, by topic, and is bounded in number and bytes", "[pubsub]") {
  MessageCache cache{2, 3, 1'000'000};
  REQUIRE(cache.add(entry(1), {}) != nullptr);
  CHECK(cache.add(entry(1), {}) == nullptr);
  REQUIRE(cache.add(entry(2, 10, "u"), {}) != nullptr);
  CHECK(cache.window(0, "t") == std::vector{id(1)});
  CHECK(cache.window(0, "u") == std::vector{id(2)});
  cache.shift();
  CHECK(cache.window(0, "t").empty());
  CHECK(cache.window(1, "t") == std::vector{id(1)});
  for (std::uint8_t i = 3; i < 6; ++i) REQUIRE(cache.add(entry(i), {}) != nullptr);
  CHECK(cache.size() == 3);
  CHECK(cache.find(id(2)) == nullptr);
  CHECK(cache.find(id(3)) != nullptr);
  cache.shift();
  cache.shift();
  CHECK(cache.size() == 0);
  CHECK(cache.bytes() == 0);

  MessageCache small{2, 100, 5'000};
  for (std::uint8_t i = 0; i < 10; ++i) REQUIRE(small.add(entry(i, 1'000), {}) != nullptr);
  CHECK(small.bytes() <= 5'000);
  CHECK(small.size() == 1);
}

TEST_CASE("pubsub tables: what has been seen is forgotten in time, and beyond the bound", "[pubsub]") {
  SeenCache seen{3, 10s};
  for (std::uint8_t i = 0; i < 5; ++i) seen.add(id(i), PeerSlot{1}, numbered(1), i, false, t0 + i * 1s);
  const auto first = seen.forget_one(t0 + 5s);
  REQUIRE(first);
  CHECK(first->sequence == 0);
  REQUIRE(seen.forget_one(t0 + 5s));
  CHECK_FALSE(seen.forget_one(t0 + 5s));
  CHECK_FALSE(seen.find(id(1)));
  CHECK(seen.find(id(2)) == PeerSlot{1});
  CHECK(seen.forget_one(t0 + 12s));
  CHECK_FALSE(seen.forget_one(t0 + 12s));
}

TEST_CASE("pubsub tables: messages whose names are text are known for as long as there is room, their names for a time",
          "[pubsub]") {
  SeenCache seen{3, 10s};
  for (std::uint8_t i = 0; i < 2; ++i) {
    seen.add(id(i), PeerSlot{1}, numbered(1), {}, true, t0 + i * 1s);
    seen.add_name(id(static_cast<std::uint8_t>(100 + i)), t0 + i * 1s);
  }
  CHECK_FALSE(seen.forget_one(t0 + 10s));
  CHECK_FALSE(seen.knows_name(id(100)));
  CHECK(seen.knows_name(id(101)));
  CHECK(seen.find(id(0)));
  // One that has a time does not wait behind them, and of more than there is room for the oldest goes.
  seen.add(id(2), PeerSlot{1}, numbered(1), 5, false, t0 + 20s);
  const auto timed = seen.forget_one(t0 + 30s);
  REQUIRE(timed);
  CHECK(timed->sequence == 5);
  for (std::uint8_t i = 3; i < 5; ++i) seen.add(id(i), PeerSlot{1}, numbered(1), {}, i == 4, t0 + 30s);
  REQUIRE(seen.forget_one(t0 + 30s));
  CHECK_FALSE(seen.find(id(0)));
  CHECK(seen.find(id(1)));
  CHECK_FALSE(seen.forget_one(t0 + 30s));
  for (std::uint8_t i = 0; i < 9; ++i) seen.add_name(id(i), t0 + 30s);
  CHECK_FALSE(seen.forget_one(t0 + 30s));
  CHECK_FALSE(seen.knows_name(id(5)));
  CHECK(seen.knows_name(id(6)));
}

TEST_CASE("pubsub tables: origins have floors and rates, and the least recently seen goes", "[pubsub]") {
  Origins origins{2, {1, 2}};
  origins.raise_floor(numbered(1), 10);
  origins.raise_floor(numbered(1), 5);
  CHECK(origins.is_old(numbered(1), 10));
  CHECK_FALSE(origins.is_old(numbered(1), 11));
  CHECK(origins.allow(numbered(2), t0));
  CHECK(origins.allow(numbered(2), t0));
  CHECK_FALSE(origins.allow(numbered(2), t0));
  CHECK(origins.allow(numbered(2), t0 + 1s));
  CHECK(origins.allow(numbered(1), t0 + 1s));
  CHECK(origins.allow(numbered(3), t0 + 1s));
  CHECK(origins.size() == 2);
  CHECK(origins.is_old(numbered(1), 10));
}

TEST_CASE("pubsub tables: points fade, and the grey are forgiven within a minute", "[pubsub]") {
  Scores scores{{}};
  scores.add(numbered(1), 99);
  CHECK_FALSE(scores.grey(numbered(1)));
  scores.add(numbered(1), 1'000);
  CHECK(scores.poll_grey() == numbered(1));
  CHECK_FALSE(scores.poll_grey());
  CHECK(scores.points(numbered(1)) == 400);
  int beats = 0;
  while (scores.grey(numbered(1))) {
    scores.on_heartbeat();
    ++beats;
  }
  CHECK(beats > 30);
  CHECK(beats < 60);
  for (int i = 0; i < 200; ++i) scores.on_heartbeat();
  CHECK(scores.size() == 0);
}

TEST_CASE("pubsub tables: wants are bounded for each peer and in all", "[pubsub]") {
  Wants wants{{.most = 5, .most_per_peer = 3, .window = 2}};
  for (std::uint8_t i = 0; i < 3; ++i) CHECK(wants.on_announced(id(i), PeerSlot{1}));
  CHECK_FALSE(wants.on_announced(id(3), PeerSlot{1}));
  CHECK(wants.on_announced(id(3), PeerSlot{2}));
  CHECK(wants.on_announced(id(4), PeerSlot{2}));
  CHECK_FALSE(wants.on_announced(id(5), PeerSlot{3}));
  CHECK(wants.take_asks(PeerSlot{1}, 10, t0) == std::vector{id(0), id(1)});
  CHECK(wants.take_asks(PeerSlot{1}, 10, t0).empty());  // the window is full
  CHECK(wants.on_arrived(id(0)) == std::vector{PeerSlot{1}});
  CHECK(wants.take_asks(PeerSlot{1}, 10, t0) == std::vector{id(2)});
  wants.on_peer_lost(PeerSlot{1});
  wants.on_peer_lost(PeerSlot{2});
  CHECK(wants.size() == 0);
  CHECK_FALSE(wants.next_tick());
}

TEST_CASE("pubsub tables: after so many broken promises a message is not wanted any more", "[pubsub]") {
  Wants wants{{.tries = 3}};
  CHECK(wants.on_announced(id(1), PeerSlot{1}));
  auto now = t0;
  std::size_t asked = 0;
  while (wants.size() != 0 && asked < 100) {
    asked += wants.take_asks(PeerSlot{1}, 10, now).size();
    now = wants.next_tick().value();
    wants.on_tick(now);
  }
  CHECK(asked == 3);
  CHECK(now == t0 + 3s);
}

TEST_CASE("pubsub tables: whom a peer has named is tried though the caller names others meanwhile", "[pubsub]") {
  crypto::SeededRng rng{1};
  Contacts contacts{2, 1, rng};
  const std::vector<PublicKey> first{numbered(1), numbered(2)};
  const std::vector<PublicKey> second{numbered(3)};
  contacts.set(first);
  contacts.offer(numbered(1));  // is known already: that makes it no hearsay
  contacts.offer(numbered(4));
  contacts.set(second);
  CHECK(contacts.size() == 2);
  auto chosen = contacts.choose_some(10, t0);
  std::ranges::sort(chosen);
  std::vector<PublicKey> expected{numbered(3), numbered(4)};
  std::ranges::sort(expected);
  CHECK(chosen == expected);
  contacts.on_failed(numbered(4), t0);
  CHECK(contacts.size() == 1);
}

TEST_CASE("pubsub tables: contacts are bounded, those from hearsay more so, and pauses grow", "[pubsub]") {
  crypto::SeededRng rng{1};
  Contacts contacts{2, 1, rng};
  const std::vector<PublicKey> named{numbered(1), numbered(2), numbered(3)};
  contacts.set(named);
  CHECK(contacts.size() == 2);
  contacts.offer(numbered(4));
  contacts.offer(numbered(5));
  CHECK(contacts.size() == 3);
  CHECK(contacts.choose_some(10, t0).size() == 3);
  CHECK(contacts.choose_some(10, t0).empty());
  contacts.on_failed(numbered(4), t0);
  CHECK(contacts.size() == 2);
  contacts.on_failed(numbered(1), t0);
  CHECK(contacts.choose_some(10, t0 + 999ms).empty());
  CHECK(contacts.choose_some(10, t0 + 1s).size() == 1);
  contacts.on_failed(numbered(1), t0 + 1s);
  CHECK(contacts.choose_some(10, t0 + 2999ms).empty());
  CHECK(contacts.choose_some(10, t0 + 3s).size() == 1);
}
