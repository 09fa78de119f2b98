// Nothing that comes from the network, however malformed, makes the engine crash, deliver, or remember without bound.
#include <catch2/catch_test_macros.hpp>

#include "e2e/engine.hpp"
#include "e2e/session_manager.hpp"
#include "support.hpp"

using namespace axl;
using namespace axl::test;
using namespace std::chrono_literals;
using axl::e2e::Engine;

namespace {

constexpr Time t0{};
constexpr Duration kUnix{1'734'000'000s};

struct Node {
  explicit Node(std::uint64_t number, e2e::Config config = {})
      : private_key{numbered_key(number)},
        key{private_key.public_key()},
        address{Address::of(key)},
        rng{number},
        engine{config, private_key, rng, kUnix, t0} {}
  PrivateKey private_key;
  PublicKey key;
  Address address;
  crypto::SeededRng rng;
  Engine engine;
};

// Every datagram of an ordinary conversation between two nodes.
std::vector<Bytes> conversation(Node& a, Node& b) {
  std::vector<Bytes> packets;
  a.engine.open(b.key, t0);
  for (bool busy = true; busy;) {
    busy = false;
    for (auto* from : {&a, &b}) {
      auto* to = from == &a ? &b : &a;
      for (auto& output : drain(from->engine)) {
        if (auto* sent = std::get_if<Engine::SendPacket>(&output)) {
          busy = true;
          packets.push_back(to_bytes(sent->payload));
          to->engine.on_packet(from->key, std::move(sent->payload), t0);
        }
      }
    }
  }
  REQUIRE(a.engine.is_open(b.key));
  REQUIRE(b.engine.is_open(a.key));
  for (int i = 0; i < 4; ++i) {
    REQUIRE(a.engine.send(b.key, ipv6_packet(a.address, b.address, 60), t0));
    for (auto& output : drain(a.engine)) {
      if (auto* sent = std::get_if<Engine::SendPacket>(&output)) packets.push_back(to_bytes(sent->payload));
    }
  }
  return packets;
}

std::size_t delivered(Engine& engine) {
  auto outputs = drain(engine);
  return only<Engine::DeliverPacket>(outputs).size();
}

}  // namespace

TEST_CASE("fuzz: every truncation of every packet is refused, with and without a session", "[e2e]") {
  Node a{1};
  Node b{2};
  Node fresh{3};
  const auto packets = conversation(a, b);
  REQUIRE(packets.size() >= 7);
  for (const auto& packet : packets) {
    for (std::size_t size = 0; size < packet.size(); ++size) {
      for (auto* node : {&b, &fresh}) {
        node->engine.on_packet(a.key, Buffer::copy_of(ByteSpan{packet}.first(size)), t0);
        CHECK(delivered(node->engine) == 0);
      }
    }
  }
  // The whole ones still pass afterwards.
  for (std::size_t i = packets.size() - 4; i < packets.size(); ++i) {
    b.engine.on_packet(a.key, Buffer::copy_of(packets[i]), t0);
    CHECK(delivered(b.engine) == 1);
  }
}

TEST_CASE("fuzz: random and randomly altered packets never crash or deliver", "[e2e]") {
  auto config = e2e::Config{};
  config.max_sessions = 16;
  config.verifications_per_source = {};
  config.verifications_of_strangers = {};
  config.verifications_of_known = {};
  config.strayed_inits = {};
  Node a{1, config};
  Node b{2, config};
  const auto packets = conversation(a, b);
  crypto::SeededRng random{7};
  const auto below = [&](std::uint64_t limit) { return static_cast<std::size_t>(random.next_u64() % limit); };
  Time now = t0;
  for (int round = 0; round < 6'000; ++round) {
    Bytes packet;
    if (below(2) == 0) {
      packet.resize(1 + below(260));
      random.fill(packet);
      packet[0] = static_cast<std::byte>(below(5));
      if (packet.size() > 8 && below(2) == 0) {
        for (std::size_t i = 1; i < 4; ++i) packet[i] = static_cast<std::byte>(below(4));  // plausible numbers
      }
    } else {
      packet = packets[below(packets.size())];
      packet[1 + below(packet.size() - 1)] ^= static_cast<std::byte>(1 + below(255));
    }
    const auto source = below(3) == 0 ? numbered_key(10 + below(8)).public_key() : a.key;
    b.engine.on_packet(source, Buffer::copy_of(packet), now);
    CHECK(delivered(b.engine) == 0);
    now += 1ms;
    if (const auto due = b.engine.next_tick(); due && *due <= now) b.engine.on_tick(now);
  }
  CHECK(b.engine.sessions(now).size() <= 16);
}

TEST_CASE("fuzz: random payloads inside a good session never crash, and only good packets are delivered", "[e2e]") {
  const e2e::Config config;
  const auto a_key = numbered_key(1);
  crypto::SeededRng rng{1};
  e2e::SessionManager a{config, a_key, rng, kUnix};
  const auto a_address = Address::of(a_key.public_key());
  Node b{2};
  REQUIRE(a.open(b.key, t0));
  std::size_t handed_up = 0;
  const auto carry = [&] {
    for (bool busy = true; busy;) {
      busy = false;
      while (auto output = a.poll_output()) {
        auto* sent = std::get_if<e2e::SessionManager::Send>(&*output);
        if (sent == nullptr) continue;
        busy = true;
        b.engine.on_packet(a_key.public_key(), std::move(sent->packet), t0);
      }
      while (auto output = b.engine.poll_output()) {
        if (auto* sent = std::get_if<Engine::SendPacket>(&*output)) {
          busy = true;
          a.on_packet(b.key, std::move(sent->payload), t0);
        }
        if (std::holds_alternative<Engine::DeliverPacket>(*output)) ++handed_up;
      }
    }
  };
  carry();
  REQUIRE(b.engine.is_open(a_key.public_key()));

  crypto::SeededRng random{11};
  const auto below = [&](std::uint64_t limit) { return static_cast<std::size_t>(random.next_u64() % limit); };
  std::size_t expected = 0;
  for (int round = 0; round < 3'000; ++round) {
    Buffer payload;
    if (below(2) == 0) {
      payload = Buffer{1 + below(120), Buffer::kHeadroom};
      random.fill(payload.mutable_span());
      payload.data()[0] = static_cast<std::byte>(below(4));
    } else {
      payload = ipv6_packet(a_address, b.address, 40 + below(100));
      const auto at = below(200);
      if (at < payload.size()) payload.data()[at] ^= static_cast<std::byte>(1 + below(255));
      const auto bytes = payload.span();
      const auto good = (bytes[0] >> 4) == std::byte{6} &&
                        std::ranges::equal(bytes.subspan(8, 16), a_address.bytes()) &&
                        std::ranges::equal(bytes.subspan(24, 16), b.address.bytes());
      expected += good ? 1 : 0;
      payload.prepend(std::array{std::byte{1}});
    }
    REQUIRE(a.send(b.key, std::move(payload), t0));
    carry();
  }
  CHECK(handed_up == expected);
  CHECK(expected > 500);
}
