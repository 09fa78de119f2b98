#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <thread>

#include "node_fixture.hpp"

using namespace axl;
using namespace axl::test;
using namespace std::chrono_literals;

TEST_CASE("node: a message between linked nodes is acknowledged and carries the sender's full key", "[node]") {
  const auto alice = make_node(listening());
  const auto bob = make_node(dialling(*alice));
  Awaited<Message> arrived;
  alice->router().on_message([&](Message message) { arrived.set(std::move(message)); });
  REQUIRE(alice->start());
  REQUIRE(bob->start());

  const auto report = send_and_wait(*bob, alice->key(), to_bytes("hello"), {.id = "my-name", .topic = "greetings"});
  REQUIRE(report);
  CHECK(report->delivery == Delivery::queued);
  CHECK(report->id == "my-name");
  const auto message = arrived.get();
  CHECK(message.body.text() == "hello");
  CHECK(message.sender == bob->key());
  CHECK(message.address == bob->address());
  CHECK(message.id == "my-name");
  CHECK(message.topic == "greetings");
}

TEST_CASE("node: messages cross a node in the middle, in both directions and in order", "[node]") {
  const auto middle = make_node(listening());
  const auto left = make_node(dialling(*middle));
  const auto right = make_node(dialling(*middle));
  REQUIRE(middle->start());
  REQUIRE(left->start());
  REQUIRE(right->start());
  constexpr auto kCount = 50;
  std::vector<std::string> seen;
  std::atomic<int> failures{0};
  Awaited<bool> all;
  right->router().on_message([&](const Message& message) {
    seen.emplace_back(message.body.text());
    if (seen.size() == kCount) all.set(true);
  });
  for (auto i = 0; i < kCount; ++i) {
    left->send(right->key(), to_bytes(std::to_string(i)), [&](const auto& report) { failures += report ? 0 : 1; });
  }
  REQUIRE(all.get());
  for (std::size_t i = 0; i < kCount; ++i) CHECK(seen[i] == std::to_string(i));
  CHECK(failures == 0);
  CHECK(send_and_wait(*right, left->key(), to_bytes("back")));
}

TEST_CASE("node: a message to oneself is queued", "[node]") {
  const auto node = make_node();
  REQUIRE(node->start());
  REQUIRE(send_and_wait(*node, node->key(), to_bytes("note")));
  Awaited<std::optional<Message>> got;
  node->post([&] { got.set(node->router().receive()); });
  const auto message = got.get();
  REQUIRE(message);
  CHECK(message->body.text() == "note");
  CHECK(message->sender == node->key());
}

TEST_CASE("node: one key runs once in a process", "[node]") {
  NodeConfig config;
  config.identity = PrivateKey::generate();
  auto first = make_node(config);
  const auto second = Node::create(config);
  REQUIRE_FALSE(second);
  CHECK(second.error().is(Errc::already_exists));
  first.reset();
  CHECK(Node::create(config));
}

TEST_CASE("node: a peer that does not exist is reported within the time allowed", "[node]") {
  const auto alice = make_node(listening());
  auto config = dialling(*alice);
  config.dial_timeout = 1s;
  config.send_timeout = 1s;
  const auto bob = make_node(std::move(config));
  REQUIRE(alice->start());
  REQUIRE(bob->start());
  const auto report = send_and_wait(*bob, PrivateKey::generate().public_key(), to_bytes("hello?"));
  REQUIRE_FALSE(report);
  CHECK((report.error().is(Errc::timed_out) || report.error().is(Errc::unreachable)));
}

TEST_CASE("node: peers are added and removed while it runs, and the topology shows them", "[node]") {
  const auto alice = make_node(listening());
  const auto bob = make_node();
  REQUIRE(alice->start());
  REQUIRE(bob->start());
  const auto uri = alice->listeners().at(0);
  Awaited<NodeEvent> up;
  Awaited<NodeEvent> down;
  bob->on_event([&](const NodeEvent& event) {
    if (event.kind == NodeEvent::Kind::peer_up) up.set(event);
    if (event.kind == NodeEvent::Kind::peer_down) down.set(event);
  });
  REQUIRE(bob->add_peer(uri));
  CHECK(up.get().key == alice->key());
  const auto again = bob->add_peer(uri);
  REQUIRE_FALSE(again);
  CHECK(again.error().is(Errc::already_exists));
  const auto topology = bob->topology();
  REQUIRE(topology.peers.size() == 1);
  CHECK(topology.peers[0].up);
  CHECK_FALSE(topology.peers[0].inbound);
  CHECK(topology.peers[0].uri == uri);
  CHECK(topology.peers[0].key == alice->key());
  REQUIRE(bob->remove_peer(uri));
  CHECK(down.get().key == alice->key());
  CHECK(bob->topology().peers.empty());
  const auto gone = bob->remove_peer(uri);
  REQUIRE_FALSE(gone);
  CHECK(gone.error().is(Errc::not_found));
}

TEST_CASE("node: bad configurations are refused with the name of what is wrong", "[node]") {
  NodeConfig config;
  config.mtu = 100;
  const auto node = Node::create(config);
  REQUIRE_FALSE(node);
  CHECK(node.error().is(Errc::invalid_argument));
  CHECK(node.error().text().find("mtu") != std::string::npos);
}

TEST_CASE("node: without a thread of its own it moves when polled", "[node]") {
  const auto alice = make_node(listening(RunMode::poll));
  const auto bob = make_node(dialling(*alice, RunMode::poll));
  REQUIRE(alice->start());
  REQUIRE(bob->start());
  auto delivered = false;
  bob->send(alice->key(), to_bytes("frame by frame"), [&](const auto& report) { delivered = report.ok(); });
  while (!delivered) {
    static_cast<void>(alice->poll());
    static_cast<void>(bob->poll());
  }
  const auto message = alice->router().receive();
  REQUIRE(message);
  CHECK(message->body.text() == "frame by frame");
}

TEST_CASE("node: poll() with no budget does one item and comes on with each call", "[node]") {
  const auto alice = make_node(listening(RunMode::poll));
  const auto bob = make_node(dialling(*alice, RunMode::poll));
  REQUIRE(alice->start());
  REQUIRE(bob->start());
  auto delivered = false;
  bob->send(alice->key(), Bytes(100'000), [&](const auto& report) { delivered = report.ok(); });
  std::size_t most = 0;
  while (!delivered) {
    for (const auto* node : {&alice, &bob}) most = std::max(most, (*node)->poll({}));
  }
  CHECK(most == 1);
}

TEST_CASE("node: poll() waits for something to do, and a call from another thread ends that", "[node]") {
  NodeConfig config;
  config.run = RunMode::poll;
  const auto node = make_node(std::move(config));
  REQUIRE(node->start());
  auto called = false;
  std::thread other{[&] { node->post([&] { called = true; }); }};
  while (!called) static_cast<void>(node->poll(std::chrono::milliseconds{1}, std::chrono::hours{1}));
  other.join();
  node->stop();
  CHECK(node->poll(std::chrono::milliseconds{1}, std::chrono::hours{1}) == 0);
}

TEST_CASE("node: stops while sends and connects are under way", "[node]") {
  const auto alice = make_node(listening());
  REQUIRE(alice->start());
  for (auto round = 0; round < 5; ++round) {
    auto bob = make_node(dialling(*alice));
    REQUIRE(bob->start());
    for (auto i = 0; i < 20; ++i) {
      bob->send(alice->key(), Bytes(10'000), [](const auto&) {});
      bob->connect(alice->key(), 4242, [](auto) {});
    }
    std::thread stopper{[&] { bob->stop(); }};
    stopper.join();
    CHECK(bob->topology().our_key == bob->key());
  }
}
