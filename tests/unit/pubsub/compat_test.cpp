#include "pubsub/compat_codec.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
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
  CHECK(compat::may_be_gossip(good));
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
