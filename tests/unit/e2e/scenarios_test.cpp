// The recorded runs of two session managers of the reference, repeated step by step with its rules.
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <memory>
#include <string>

#include "e2e/session_manager.hpp"
#include "support.hpp"
#include "vectors.hpp"

using namespace axl;
using namespace axl::test;
using axl::e2e::SessionManager;
using simdjson::dom::element;

namespace {

struct Node {
  Node(const e2e::Config& config, const PrivateKey& private_key)
      : key{private_key.public_key()}, manager{config, private_key, rng, Duration::zero()} {}
  PublicKey key;
  RecordedRng rng;
  SessionManager manager;
};

void check_pair(const crypto::BoxKeyPair& pair, element expected, const std::string& name) {
  INFO(name);
  CHECK(to_hex(pair.public_key.bytes) == text(expected[name + "_pub"]));
  CHECK(to_hex(pair.private_key.bytes()) == text(expected[name + "_priv"]));
}

void check_channel(const e2e::Session& session, e2e::Session::Channel e2e::Session::State::*channel, element expected,
                   const std::string& name) {
  INFO(name);
  const auto golden = hex(expected[name + "_shared"]);
  const crypto::Secret box_key{std::span<const std::byte, 32>{golden}};
  CHECK(to_hex(session.secret_of(channel).bytes()) == to_hex(crypto::stream_key(box_key).bytes()));
  CHECK((session.state().*channel).nonce == u64(expected[name + "_nonce"]));
}

void check_session(const Node& node, const PublicKey& remote, element expected) {
  const auto* entry = node.manager.sessions().find(remote);
  REQUIRE((entry != nullptr) == !expected.is_null());
  if (entry == nullptr) return;
  const auto& state = entry->session.state();
  CHECK(state.remote_seq == u64(expected["remote_seq"]));
  CHECK(to_hex(state.remote_current.bytes) == text(expected["remote_current"]));
  CHECK(to_hex(state.remote_next.bytes) == text(expected["remote_next"]));
  CHECK(state.remote_key_seq == u64(expected["remote_key_seq"]));
  CHECK(state.local_key_seq == u64(expected["local_key_seq"]));
  check_pair(state.recv, expected, "recv");
  check_pair(state.send, expected, "send");
  check_pair(state.next, expected, "next");
  using State = e2e::Session::State;
  check_channel(entry->session, &State::receiving, expected, "recv");
  check_channel(entry->session, &State::sending, expected, "send");
  check_channel(entry->session, &State::receiving_next_send, expected, "next_send");
  check_channel(entry->session, &State::receiving_next_recv, expected, "next_recv");
  CHECK(state.rx == u64(expected["rx"]));
  CHECK(state.tx == u64(expected["tx"]));
  REQUIRE(state.rotated_at.has_value() == has(expected, "rotated_unix_ms"));
  if (state.rotated_at) {
    CHECK(*state.rotated_at == Time{std::chrono::milliseconds{u64(expected["rotated_unix_ms"])}});
  }
}

void check_buffer(const Node& node, const PublicKey& remote, element expected) {
  const auto* opening = node.manager.openings().find(remote);
  REQUIRE((opening != nullptr) == !expected.is_null());
  CHECK(node.manager.waiting().has(remote) == !expected.is_null());
  if (opening == nullptr) return;
  CHECK(to_hex(node.manager.waiting().head(remote)) == text(expected["data"]));
  check_pair(opening->announced.current, expected, "current");
  check_pair(opening->announced.next, expected, "next");
  CHECK(u64(expected["key_seq"]) == 0);
  CHECK(opening->seq == u64(expected["seq"]));
}

void run_step(Node& node, const PublicKey& remote, element step) {
  const Time now{std::chrono::milliseconds{u64(step["now_unix_ms"])}};
  for (const auto pair : step["keys_generated"].get_array()) node.rng.feed(hex(pair["priv"]));
  const auto op = text(step["op"]);
  if (op == "write") {
    REQUIRE(node.manager.send(remote, Buffer::copy_of(hex(step["payload"]), Buffer::kHeadroom), now));
  } else if (op == "receive") {
    node.manager.on_packet(remote, Buffer::copy_of(hex(step["packet"])), now);
  } else if (op == "session_timeout") {
    node.manager.forget_session(remote);
  } else {
    REQUIRE(op == "buffer_timeout");
    node.manager.forget_opening(remote);
  }
  CHECK(node.rng.exhausted());

  auto outputs = drain(node.manager);
  const auto sent = only<SessionManager::Send>(outputs);
  const auto expected_sent = step["sent"].get_array();
  REQUIRE(sent.size() == expected_sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    CHECK(sent[i].dest == remote);
    CHECK(to_hex(sent[i].packet) == text(expected_sent.at(i)["packet"]));
  }
  const auto delivered = only<SessionManager::Deliver>(outputs);
  const auto expected_delivered = step["delivered"].get_array();
  REQUIRE(delivered.size() == expected_delivered.size());
  for (std::size_t i = 0; i < delivered.size(); ++i) {
    CHECK(delivered[i].source == remote);
    CHECK(to_hex(delivered[i].payload) == text(expected_delivered.at(i)["payload"]));
  }
  CHECK(only<SessionManager::Lookup>(outputs).empty());
  check_session(node, remote, step["state_after"]["session"]);
  check_buffer(node, remote, step["state_after"]["buffer"]);
}

}  // namespace

TEST_CASE("scenarios: every recorded run gives the same packets, payloads and state after each step", "[e2e]") {
  const auto config = e2e::Config::reference();
  std::size_t scenarios = 0;
  for (const auto scenario : load_vectors("session/session_scenarios.json")["scenarios"].get_array()) {
    ++scenarios;
    const std::string name{text(scenario["name"])};
    Node a{config, key_from(hex(scenario["a_seed"]))};
    Node b{config, key_from(hex(scenario["b_seed"]))};
    REQUIRE(a.key.to_hex() == text(scenario["a_public"]));
    REQUIRE(b.key.to_hex() == text(scenario["b_public"]));
    std::size_t number = 0;
    for (const auto step : scenario["steps"].get_array()) {
      INFO(name << ", step " << number++ << ": " << text(step["node"]) << " " << text(step["op"]));
      const bool is_a = text(step["node"]) == "A";
      run_step(is_a ? a : b, is_a ? b.key : a.key, step);
    }
  }
  CHECK(scenarios == 15);
}
