#include "e2e/engine.hpp"

#include <catch2/catch_test_macros.hpp>

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
      : Node{numbered_key(number), number, std::move(config)} {}
  Node(const PrivateKey& wanted, std::uint64_t seed, e2e::Config config)
      : private_key{wanted},
        key{private_key.public_key()},
        address{Address::of(key)},
        rng{seed},
        engine{config, private_key, rng, kUnix, t0} {}

  PrivateKey private_key;
  PublicKey key;
  Address address;
  crypto::SeededRng rng;
  Engine engine;
};

// What has come out for the node itself while packets were carried between two nodes.
struct Seen {
  std::vector<Engine::DeliverPacket> packets;
  std::vector<PublicKey> up;
  std::vector<PublicKey> lookups;
};
using SeenBy = std::array<Seen, 2>;

SeenBy settle(Node& a, Node& b, Time now) {
  SeenBy seen;
  for (bool busy = true; busy;) {
    busy = false;
    for (std::size_t side = 0; side < 2; ++side) {
      auto& from = side == 0 ? a : b;
      auto& to = side == 0 ? b : a;
      for (auto& output : drain(from.engine)) {
        busy = true;
        if (auto* sent = std::get_if<Engine::SendPacket>(&output)) {
          if (sent->dest == to.key) to.engine.on_packet(from.key, std::move(sent->payload), now);
        } else if (auto* got = std::get_if<Engine::DeliverPacket>(&output)) {
          seen[side].packets.push_back(std::move(*got));
        } else if (const auto* up = std::get_if<Engine::SessionUp>(&output)) {
          seen[side].up.push_back(up->key);
        } else if (const auto* lookup = std::get_if<Engine::SendLookup>(&output)) {
          seen[side].lookups.push_back(lookup->target);
        }
      }
    }
  }
  return seen;
}

Buffer from_to(const Node& from, const Node& to, std::size_t size = 60, std::uint8_t tag = 0) {
  return ipv6_packet(from.address, to.address, size, tag);
}

// A key that shares its address with the other: the address carries not all of it.
PublicKey rival_of(const PublicKey& key) {
  auto bytes = std::array<std::byte, 32>{};
  std::ranges::copy(key.bytes(), bytes.begin());
  bytes[31] ^= std::byte{0x01};
  const PublicKey rival{bytes};
  REQUIRE(Address::of(rival) == Address::of(key));
  return rival;
}

}  // namespace

TEST_CASE("engine: packets sent before there is a session arrive in order from their key", "[e2e]") {
  Node a{1};
  Node b{2};
  for (std::uint8_t i = 0; i < 20; ++i) REQUIRE(a.engine.send(b.key, from_to(a, b, 60, i), t0));
  const auto seen = settle(a, b, t0);
  REQUIRE(seen[1].packets.size() == 20);
  for (std::uint8_t i = 0; i < 20; ++i) {
    CHECK(seen[1].packets[i].source == a.key);
    CHECK(to_bytes(seen[1].packets[i].packet) == to_bytes(from_to(a, b, 60, i)));
  }
  CHECK(seen[0].up == std::vector{b.key});
  CHECK(seen[1].up == std::vector{a.key});
  CHECK(a.engine.is_open(b.key));
  CHECK(b.engine.key_of(a.address) == a.key);
}

TEST_CASE("engine: open() looks up, brings the session up without data and pins the address", "[e2e]") {
  Node a{1};
  Node b{2};
  a.engine.open(b.key, t0);
  CHECK(a.engine.key_of(b.address) == b.key);
  CHECK_FALSE(a.engine.is_open(b.key));
  const auto seen = settle(a, b, t0);
  CHECK(seen[0].lookups == std::vector{b.key});
  CHECK(seen[0].up == std::vector{b.key});
  CHECK(seen[1].packets.empty());
  REQUIRE(b.engine.send(a.key, from_to(b, a), t0));
  CHECK(settle(a, b, t0)[0].packets.size() == 1);
}

TEST_CASE("engine: another key that answers at a pinned address is reported and gets nothing", "[e2e]") {
  Node a{1};
  Node b{2};
  const auto rival = rival_of(b.key);
  a.engine.on_path_found(rival, t0);
  CHECK(a.engine.key_of(b.address) == rival);
  drain(a.engine);
  a.engine.open(b.key, t0);
  CHECK(a.engine.key_of(b.address) == b.key);
  drain(a.engine);
  a.engine.on_path_found(rival, t0);
  auto outputs = drain(a.engine);
  const auto mismatches = only<Engine::KeyMismatch>(outputs);
  REQUIRE(mismatches.size() == 1);
  CHECK(mismatches[0].wanted == b.key);
  CHECK(mismatches[0].answered == rival);
  REQUIRE(a.engine.send_to_address(from_to(a, b), t0));
  a.engine.on_tick(t0 + 1s);
  for (auto& output : drain(a.engine)) {
    if (const auto* sent = std::get_if<Engine::SendPacket>(&output)) CHECK(sent->dest == b.key);
  }
}

TEST_CASE("engine: no mismatch is reported about a key whose session is up", "[e2e]") {
  Node a{1};
  Node b{2};
  a.engine.open(b.key, t0);
  settle(a, b, t0);
  a.engine.on_path_found(rival_of(b.key), t0);
  CHECK(drain(a.engine).empty());
}

TEST_CASE("engine: a packet to an address waits for the key that answers, and for no other", "[e2e]") {
  Node a{1};
  Node b{2};
  Node c{3};
  REQUIRE(a.engine.send_to_address(from_to(a, b, 60, 1), t0));
  REQUIRE(a.engine.send_to_address(from_to(a, b, 60, 2), t0));
  auto outputs = drain(a.engine);
  const auto lookups = only<Engine::SendLookup>(outputs);
  REQUIRE(lookups.size() == 1);
  CHECK(lookups[0].target == b.address.partial_key());
  a.engine.on_path_found(c.key, t0);
  CHECK(drain(a.engine).empty());
  a.engine.on_path_found(b.key, t0);
  const auto seen = settle(a, b, t0);
  REQUIRE(seen[1].packets.size() == 2);
  CHECK(seen[1].packets[0].packet.data()[59] == std::byte{1});
  CHECK(seen[1].packets[1].packet.data()[59] == std::byte{2});
}

TEST_CASE("engine: a packet into a subnet is looked up by the subnet", "[e2e]") {
  Node a{1};
  Node b{2};
  std::array<std::byte, 16> bytes{};
  std::ranges::copy(Subnet::of(b.key).bytes(), bytes.begin());
  bytes[15] = std::byte{1};
  REQUIRE(a.engine.send_to_address(ipv6_packet(a.address, Address{bytes}), t0));
  auto outputs = drain(a.engine);
  const auto lookups = only<Engine::SendLookup>(outputs);
  REQUIRE(lookups.size() == 1);
  CHECK(lookups[0].target == Subnet::of(b.key).partial_key());
  a.engine.on_path_found(b.key, t0);
  auto after = drain(a.engine);
  REQUIRE(only<Engine::SendPacket>(after).size() == 1);  // the Init
}

TEST_CASE("engine: packets that may not leave are refused and stay with the caller", "[e2e]") {
  Node a{1};
  Node b{2};
  const auto refused = [&](Buffer packet, Errc code) {
    const auto size = packet.size();
    auto sent = a.engine.send(b.key, std::move(packet), t0);
    REQUIRE_FALSE(sent);
    CHECK(sent.error().is(code));
    CHECK(packet.size() == size);
    sent = a.engine.send_to_address(std::move(packet), t0);
    REQUIRE_FALSE(sent);
    CHECK(packet.size() == size);
  };
  refused(Buffer{39}, Errc::malformed);
  auto version4 = from_to(a, b);
  version4.data()[0] = std::byte{0x45};
  refused(std::move(version4), Errc::malformed);
  refused(ipv6_packet(b.address, b.address), Errc::invalid_argument);  // not our source
  refused(ipv6_packet(a.address, a.address), Errc::invalid_argument);  // not the key's address, and our own
  refused(ipv6_packet(a.address, Address{}), Errc::invalid_argument);  // not in the overlay
  refused(ipv6_packet(a.address, b.address, 65'536), Errc::too_large);
  CHECK_FALSE(a.engine.send(a.key, from_to(a, a), t0));  // the node's to hand back
  CHECK(drain(a.engine).empty());
}

TEST_CASE("engine: any size leaves; mtu bounds only what comes in", "[e2e]") {
  Node a{1};
  Node b{2};
  e2e::Config wide;
  wide.mtu = 65'535;
  Node c{3, wide};
  a.engine.open(b.key, t0);
  settle(a, b, t0);
  a.engine.open(c.key, t0);
  settle(a, c, t0);
  REQUIRE(a.engine.send(c.key, from_to(a, c, 65'535), t0));
  CHECK(settle(a, c, t0)[1].packets.at(0).packet.size() == 65'535);
  REQUIRE(a.engine.send(b.key, from_to(a, b, 16'200), t0));
  CHECK(settle(a, b, t0)[1].packets.at(0).packet.size() == 16'200);
  REQUIRE(a.engine.send(b.key, from_to(a, b, 16'201), t0));
  const auto seen = settle(a, b, t0);
  CHECK(seen[1].packets.empty());
  REQUIRE(seen[0].packets.size() == 1);  // Packet Too Big
  CHECK(seen[0].packets[0].packet.data()[40] == std::byte{2});
}

TEST_CASE("engine: a received packet is 4-byte aligned wherever its datagram lay", "[e2e]") {
  Node a{1};
  Node b{2};
  a.engine.open(b.key, t0);
  settle(a, b, t0);
  for (std::size_t round = 0; round < 400; ++round) {  // past nonce 128: the header grows
    REQUIRE(a.engine.send(b.key, from_to(a, b, 61, static_cast<std::uint8_t>(round)), t0));
    auto outputs = drain(a.engine);
    auto sent = only<Engine::SendPacket>(outputs);
    REQUIRE(sent.size() == 1);
    auto placed = Buffer::copy_of(sent[0].payload, round % 5);
    const auto* before = placed.data();
    const bool preferred = reinterpret_cast<std::uintptr_t>(before) % 4 == e2e::kPreferredAddressModulo4;
    b.engine.on_packet(a.key, std::move(placed), t0);
    auto got_outputs = drain(b.engine);
    auto got = only<Engine::DeliverPacket>(got_outputs);
    REQUIRE(got.size() == 1);
    CHECK(reinterpret_cast<std::uintptr_t>(got[0].packet.data()) % 4 == 0);
    CHECK(to_bytes(got[0].packet) == to_bytes(from_to(a, b, 61, static_cast<std::uint8_t>(round))));
    if (preferred && round < 100) CHECK(got[0].packet.data() == before + 53);
  }
}

TEST_CASE("engine: sending and receiving in an open session moves no packet to another place", "[e2e]") {
  Node a{1};
  Node b{2};
  a.engine.open(b.key, t0);
  settle(a, b, t0);
  for (int i = 0; i < 10; ++i) {
    auto packet = from_to(a, b, 1'280);
    const auto* begin = packet.data();
    REQUIRE(a.engine.send(b.key, std::move(packet), t0));
    auto outputs = drain(a.engine);
    auto sent = only<Engine::SendPacket>(outputs);
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].payload.data() + sent[0].payload.size() == begin + 1'280);
    b.engine.on_packet(a.key, std::move(sent[0].payload), t0);
    auto got_outputs = drain(b.engine);
    auto got = only<Engine::DeliverPacket>(got_outputs);
    REQUIRE(got.size() == 1);
    CHECK(got[0].packet.data() <= begin);
    CHECK(begin - got[0].packet.data() < 4);
  }
}

TEST_CASE("engine: keys rotate under two-way traffic and every packet arrives", "[e2e]") {
  Node a{1};
  Node b{2};
  a.engine.open(b.key, t0);
  settle(a, b, t0);
  std::size_t arrived = 0;
  for (int second = 1; second <= 300; ++second) {
    const auto now = t0 + second * 1s;
    REQUIRE(a.engine.send(b.key, from_to(a, b), now));
    arrived += settle(a, b, now)[1].packets.size();
    REQUIRE(b.engine.send(a.key, from_to(b, a), now));
    arrived += settle(a, b, now)[0].packets.size();
    for (auto* node : {&a, &b}) {
      if (const auto due = node->engine.next_tick(); due && *due <= now) node->engine.on_tick(now);
    }
  }
  CHECK(arrived == 600);
  const auto views = a.engine.sessions(t0 + 300s);
  REQUIRE(views.size() == 1);
  CHECK(views[0].key == b.key);
  CHECK(views[0].rx == 300 * 61);
  CHECK(views[0].tx == 300 * 61 + 1);
  CHECK(views[0].uptime == 300s);
}

TEST_CASE("engine: packets for a key that never answers are given up one by one, others are not held up", "[e2e]") {
  Node a{1};
  Node b{2};
  Node dead{3};
  REQUIRE(a.engine.send(dead.key, from_to(a, dead), t0));
  REQUIRE(a.engine.send(dead.key, from_to(a, dead), t0 + 1s));
  REQUIRE(a.engine.send(b.key, from_to(a, b), t0 + 1s));
  CHECK(settle(a, b, t0 + 1s)[1].packets.size() == 1);
  std::size_t dropped = 0;
  for (auto at = a.engine.next_tick(); at && *at <= t0 + 61s; at = a.engine.next_tick()) {
    a.engine.on_tick(*at);
    auto outputs = drain(a.engine);
    for (const auto& gone : only<Engine::Dropped>(outputs)) {
      CHECK(gone.dest == dead.key);
      ++dropped;
    }
  }
  CHECK(dropped == 2);
}

TEST_CASE("engine: idle, it has no timer once its memory has run out", "[e2e]") {
  Node a{1};
  Node b{2};
  CHECK_FALSE(a.engine.next_tick());
  a.engine.open(b.key, t0);
  settle(a, b, t0);
  std::size_t ticks = 0;
  while (const auto at = a.engine.next_tick()) {
    a.engine.on_tick(*at);
    CHECK(drain(a.engine).empty());
    REQUIRE(++ticks < 10);
  }
  CHECK_FALSE(a.engine.is_open(b.key));
  CHECK_FALSE(a.engine.key_of(b.address));
}

TEST_CASE("engine: the same seed and inputs give the same bytes", "[e2e]") {
  std::array<std::vector<Bytes>, 2> runs;
  for (auto& run : runs) {
    Node a{1};
    Node b{2};
    for (std::uint8_t i = 0; i < 5; ++i) REQUIRE(a.engine.send(b.key, from_to(a, b, 60, i), t0));
    for (int turn = 0; turn < 4; ++turn) {
      for (auto* from : {&a, &b}) {
        auto* to = from == &a ? &b : &a;
        for (auto& output : drain(from->engine)) {
          if (auto* sent = std::get_if<Engine::SendPacket>(&output)) {
            run.push_back(to_bytes(sent->payload));
            to->engine.on_packet(from->key, std::move(sent->payload), t0);
          }
        }
      }
    }
  }
  CHECK(runs[0].size() >= 8);
  CHECK(runs[0] == runs[1]);
}

TEST_CASE("engine: debug requests for keys are handed out and their answer goes to the asker only", "[e2e]") {
  Node a{1};
  a.engine.answer_keys(numbered_key(9).public_key(), 4, {a.key}, t0);
  CHECK(drain(a.engine).empty());
}
