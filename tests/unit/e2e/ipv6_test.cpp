#include "e2e/ipv6.hpp"

#include <catch2/catch_test_macros.hpp>

#include "e2e/engine.hpp"
#include "e2e/session_manager.hpp"
#include "support.hpp"
#include "vectors.hpp"

using namespace axl;
using namespace axl::test;
using axl::e2e::Engine;
using axl::e2e::SessionManager;

namespace {

constexpr Time t0{};
constexpr Duration kUnix{std::chrono::seconds{1'734'000'000}};

// A bare session layer on one side, the engine under test on the other, with a session between them.
struct Pair {
  explicit Pair(e2e::Config wanted = e2e::Config::reference())
      : config{std::move(wanted)},
        vectors{load_vectors("session/ipv6.json")},
        a_key{key_from(hex(vectors["a_seed"]))},
        b_key{key_from(hex(vectors["b_seed"]))},
        a{config, a_key, rng, kUnix},
        b{config, b_key, rng, kUnix, t0} {
    REQUIRE(a_key.public_key().to_hex() == text(vectors["a_public"]));
    REQUIRE(b_key.public_key().to_hex() == text(vectors["b_public"]));
    REQUIRE(a.open(b_key.public_key(), t0));
    exchange();
    REQUIRE(b.is_open(a_key.public_key()));
  }

  void exchange() {
    for (bool busy = true; busy;) {
      busy = false;
      while (auto output = a.poll_output()) {
        busy = true;
        if (auto* sent = std::get_if<SessionManager::Send>(&*output))
          b.on_packet(a_key.public_key(), std::move(sent->packet), t0);
        if (auto* got = std::get_if<SessionManager::Deliver>(&*output)) to_a.push_back(to_bytes(got->payload));
      }
      while (auto output = b.poll_output()) {
        busy = true;
        if (auto* sent = std::get_if<Engine::SendPacket>(&*output))
          a.on_packet(b_key.public_key(), std::move(sent->payload), t0);
        if (auto* got = std::get_if<Engine::DeliverPacket>(&*output)) {
          CHECK(got->source == a_key.public_key());
          CHECK(reinterpret_cast<std::uintptr_t>(got->packet.data()) % 4 == 0);
          to_b.push_back(to_bytes(got->packet));
        }
        if (std::holds_alternative<Engine::SendLookup>(*output)) ++lookups;
      }
    }
  }

  void send(ByteSpan payload) {
    REQUIRE(a.send(b_key.public_key(), Buffer::copy_of(payload, Buffer::kHeadroom), t0));
    exchange();
  }

  e2e::Config config;
  simdjson::dom::element vectors;
  PrivateKey a_key;
  PrivateKey b_key;
  crypto::SeededRng rng{1};
  SessionManager a;
  Engine b;
  std::vector<Bytes> to_a;
  std::vector<Bytes> to_b;
  std::size_t lookups = 0;
};

}  // namespace

TEST_CASE("ipv6: recorded packets are taken or dropped as the reference does", "[e2e]") {
  Pair pair;
  std::size_t cases = 0;
  for (const auto vector : pair.vectors["packets"].get_array()) {
    ++cases;
    INFO(text(vector["note"]));
    pair.to_b.clear();
    pair.send(hex(vector["session_payload"]));
    if (static_cast<bool>(vector["receiver_accepts"].get_bool())) {
      REQUIRE(pair.to_b.size() == 1);
      CHECK(to_hex(pair.to_b[0]) == text(vector["ipv6"]));
    } else {
      CHECK(pair.to_b.empty());
    }
  }
  CHECK(cases == 8);
  CHECK(pair.to_a.empty());
}

TEST_CASE("ipv6: strict_addresses lets through exact addresses only", "[e2e]") {
  auto config = e2e::Config::reference();
  config.strict_addresses = true;
  Pair pair{config};
  std::vector<std::string> taken;
  for (const auto vector : pair.vectors["packets"].get_array()) {
    pair.to_b.clear();
    pair.send(hex(vector["session_payload"]));
    if (!pair.to_b.empty()) taken.emplace_back(text(vector["note"]));
  }
  CHECK(taken == std::vector<std::string>{"A address to B address"});
}

TEST_CASE("ipv6: Packet Too Big has the recorded bytes and goes back to the sender", "[e2e]") {
  for (const auto* name : {"packet_too_big", "packet_too_big_2"}) {
    for (const bool strict : {false, true}) {
      INFO(name << (strict ? ", strict" : ""));
      const auto vector = load_vectors("session/ipv6.json")[name];
      auto config = e2e::Config::reference();
      config.mtu = u64(vector["mtu"]);
      config.strict_packet_too_big = strict;
      Pair pair{config};
      const auto received = hex(vector["received"]);
      CHECK(to_hex(e2e::packet_too_big(received, static_cast<std::uint32_t>(config.mtu))) == text(vector["icmp"]));

      Bytes payload{std::byte{1}};
      payload.insert(payload.end(), received.begin(), received.end());
      pair.send(payload);
      CHECK(pair.to_b.empty());
      REQUIRE(pair.to_a.size() == 1);
      CHECK(to_hex(pair.to_a[0]) == "01" + std::string{text(vector["icmp"])});

      payload.resize(1 + config.mtu);  // the largest that passes
      pair.to_a.clear();
      pair.send(payload);
      CHECK(pair.to_a.empty());
      CHECK(pair.to_b.size() == 1);
    }
  }
}

TEST_CASE("ipv6: strict_packet_too_big answers nobody but the session's own key", "[e2e]") {
  const auto stranger = Address::of(numbered_key(99).public_key());
  for (const bool strict : {false, true}) {
    auto config = e2e::Config::reference();
    config.strict_packet_too_big = strict;
    Pair pair{config};
    auto packet = ipv6_packet(stranger, Address::of(pair.b_key.public_key()), 1'281);
    packet.prepend(std::array{std::byte{1}});
    pair.send(packet);
    CHECK(pair.to_a.empty());
    CHECK(pair.lookups == (strict ? 0 : 1));  // the reference goes looking for a victim
  }
}

TEST_CASE("ipv6: remote protocol messages have the recorded types", "[e2e]") {
  auto config = e2e::Config::reference();
  Pair pair{config};
  const auto payloads = pair.vectors["proto_payloads"];
  pair.send(hex(payloads["nodeinfo_request"]));
  pair.send(hex(payloads["debug_getself_request"]));
  REQUIRE(pair.to_a.size() == 2);
  CHECK(to_hex(pair.to_a[0]).starts_with(text(payloads["nodeinfo_response_prefix"])));
  CHECK(to_hex(pair.to_a[1]).starts_with(text(payloads["debug_getself_response_prefix"])));
  pair.to_a.clear();

  for (const auto* what : {"peers", "tree"}) {
    const std::string name = std::string{"debug_get"} + what;
    REQUIRE(pair.a.send(pair.b_key.public_key(), Buffer::copy_of(hex(payloads[name + "_request"])), t0));
    auto from_a = drain(pair.a);
    for (auto& sent : only<SessionManager::Send>(from_a))
      pair.b.on_packet(pair.a_key.public_key(), std::move(sent.packet), t0);
    auto outputs = drain(pair.b);
    const auto wanted = only<Engine::KeysWanted>(outputs);
    REQUIRE(wanted.size() == 1);
    CHECK(wanted[0].asker == pair.a_key.public_key());
    pair.b.answer_keys(wanted[0].asker, wanted[0].response_type, {pair.b_key.public_key()}, t0);
    pair.exchange();
    REQUIRE(pair.to_a.size() == 1);
    CHECK(to_hex(pair.to_a[0]) ==
          std::string{text(payloads[name + "_response_prefix"])} + pair.b_key.public_key().to_hex());
    pair.to_a.clear();
  }
}
