#include "pubsub/compat_codec.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <set>
#include <utility>

#include "fixture.hpp"
#include "mcp/json.hpp"

using namespace axl;
using namespace axl::pubsub;
using namespace axl::test;
using namespace std::chrono_literals;

namespace {

Config compat_config() {
  Config config;
  config.compat = true;
  return config;
}

MessageBody json_message(const PublicKey& origin, std::string_view id, std::string_view base64, int hop = 0) {
  return body(R"({"type": "gossipsub", "msg_type": "MESSAGE", "topic": "t", "msg_id": ")" + std::string{id} + R"(", "origin": ")" +
              origin.to_hex() + R"(", "from": ")" + origin.to_hex() + R"(", "hop": )" + std::to_string(hop) + R"(, "data": ")" +
              std::string{base64} + R"("})");
}

}  // namespace

TEST_CASE("pubsub compat: messages are the JSON of the original", "[pubsub]") {
  PublishedMessage message{numbered(1), *MessageName::of_text("8a88e3dd:000001"), "t", body("hi"), 2, {}, {}};
  CHECK(compat::encode(message, numbered(2)).text() ==
        R"({"type":"gossipsub","msg_type":"MESSAGE","topic":"t","msg_id":"8a88e3dd:000001","origin":")" + numbered(1).to_hex() +
            R"(","from":")" + numbered(2).to_hex() + R"(","hop":2,"data":"aGk="})");
  CHECK(compat::encode(Graft{"t"}).text() == R"({"type":"gossipsub","msg_type":"GRAFT","topic":"t"})");
  CHECK(compat::encode(Prune{"t", 30, {numbered(1)}}).text() == R"({"type":"gossipsub","msg_type":"PRUNE","topic":"t","peers":[]})");
  CHECK(compat::encode(compat::HaveNames{"t", {message.name, message.name}}).text() ==
        R"({"type":"gossipsub","msg_type":"IHAVE","topic":"t","msg_ids":["8a88e3dd:000001","8a88e3dd:000001"]})");
  CHECK(compat::encode(compat::WantNames{{message.name}}).text() ==
        R"({"type":"gossipsub","msg_type":"IWANT","msg_ids":["8a88e3dd:000001"]})");
}

TEST_CASE("pubsub compat: what is no such message is refused, and what is not known in it is no matter", "[pubsub]") {
  const auto good = json_message(numbered(1), "8a88e3dd:000001", "aGk=");
  CHECK(compat::is_gossip(good));
  CHECK(compat::decode(good));
  for (const auto* bad : {"", "{}", "[]", R"({"type":"gossipsub"})", R"({"type":"other","msg_type":"GRAFT","topic":"t"})",
                          R"({"type":"gossipsub","msg_type":"GRAFT"})", R"({"type":"gossipsub","msg_type":"IWANT"})",
                          R"({"type":"gossipsub","msg_type":"IWANT","msg_ids":[1]})", R"({"type":"gossipsub","msg_type":"HELLO","topic":"t"})",
                          R"({"type":"gossipsub","msg_type":"MESSAGE","topic":"t","msg_id":"a","origin":"b","hop":0,"data":""})"}) {
    CHECK_FALSE(compat::decode(body(bad)));
  }
  CHECK_FALSE(compat::decode(json_message(numbered(1), "8a88e3dd:000001", "aGk")));
  CHECK(compat::decode(body(R"({"more":[{}],"msg_type":"GRAFT","topic":"t","type":"gossipsub"})")));
}

TEST_CASE("pubsub compat: a signature survives a peer that copies what it does not know", "[pubsub]") {
  const auto message = message_of(numbered_key(1), "hi");
  const auto decoded = compat::decode(compat::encode(message, numbered(2)));
  REQUIRE(decoded);
  const auto& again = std::get<PublishedMessage>(*decoded);
  CHECK(again.name.sequence() == message.name.sequence());
  CHECK(id_of(again) == id_of(message));
  CHECK(again.verify(again.hash(), crypto::verify));
}

TEST_CASE("pubsub compat: a message of a JSON peer reaches native ones, vouched for by us, and the other way round",
          "[pubsub]") {
  EngineFixture node{compat_config()};
  REQUIRE(node.engine.subscribe("t", false, node.now));
  node.connect(1);
  node.engine.on_peer_connected(numbered(2), Form::compat, node.now);
  const auto hello = node.outputs();
  CHECK(said_in_json<Graft>(hello, 2).size() == 1);  // which takes every topic, as far as we know

  node.say(2, json_message(numbered(3), "8a88e3dd:000001", "aGk=", 4));
  auto out = node.outputs();
  const auto delivered = only<Deliver>(out);
  REQUIRE(delivered.size() == 1);
  CHECK(delivered[0].message.origin == numbered(3));
  CHECK(delivered[0].message.signer == numbered(0));
  CHECK_FALSE(delivered[0].message.proved());
  CHECK(delivered[0].message.hops == 5);
  const auto handed_on = said<PublishedMessage>(out, 1);
  REQUIRE(handed_on.size() == 1);
  CHECK(handed_on[0].name.text() == "8a88e3dd:000001");
  CHECK(handed_on[0].verify(handed_on[0].hash(), crypto::verify));

  const auto native = message_of(numbered_key(1), "from far");
  node.say(1, encode(native));
  out = node.outputs();
  REQUIRE(only<Deliver>(out).size() == 1);
  CHECK(only<Deliver>(out)[0].message.proved());
  const auto json = said_in_json<PublishedMessage>(out, 2);
  REQUIRE(json.size() == 1);
  CHECK(json[0].name.text() == native.name.text());
  CHECK(json[0].hops == 1);
  CHECK(json[0].body.text() == "from far");

  // The same message back from the other side is a duplicate, signature or not.
  node.say(2, json_message(numbered(1), native.name.text(), "ZnJvbSBmYXI="));
  CHECK(only<Deliver>(node.outputs()).empty());
}

TEST_CASE("pubsub compat: names announced in JSON are asked for 64 at a time, and all in the end", "[pubsub]") {
  auto config = compat_config();
  config.ask_window = 1'000;
  EngineFixture node{config};
  REQUIRE(node.engine.subscribe("t", false, node.now));
  node.engine.on_peer_connected(numbered(2), Form::compat, node.now);
  node.quiet();
  compat::HaveNames have{"t", {}};
  for (int i = 0; i < 150; ++i) have.names.push_back(*MessageName::of_text("8a88e3dd:" + std::to_string(100'000 + i)));
  node.say(2, compat::encode(have));
  const auto asked = said_in_json<compat::WantNames>(node.outputs(), 2);
  REQUIRE(asked.size() == 3);
  CHECK(asked[0].names.size() == 64);
  CHECK(asked[2].names.size() == 22);
  node.say(2, json_message(numbered(3), "8a88e3dd:100000", "aGk="));
  CHECK(only<Deliver>(node.outputs()).size() == 1);
  // Known names are not asked for again.
  node.say(2, compat::encode(compat::HaveNames{"t", {*MessageName::of_text("8a88e3dd:100000")}}));
  CHECK(said_in_json<compat::WantNames>(node.outputs(), 2).empty());
}

TEST_CASE("pubsub compat: a JSON peer that asks is given the message as it is", "[pubsub]") {
  EngineFixture node{compat_config()};
  REQUIRE(node.engine.subscribe("t", false, node.now));
  node.engine.on_peer_connected(numbered(2), Form::compat, node.now);
  node.say(2, compat::encode(Prune{"t", 0, {}}));
  node.quiet();
  const auto published = node.engine.publish("t", body("hi"), node.now);
  REQUIRE(published);
  const auto sent = said_in_json<PublishedMessage>(node.outputs(), 2);
  REQUIRE(sent.size() == 1);  // not in the mesh, but nobody else is there
  CHECK(sent[0].hops == 0);
  node.say(2, compat::encode(compat::WantNames{{sent[0].name}}));
  const auto again = said_in_json<PublishedMessage>(node.outputs(), 2);
  REQUIRE(again.size() == 1);
  CHECK(again[0].hops == 0);
}

TEST_CASE("pubsub compat: a JSON peer restarts its counter, and its new messages are new", "[pubsub]") {
  EngineFixture node{compat_config()};
  REQUIRE(node.engine.subscribe("t", false, node.now));
  node.engine.on_peer_connected(numbered(2), Form::compat, node.now);
  node.quiet();
  node.say(2, json_message(numbered(2), "8a88e3dd:000001", "aGk="));
  node.say(2, json_message(numbered(2), "8a88e3dd:000001", "aGo="));
  CHECK(only<Deliver>(node.outputs()).size() == 2);
  // Full, its GRAFT each second is answered and is no fault.
  node.say(2, compat::encode(Prune{"t", 0, {}}));
  for (int i = 0; i < 50; ++i) node.say(2, compat::encode(Graft{"t"}));
  CHECK_FALSE(node.engine.grey(numbered(2)));
}

TEST_CASE("pubsub compat: JSON peers are turned away where they are not wanted", "[pubsub]") {
  EngineFixture node;
  node.engine.on_peer_connected(numbered(2), Form::compat, node.now);
  CHECK(only<Disconnect>(node.outputs()).size() == 1);
}

TEST_CASE("pubsub compat: a JSON peer is told of at most as many names as it asks for at once", "[pubsub]") {
  EngineFixture node{compat_config()};
  REQUIRE(node.engine.subscribe("t", false, node.now));
  for (int i = 0; i < 150; ++i) REQUIRE(node.engine.publish("t", body(std::to_string(i)), node.now));
  node.quiet();
  node.engine.on_peer_connected(numbered(2), Form::compat, node.now);  // which hears of what there was before
  std::set<std::string> names;
  for (const auto& have : said_in_json<compat::HaveNames>(node.outputs(), 2)) {
    CHECK(have.names.size() <= compat::kAskAtMost);
    for (const auto& name : have.names) names.insert(name.text());
  }
  CHECK(names.size() == 150);
}

TEST_CASE("pubsub compat: what a JSON peer asks for goes even while its connection is busy, for it never asks again", "[pubsub]") {
  EngineFixture node{compat_config()};
  REQUIRE(node.engine.subscribe("t", false, node.now));
  node.engine.on_peer_connected(numbered(2), Form::compat, node.now);
  REQUIRE(node.engine.publish("t", body("hi"), node.now));
  const auto name = said_in_json<PublishedMessage>(node.outputs(), 2).at(0).name;
  node.engine.on_peer_blocked(numbered(2));
  REQUIRE(node.engine.publish("t", body("later"), node.now));
  CHECK(node.outputs().empty());
  node.say(2, compat::encode(compat::WantNames{{name}}));
  CHECK(said_in_json<PublishedMessage>(node.outputs(), 2).size() == 1);
  node.engine.on_peer_writable(numbered(2), node.now);
  CHECK(said_in_json<compat::HaveNames>(node.outputs(), 2).size() == 1);
}

TEST_CASE("pubsub compat: programs that announce forever what they had once do not bring it twice", "[pubsub]") {
  EngineFixture node{compat_config()};
  REQUIRE(node.engine.subscribe("t", false, node.now));
  node.engine.on_peer_connected(numbered(2), Form::compat, node.now);
  node.connect(1);
  const auto native = message_of(numbered_key(1), "of a native one", 1'000);
  node.say(1, encode(native));
  node.say(2, json_message(numbered(3), "8a88e3dd:000001", "aGk="));
  CHECK(only<Deliver>(node.outputs()).size() == 2);
  const std::vector<MessageName> names{native.name, *MessageName::of_text("8a88e3dd:000001")};
  for (int round = 0; round < 40; ++round) {
    node.pass(3min);
    node.say(2, compat::encode(compat::HaveNames{"t", names}));
    const auto asked = said_in_json<compat::WantNames>(node.outputs(), 2);
    REQUIRE(asked.size() == 1);
    for (const auto& name : asked[0].names) {
      if (name.is_text()) {
        node.say(2, json_message(numbered(3), name.text(), "aGk="));
      } else {  // the program has not kept the signature
        node.say(2, json_message(numbered(1), name.text(), "b2YgYSBuYXRpdmUgb25l"));
      }
    }
    CHECK(only<Deliver>(node.outputs()).empty());
    node.say(2, compat::encode(compat::HaveNames{"t", names}));
    CHECK(said_in_json<compat::WantNames>(node.outputs(), 2).empty());
  }
  CHECK(node.engine.peers().size() == 2);
  CHECK_FALSE(node.engine.grey(numbered(2)));
  // It starts again, and counts from one: that is a new message, though its name is not.
  node.say(2, json_message(numbered(3), "8a88e3dd:000001", "bmV3"));
  CHECK(only<Deliver>(node.outputs()).size() == 1);
}

TEST_CASE("pubsub compat: a program that has said nothing for long is told of messages, and forgotten if it wants none",
          "[pubsub]") {
  EngineFixture node{compat_config()};
  REQUIRE(node.engine.subscribe("t", false, node.now));
  node.engine.on_peer_connected(numbered(2), Form::compat, node.now);
  node.pass(2min);
  const auto report = node.engine.publish("t", body("hi"), node.now);
  REQUIRE(report);
  CHECK(report->peers == 0);
  auto out = node.outputs();
  CHECK(said_in_json<PublishedMessage>(out, 2).empty());
  const auto told = said_in_json<compat::HaveNames>(out, 2);
  REQUIRE(told.size() == 1);
  // One that is there asks, and is sent the next as it is.
  node.say(2, compat::encode(compat::WantNames{told[0].names}));
  CHECK(said_in_json<PublishedMessage>(node.outputs(), 2).size() == 1);
  REQUIRE(node.engine.publish("t", body("there"), node.now));
  CHECK(said_in_json<PublishedMessage>(node.outputs(), 2).size() == 1);

  node.pass(2min);
  std::size_t bodies = 0;
  bool gone = false;
  for (int i = 0; i < 3'000 && !gone; ++i) {
    REQUIRE(node.engine.publish("t", body(std::to_string(i)), node.now));
    out = node.pass(100ms);
    bodies += only<SendBody>(out).size();
    gone = !only<Disconnect>(out).empty();
  }
  CHECK(gone);
  CHECK(bodies <= 1'200);
  CHECK(node.engine.peers().empty());
}

TEST_CASE("pubsub compat: what a hostile JSON peer says costs a bounded amount, and it is left alone for it", "[pubsub]") {
  EngineFixture node{compat_config()};
  REQUIRE(node.engine.subscribe("t", false, node.now));
  const auto begin = [&] {
    node.engine.on_peer_connected(numbered(2), Form::compat, node.now);
    node.quiet();
  };
  const auto have = [](const std::string& ids) {
    return body(R"({"type":"gossipsub","msg_type":"IHAVE","topic":"t","msg_ids":[)" + ids + "]}");
  };
  begin();
  SECTION("names without end") {
    for (int round = 0; round < 60; ++round) {
      std::string ids;
      for (int i = 0; i < 20'000; ++i) ids += (i == 0 ? "\"" : ",\"") + std::to_string(round * 20'000 + i) + "\"";
      node.say(2, have(ids));
      for (const auto& asked : said_in_json<compat::WantNames>(node.pass(1s), 2)) CHECK(asked.names.size() <= 64);
      CHECK(node.engine.sizes().wants <= Config{}.max_wants_per_peer);
    }
    CHECK(node.engine.counters().over_rate == 0);  // 5000 of each are looked at
    CHECK(node.engine.peers().empty());            // for it has none of them
  }
  SECTION("names that are too long, and those that are no texts") {
    node.say(2, have("\"" + std::string(1'000'000, 'a') + "\""));
    CHECK(node.engine.sizes().wants == 0);
    node.say(2, have("7"));
    CHECK(node.engine.counters().malformed == 1);
  }
  SECTION("JSON that is none, or too deep, or of another kind") {
    const auto deep = std::string(100'000, '[') + std::string(100'000, ']');
    for (const auto& text : {std::string{R"({"type":"gossipsub","msg_type":"GRAFT","topic":"t")"}, deep,
                             R"({"type":"gossipsub","x":)" + deep + "}", std::string{R"({"type":["gossipsub"]})"},
                             std::string{"{\"type\":\"gossipsub\",\"msg_type\":\"GRAFT\",\"topic\":\"\\u0000\"}"}}) {
      CHECK_FALSE(compat::decode(body(text)));
      node.say(2, body(text));
    }
    CHECK(node.engine.grey(numbered(2)));
    CHECK(node.engine.peers().empty());
    begin();
    CHECK(node.engine.peers().empty());
  }
  SECTION("messages beyond the size") {
    for (int i = 0; i < 4; ++i) node.say(2, json_message(numbered(2), std::to_string(i), std::string(1'500'000, 'A')));
    CHECK(only<Deliver>(node.outputs()).empty());
    CHECK(node.engine.counters().refused == 4);
    CHECK(node.engine.grey(numbered(2)));
  }
  SECTION("messages beyond the rate") {
    for (int i = 0; i < 12'000; ++i) node.say(2, json_message(numbered(2), std::to_string(i), "aGk="));
    CHECK(only<Deliver>(node.outputs()).size() <= Config{}.messages_per_origin.burst);
    CHECK(node.engine.grey(numbered(2)));
  }
  SECTION("questions without end") {
    REQUIRE(node.engine.publish("t", body("hi"), node.now));
    const auto name = said_in_json<PublishedMessage>(node.outputs(), 2).at(0).name;
    std::vector<MessageName> names(5'000, name);
    node.say(2, compat::encode(compat::WantNames{std::move(names)}));
    CHECK(said_in_json<PublishedMessage>(node.outputs(), 2).size() <= 3);
    CHECK(node.engine.grey(numbered(2)));
  }
  SECTION("a GRAFT for each of a million topics") {
    for (int i = 0; i < 3'000; ++i) node.say(2, compat::encode(Graft{std::to_string(i)}));
    CHECK(node.outputs().empty());
    CHECK(node.engine.topics().size() == 1);
  }
}
