#include "pubsub/engine.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <utility>

#include "fixture.hpp"

using namespace axl;
using namespace axl::pubsub;
using namespace axl::test;
using namespace std::chrono_literals;

namespace {

Prune prune(std::uint16_t seconds = 30, std::vector<PublicKey> others = {}) { return {"t", seconds, std::move(others)}; }

}  // namespace

TEST_CASE("pubsub: topics are told to peers, and peers that take them are grafted up to the mesh's size", "[pubsub]") {
  EngineFixture node;
  REQUIRE(node.engine.subscribe("t", false, node.now));
  for (std::uint8_t peer = 1; peer <= 9; ++peer) node.connect(peer);
  node.connect(10, {"other"});
  const auto out = node.outputs();
  for (std::uint8_t peer = 1; peer <= 10; ++peer) {
    const auto topics = said<Topics>(out, peer);
    REQUIRE(topics.size() == 1);
    CHECK(topics[0].what == Topics::What::all);
    CHECK(topics[0].topics == std::vector<std::string>{"t"});
  }
  CHECK(node.engine.topics()[0].mesh.size() == 3);  // filled as they came: never below the lower mark for long
  CHECK(said<Graft>(out, 10).empty());
  for (std::uint8_t peer = 1; peer <= 9; ++peer) node.say(peer, encode(Graft{"t"}));
  CHECK(node.engine.topics()[0].mesh.size() == 6);
  const auto refused = node.outputs();
  std::size_t prunes = 0;
  for (std::uint8_t peer = 1; peer <= 9; ++peer) {
    for (const auto& turned_away : said<Prune>(refused, peer)) {
      ++prunes;
      CHECK(turned_away.back_off_seconds == 30);
      CHECK(turned_away.others.size() == 8);
    }
  }
  CHECK(prunes == 3);
}

TEST_CASE("pubsub: a new message goes to one of the mesh at once and is announced to the others", "[pubsub]") {
  EngineFixture node;
  REQUIRE(node.engine.subscribe("t", false, node.now));
  for (std::uint8_t peer = 1; peer <= 5; ++peer) {
    node.connect(peer);
    node.say(peer, encode(Graft{"t"}));
  }
  node.quiet();
  const auto message = message_of(numbered_key(9), "hello");
  node.say(1, encode(message));
  const auto out = node.outputs();
  std::size_t eager = 0;
  std::size_t announced = 0;
  for (std::uint8_t peer = 2; peer <= 5; ++peer) {
    for (const auto& copy : said<PublishedMessage>(out, peer)) {
      ++eager;
      CHECK(copy.hops == 1);
    }
    for (const auto& have : said<Have>(out, peer)) {
      ++announced;
      CHECK(have.ids == std::vector{id_of(message)});
    }
  }
  CHECK(eager == 1);
  CHECK(announced == 3);
  CHECK(said<PublishedMessage>(out, 1).empty());
  const auto delivered = only<Deliver>(out);
  REQUIRE(delivered.size() == 1);
  CHECK(delivered[0].message.body.text() == "hello");
  CHECK(delivered[0].message.origin == numbered(9));
  CHECK(delivered[0].message.from == numbered(1));
  CHECK(delivered[0].message.proved());
  // A second copy is nothing new.
  node.say(2, encode(message));
  CHECK(node.outputs().empty());
  CHECK(node.engine.counters().duplicates == 1);
}

TEST_CASE("pubsub: a message that others of the mesh have already is announced only", "[pubsub]") {
  EngineFixture node;
  REQUIRE(node.engine.subscribe("t", false, node.now));
  for (std::uint8_t peer = 1; peer <= 4; ++peer) {
    node.connect(peer);
    node.say(peer, encode(Graft{"t"}));
  }
  node.quiet();
  const auto message = message_of(numbered_key(9), "hello");
  node.say(1, encode(Have{"t", {id_of(message)}}));
  node.say(2, encode(Have{"t", {id_of(message)}}));
  auto out = node.outputs();
  CHECK(said<Want>(out, 1).size() == 1);  // one is asked
  CHECK(said<Want>(out, 2).empty());
  node.say(1, encode(message));
  out = node.outputs();
  CHECK(said<PublishedMessage>(out, 3).empty());
  CHECK(said<PublishedMessage>(out, 4).empty());
  CHECK(said<Have>(out, 3).size() == 1);
  CHECK(said<Have>(out, 4).size() == 1);
  CHECK(said<Have>(out, 2).empty());
  // Who asks is given it, three times at most.
  for (int i = 0; i < 5; ++i) node.say(3, encode(Want{{id_of(message)}}));
  CHECK(said<PublishedMessage>(node.outputs(), 3).size() == 3);
}

TEST_CASE("pubsub: what was asked for and does not come is asked of another announcer after a heartbeat", "[pubsub]") {
  EngineFixture node;
  REQUIRE(node.engine.subscribe("t", false, node.now));
  node.connect(1);
  node.connect(2);
  node.quiet();
  const auto message = message_of(numbered_key(9), "hello");
  const Have have{"t", {id_of(message)}};
  node.say(1, encode(have));
  node.say(2, encode(have));
  CHECK(said<Want>(node.outputs(), 1).size() == 1);
  CHECK(said<Want>(node.pass(999ms), 2).empty());
  const auto retried = node.pass(1ms);
  CHECK(said<Want>(retried, 1).empty());
  CHECK(said<Want>(retried, 2).size() == 1);
  CHECK(node.engine.counters().broken_promises == 1);
  // And of the first again, when the second breaks its promise as well; a lost peer is not waited for.
  node.engine.on_peer_lost(numbered(2), node.now);
  CHECK(said<Want>(node.outputs(), 1).size() == 1);
  node.say(1, encode(message));
  CHECK(only<Deliver>(node.outputs()).size() == 1);
  CHECK(node.engine.sizes().wants == 0);
}

TEST_CASE("pubsub: however many ids are announced, all are asked for, a window at a time", "[pubsub]") {
  EngineFixture node;
  REQUIRE(node.engine.subscribe("t", false, node.now));
  node.connect(1);
  node.quiet();
  std::vector<PublishedMessage> messages;
  Have have{"t", {}};
  for (std::uint64_t i = 0; i < 300; ++i) {
    messages.push_back(message_of(numbered_key(9), std::to_string(i), i + 1));
    have.ids.push_back(id_of(messages.back()));
  }
  node.say(1, encode(have));
  std::size_t delivered = 0;
  std::size_t most = 0;
  auto out = node.outputs();
  for (int round = 0; round < 1'000 && delivered < messages.size(); ++round) {
    std::vector<MessageId> wanted;
    for (const auto& want : said<Want>(out, 1)) wanted.insert(wanted.end(), want.ids.begin(), want.ids.end());
    most = std::max(most, wanted.size());
    for (const auto& id : wanted) {
      node.say(1, encode(*std::ranges::find_if(messages, [&](const auto& message) { return id_of(message) == id; })));
    }
    out = node.outputs();
    delivered += only<Deliver>(out).size();
  }
  CHECK(delivered == messages.size());
  CHECK(most == 64);
}

TEST_CASE("pubsub: a publisher sends to all of its mesh, and without one to as many as a mesh has", "[pubsub]") {
  EngineFixture node;
  for (std::uint8_t peer = 1; peer <= 9; ++peer) node.connect(peer);
  node.quiet();
  auto published = node.engine.publish("t", body("one"), node.now);
  REQUIRE(published);
  CHECK(published->peers == 4);
  CHECK(only<SendBody>(node.outputs()).size() == 4);
  REQUIRE(node.engine.subscribe("t", false, node.now));
  node.quiet();
  published = node.engine.publish("t", body("two"), node.now);
  REQUIRE(published);
  CHECK(published->peers == node.engine.topics()[0].mesh.size());
  CHECK(only<Deliver>(node.outputs()).empty());  // not to itself
  CHECK(node.engine.publish("", body(""), node.now).error().is(Errc::invalid_argument));
  CHECK(node.engine.publish("t", MessageBody{Bytes(1024 * 1024 + 1)}, node.now).error().is(Errc::too_large));
}

TEST_CASE("pubsub: who joins within some heartbeats is told what there was", "[pubsub]") {
  EngineFixture node;
  const auto published = node.engine.publish("t", body("early"), node.now);
  REQUIRE(published);
  CHECK(published->peers == 0);
  static_cast<void>(node.pass(3s));
  node.connect(1);
  const auto out = node.outputs();
  REQUIRE(said<Have>(out, 1).size() == 1);
  CHECK(said<Have>(out, 1)[0].ids == std::vector{published->id});
  node.say(1, encode(Want{{published->id}}));
  CHECK(said<PublishedMessage>(node.outputs(), 1).size() == 1);
  static_cast<void>(node.pass(10s));
  node.connect(2);
  CHECK(said<Have>(node.outputs(), 2).empty());
  CHECK(node.engine.sizes().cached == 0);
}

TEST_CASE("pubsub: a heartbeat tells those outside the mesh, and nobody what it has", "[pubsub]") {
  Config config;
  config.mesh = config.mesh_low = config.mesh_high = 1;
  EngineFixture node{config};
  REQUIRE(node.engine.subscribe("t", false, node.now));
  for (std::uint8_t peer = 1; peer <= 3; ++peer) node.connect(peer);
  node.quiet();
  const auto message = message_of(numbered_key(9), "hello");
  node.say(1, encode(message));
  node.quiet();
  node.say(2, encode(Have{"t", {id_of(message)}}));
  const auto out = node.pass(5s);
  CHECK(said<Have>(out, 1).empty());
  CHECK(said<Have>(out, 2).empty());
}

TEST_CASE("pubsub: a blocked peer is sent nothing, and told afterwards what it missed", "[pubsub]") {
  EngineFixture node;
  REQUIRE(node.engine.subscribe("t", false, node.now));
  node.connect(1);
  node.connect(2);
  node.quiet();
  node.engine.on_peer_blocked(numbered(2));
  const auto message = message_of(numbered_key(9), "hello");
  node.say(1, encode(message));
  auto out = node.outputs();
  CHECK(said<PublishedMessage>(out, 2).empty());
  CHECK(said<Have>(out, 2).empty());
  node.engine.on_peer_writable(numbered(2), node.now);
  out = node.outputs();
  REQUIRE(said<Have>(out, 2).size() == 1);
  CHECK(said<Have>(out, 2)[0].ids == std::vector{id_of(message)});
}

TEST_CASE("pubsub: messages that are judged wait for the verdict", "[pubsub]") {
  EngineFixture node;
  REQUIRE(node.engine.subscribe("t", true, node.now));
  node.connect(1);
  node.connect(2);
  node.quiet();
  const auto ask = [&](std::string_view text, std::uint64_t sequence) {
    node.say(1, encode(message_of(numbered_key(9), text, sequence)));
    const auto out = node.outputs();
    CHECK(only<Deliver>(out).empty());
    CHECK(said<PublishedMessage>(out, 2).empty());
    REQUIRE(only<Judge>(out).size() == 1);
    return only<Judge>(out)[0].message.id;
  };
  const auto good = ask("good", 1);
  node.say(2, encode(Want{{good}}));  // not before it is judged
  CHECK(node.outputs().empty());
  node.engine.on_judged(good, Verdict::accept, node.now);
  auto out = node.outputs();
  CHECK(only<Deliver>(out).size() == 1);
  CHECK(said<PublishedMessage>(out, 2).size() == 1);
  node.engine.on_judged(good, Verdict::reject, node.now);  // too late
  CHECK(node.engine.peers()[0].points == 0);

  node.engine.on_judged(ask("dull", 2), Verdict::ignore, node.now);
  CHECK(node.engine.peers()[0].points == 0);
  const auto wrong = ask("wrong", 3);
  node.engine.on_judged(wrong, Verdict::reject, node.now);
  CHECK(node.outputs().empty());
  const auto peers = node.engine.peers();
  CHECK(std::ranges::any_of(peers, [](const auto& peer) { return peer.key == numbered(1) && peer.points == 10; }));
  node.say(2, encode(message_of(numbered_key(9), "wrong", 3)));  // known: not asked again
  CHECK(only<Judge>(node.outputs()).empty());
}

TEST_CASE("pubsub: connections are asked for while they are too few, and not again at once", "[pubsub]") {
  EngineFixture node;
  std::vector<PublicKey> candidates;
  for (std::uint8_t i = 1; i <= 20; ++i) candidates.push_back(numbered(i));
  node.engine.set_candidates(candidates, node.now);
  CHECK(node.outputs().empty());  // for nothing is subscribed
  REQUIRE(node.engine.subscribe("t", false, node.now));
  auto wanted = only<Connect>(node.outputs());
  CHECK(wanted.size() == 8);
  CHECK(only<Connect>(node.pass(5s)).empty());
  node.engine.on_connect_failed(wanted[0].peer, node.now);
  const auto next = only<Connect>(node.pass(1s));
  REQUIRE(next.size() == 1);
  // One that was up and broke is tried again.
  node.engine.on_peer_connected(wanted[1].peer, Form::native, node.now);
  node.engine.on_peer_lost(wanted[1].peer, node.now);
  const auto again = only<Connect>(node.pass(10s));
  CHECK(std::ranges::any_of(again, [&](const Connect& connect) { return connect.peer == wanted[1].peer; }));
}

TEST_CASE("pubsub: who turns us away names others, who are asked when there is nobody else", "[pubsub]") {
  EngineFixture node;
  REQUIRE(node.engine.subscribe("t", false, node.now));
  node.connect(1);
  node.quiet();
  node.say(1, encode(prune(30, {numbered(5)})));
  const auto wanted = only<Connect>(node.pass(2s));
  REQUIRE(wanted.size() == 1);
  CHECK(wanted[0].peer == numbered(5));
  // And is left alone for the back-off.
  CHECK(said<Graft>(node.pass(27s), 1).empty());
  CHECK(said<Graft>(node.pass(3s), 1).size() == 1);
  // Others named by somebody who was not in the mesh are not heard.
  node.connect(2, {});
  node.say(2, encode(prune(30, {numbered(6)})));
  CHECK(only<Connect>(node.pass(2s)).empty());
}

TEST_CASE("pubsub: leaving a topic is told, and its messages come no more", "[pubsub]") {
  EngineFixture node;
  REQUIRE(node.engine.subscribe("t", false, node.now));
  node.connect(1);
  node.quiet();
  node.engine.unsubscribe("t", node.now);
  const auto out = node.outputs();
  CHECK(said<Prune>(out, 1).size() == 1);
  REQUIRE(said<Topics>(out, 1).size() == 1);
  CHECK(said<Topics>(out, 1)[0].what == Topics::What::left);
  node.say(1, encode(message_of(numbered_key(9), "late")));
  CHECK(node.outputs().empty());
  CHECK(node.engine.counters().ignored == 1);
  node.engine.on_peer_lost(numbered(1), node.now);
  static_cast<void>(node.pass(10s));
  CHECK_FALSE(node.engine.next_tick());  // nothing to look after
}

TEST_CASE("pubsub: without signatures a message is what it says", "[pubsub]") {
  Config config;
  config.signatures = Signatures::off;
  EngineFixture node{config};
  REQUIRE(node.engine.subscribe("t", false, node.now));
  node.connect(1);
  node.quiet();
  auto message = message_of(numbered_key(9), "hello");
  message.signer.reset();
  node.say(1, encode(message));
  const auto delivered = only<Deliver>(node.outputs());
  REQUIRE(delivered.size() == 1);
  CHECK_FALSE(delivered[0].message.proved());
}

TEST_CASE("pubsub: the same seed gives the same bytes", "[pubsub]") {
  const auto run = [] {
    EngineFixture node;
    static_cast<void>(node.engine.subscribe("t", false, node.now));
    for (std::uint8_t peer = 1; peer <= 9; ++peer) node.connect(peer);
    node.say(3, encode(message_of(numbered_key(9), "hello")));
    static_cast<void>(node.engine.publish("t", body("mine"), node.now));
    std::string all;
    for (const auto& send : only<SendBody>(node.pass(5s))) all += send.peer.to_hex() + to_hex(send.body) + "\n";
    return all;
  };
  CHECK(run() == run());
}
