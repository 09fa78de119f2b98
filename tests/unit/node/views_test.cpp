// What a program learns from its node about others, and about the node itself.
#include <axl/router.hpp>
#include <catch2/catch_test_macros.hpp>
#include <thread>

#include "node_fixture.hpp"

using namespace axl;
using namespace axl::test;
using namespace std::chrono_literals;

namespace {

Result<Duration> ping_and_wait(Node& from, const PublicKey& key, Duration timeout) {
  Awaited<Result<Duration>> answer;
  from.ping(key, timeout, [&](Result<Duration> got) { answer.set(std::move(got)); });
  return answer.get();
}

struct Pair {
  std::unique_ptr<Node> alice = make_node(listening());
  std::unique_ptr<Node> bob = make_node(dialling(*alice));
  Pair() {
    REQUIRE(alice->start());
    REQUIRE(bob->start());
    REQUIRE(send_and_wait(*bob, alice->key(), to_bytes("hello")));
  }
};

}  // namespace

TEST_CASE_METHOD(Pair, "node: a ping measures the way to a key", "[node]") {
  const auto answer = ping_and_wait(*bob, alice->key(), 60s);
  REQUIRE(answer);
  CHECK(*answer > 0ns);
  CHECK(ping_and_wait(*bob, alice->address().partial_key(), 60s).ok());
  CHECK(ping_and_wait(*bob, bob->key(), 60s).ok());
}

TEST_CASE_METHOD(Pair, "node: a ping to nobody says so when its time is over", "[node]") {
  CHECK(ping_and_wait(*bob, PrivateKey::generate().public_key(), 50ms).error().is(Errc::unreachable));
  CHECK(ping_and_wait(*bob, Address::of(PrivateKey::generate().public_key()).partial_key(), 50ms)
            .error()
            .is(Errc::unreachable));
}

TEST_CASE("node: a ping that a stopping node has under way hears nothing", "[node]") {
  auto node = make_node();
  REQUIRE(node->start());
  node->ping(PrivateKey::generate().public_key(), 60s, [](const Result<Duration>&) { FAIL("called"); });
  node->stop();
}

TEST_CASE_METHOD(Pair, "node: it knows its neighbours, and itself when asked", "[node]") {
  const auto known = bob->known_nodes(10);
  REQUIRE(known.size() == 1);
  CHECK(known[0].key == alice->key());
  CHECK(known[0].address == alice->address());
  CHECK(known[0].link);
  CHECK(known[0].session);
  CHECK(known[0].coords);
  CHECK_FALSE(known[0].old);
  CHECK(bob->known_nodes(0).empty());
  CHECK(bob->known_nodes(10, &known[0].key).empty());
  CHECK(bob->known_node(alice->address().partial_key()).value().key == alice->key());
  const auto self = bob->known_node(bob->key());
  REQUIRE(self);
  CHECK_FALSE(self->link);
  CHECK(self->coords == bob->topology().our_coords);
  CHECK(bob->known_node(PrivateKey::generate().public_key()).error().is(Errc::not_found));
}

TEST_CASE_METHOD(Pair, "node: it counts its links, sessions and messages", "[node]") {
  const auto sender = bob->statistics();
  CHECK(sender.configured_peers == 1);
  CHECK(sender.outbound.up == 1);
  CHECK(sender.outbound.established == 1);
  CHECK(sender.outbound.tx_bytes > 0);
  CHECK(sender.inbound.established == 0);
  CHECK(sender.sessions == 1);
  CHECK(sender.session_tx_packets > 0);
  CHECK(sender.session_tx_bytes > sender.session_tx_packets * 40);
  CHECK(sender.uptime > 0ns);
  const auto receiver = alice->statistics();
  CHECK(receiver.inbound.up == 1);
  CHECK(receiver.queue.messages == 1);
  CHECK(receiver.http_port.accepted == 1);
  CHECK(receiver.session_rx_bytes > 0);
  REQUIRE(receiver.process);
  CHECK(receiver.process->resident_bytes > 0);
  CHECK(prometheus_text(receiver).find("axl_receive_queue_messages 1\n") != std::string::npos);
}

TEST_CASE_METHOD(Pair, "node: what ended links carried stays counted", "[node]") {
  const auto before = bob->statistics().outbound;
  REQUIRE(bob->remove_peer(alice->listeners().at(0)));
  auto after = bob->statistics();
  while (after.outbound.up > 0) {
    std::this_thread::yield();
    after = bob->statistics();
  }
  CHECK(after.outbound.established == 1);
  CHECK(after.outbound.rx_bytes >= before.rx_bytes);
  CHECK(after.outbound.tx_bytes >= before.tx_bytes);
  CHECK(after.configured_peers == 0);
}
