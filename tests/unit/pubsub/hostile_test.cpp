// What a peer can do to an engine, and what it costs the peer.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <utility>

#include "fixture.hpp"

using namespace axl;
using namespace axl::pubsub;
using namespace axl::test;
using namespace std::chrono_literals;

namespace {

struct Node : EngineFixture {
  explicit Node(Config config = {}) : EngineFixture{config} {
    static_cast<void>(engine.subscribe("t", false, now));
    connect(1);
    connect(2);
    quiet();
  }
  /// How often `again` can be done before the peer is grey; at most `most`.
  template <class Do>
  std::size_t until_grey(Do again, std::size_t most = 100'000) {
    for (std::size_t i = 0; i < most; ++i) {
      if (engine.grey(numbered(1))) return i;
      again(i);
    }
    return most;
  }
};

MessageId random_id(Rng& rng) {
  MessageId id;
  rng.fill(id.bytes);
  return id;
}

}  // namespace

TEST_CASE("pubsub: bodies that are none, and false signatures, are soon not read any more", "[pubsub]") {
  Node node;
  CHECK(node.until_grey([&](std::size_t) { node.say(1, body("junk")); }) == 4);
  CHECK(only<Disconnect>(node.outputs()).size() == 1);
  const auto read = node.engine.counters().malformed;
  node.say(1, body("junk"));
  CHECK(node.engine.counters().malformed == read);
  // Coming back does not help, for a while.
  node.connect(1);
  CHECK(only<Disconnect>(node.outputs()).size() == 1);
  static_cast<void>(node.pass(60s));
  node.connect(1);
  CHECK(only<Disconnect>(node.outputs()).empty());

  Node other;
  CHECK(other.until_grey([&](std::size_t i) {
    auto message = message_of(numbered_key(9), std::to_string(i));
    message.body = body("forged");
    other.say(1, encode(message));
  }) == 4);
  CHECK(only<Deliver>(other.outputs()).empty());
  Node third;
  CHECK(third.until_grey([&](std::size_t i) {
    auto message = message_of(numbered_key(9), std::to_string(i));
    message.signer.reset();
    third.say(1, encode(message));
  }) == 4);
}

TEST_CASE("pubsub: a message cannot be kept away by one that takes its place", "[pubsub]") {
  Node node;
  const auto real = message_of(numbered_key(9), "real");
  auto forged = real;
  forged.signature.bytes[0] ^= std::byte{1};  // the id is that of the real one
  node.say(1, encode(Have{"t", {id_of(real)}}));
  node.say(2, encode(Have{"t", {id_of(real)}}));
  CHECK(said<Want>(node.outputs(), 1).size() == 1);
  node.say(1, encode(forged));
  CHECK(said<Want>(node.outputs(), 2).size() == 1);  // at once
  node.say(2, encode(real));
  CHECK(only<Deliver>(node.outputs()).size() == 1);
}

TEST_CASE("pubsub: messages sent again and again cost points; those of others are no fault", "[pubsub]") {
  Node node;
  const auto message = encode(message_of(numbered_key(9), "hello"));
  node.say(2, message);
  node.say(2, message);
  node.say(1, message);
  CHECK(node.engine.peers()[0].points + node.engine.peers()[1].points < 1);
  CHECK(node.until_grey([&](std::size_t) { node.say(1, message); }) < 30);
  CHECK_FALSE(node.engine.grey(numbered(2)));
}

TEST_CASE("pubsub: a message that is forgotten is not new when it is sent again", "[pubsub]") {
  Node node;
  const auto old = message_of(numbered_key(9), "old", 1'000);
  node.say(2, encode(old));
  node.quiet();
  static_cast<void>(node.pass(5min));
  CHECK(node.engine.sizes().seen == 0);
  node.say(1, encode(old));
  CHECK(only<Deliver>(node.outputs()).empty());
  node.say(1, encode(message_of(numbered_key(9), "new", 1'001)));
  CHECK(only<Deliver>(node.outputs()).size() == 1);
  // The same of our own messages, after a restart.
  node.say(1, encode(message_of(numbered_key(0), "mine", 5)));
  CHECK(only<Deliver>(node.outputs()).empty());
}

TEST_CASE("pubsub: promises that are never kept end in silence, and cost bounded memory", "[pubsub]") {
  Node node;
  std::size_t most = 0;
  const auto start = node.now;
  while (!node.engine.grey(numbered(1)) && node.now - start < 60s) {
    Have have{"t", {}};
    for (int i = 0; i < 1'000; ++i) have.ids.push_back(random_id(node.rng));
    node.say(1, encode(have));
    static_cast<void>(node.pass(100ms));
    for (const auto& peer : node.engine.peers()) most = std::max(most, peer.announced);
  }
  CHECK(node.engine.grey(numbered(1)));
  CHECK(node.now - start < 3s);
  CHECK(most <= Config{}.max_wants_per_peer);
  CHECK(node.engine.sizes().wants == 0);
}

TEST_CASE("pubsub: one lost answer in twenty is no fault", "[pubsub]") {
  Node node;
  for (std::uint64_t i = 1; i <= 400; ++i) {
    const auto message = message_of(numbered_key(9), "m", i);
    node.say(1, encode(Have{"t", {id_of(message)}}));
    node.quiet();
    if (i % 20 != 0) node.say(1, encode(message));
    static_cast<void>(node.pass(50ms));
  }
  CHECK(node.engine.counters().broken_promises > 0);
  CHECK_FALSE(node.engine.grey(numbered(1)));
  CHECK(std::ranges::all_of(node.engine.peers(), [](const auto& peer) { return peer.points == 0; }));
}

TEST_CASE("pubsub: grafting during the back-off is refused, and a fault", "[pubsub]") {
  Config config;
  config.mesh = config.mesh_low = config.mesh_high = 1;
  Node node{config};
  const auto inside = node.engine.topics()[0].mesh[0];
  const std::uint8_t outside = inside == numbered(1) ? 2 : 1;
  std::size_t grafts = 0;
  while (!node.engine.grey(numbered(outside)) && grafts < 100) {
    node.say(outside, encode(Graft{"t"}));
    ++grafts;
  }
  CHECK(grafts == 11);  // the first is just refused
  CHECK(node.engine.topics()[0].mesh == std::vector{inside});
}

TEST_CASE("pubsub: bodies, ids and answers beyond their rate are dropped", "[pubsub]") {
  Config config;
  config.bodies_per_peer = {10, 20};
  config.announced_per_peer = {100, 200};
  config.answers_per_peer = {10, 20};
  Node node{config};
  for (std::uint64_t i = 1; i <= 50; ++i) node.say(1, encode(message_of(numbered_key(9), "m", i)));
  CHECK(only<Deliver>(node.outputs()).size() <= 20);
  CHECK(node.engine.counters().over_rate >= 30);
  static_cast<void>(node.pass(10s));
  Have have{"t", std::vector<MessageId>(150)};
  for (auto& id : have.ids) id = random_id(node.rng);
  node.say(2, encode(have));
  const auto noted = node.engine.sizes().wants;
  node.say(2, encode(have));
  CHECK(noted == 150);
  CHECK(node.engine.sizes().wants == 150);
}

TEST_CASE("pubsub: one origin's flood is cut where it enters, whoever hands it on", "[pubsub]") {
  Config config;
  config.messages_per_origin = {10, 20};
  Node node{config};
  for (std::uint64_t i = 1; i <= 60; ++i) node.say(static_cast<std::uint8_t>(1 + i % 2), encode(message_of(numbered_key(9), "m", i)));
  CHECK(only<Deliver>(node.outputs()).size() == 20);
  node.say(1, encode(message_of(numbered_key(8), "of another", 1)));
  CHECK(only<Deliver>(node.outputs()).size() == 1);
  // Who only handed it on is not at fault.
  CHECK(std::ranges::all_of(node.engine.peers(), [](const auto& peer) { return peer.points == 0; }));
}

TEST_CASE("pubsub: peers, topics of a peer and what it announces are bounded", "[pubsub]") {
  Config config;
  config.max_peers = 3;
  config.max_topics_per_peer = 100;
  Node node{config};
  node.connect(3);
  node.connect(4);
  CHECK(only<Disconnect>(node.outputs()).size() == 1);
  for (int i = 0; i < 10; ++i) {
    Topics topics{Topics::What::joined, {}};
    for (int n = 0; n < 60; ++n) topics.topics.push_back(std::to_string(i) + "/" + std::to_string(n));
    node.say(1, encode(topics));
  }
  for (const auto& peer : node.engine.peers()) CHECK(peer.topics <= 100);
  // Too large a message is the sender's fault.
  Config small;
  small.max_body = 10;
  Node other{small};
  other.say(1, encode(message_of(numbered_key(9), "more than ten bytes")));
  CHECK(only<Deliver>(other.outputs()).empty());
  CHECK(other.engine.counters().refused == 1);
}
