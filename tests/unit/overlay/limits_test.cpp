// One test per option in which we are stricter than the reference: what it stops, and that the reference's value does
// not.
#include <catch2/catch_test_macros.hpp>
#include <set>

#include "overlay/engine.hpp"
#include "overlay/traffic_scan.hpp"
#include "overlay_support.hpp"

using namespace axl;
using namespace axl::overlay;
using namespace axl::overlay::test;
using namespace std::chrono_literals;
using wire::FrameType;

namespace {

constexpr LinkId kLink{1};
constexpr LinkId kOther{2};

PrivateKey numbered_key(std::uint32_t n) {
  Bytes seed(PrivateKey::kSeedSize, std::byte{0xee});
  for (std::size_t i = 0; i < 4; ++i) seed[i] = std::byte{static_cast<unsigned char>(n >> 8 * i)};
  return key_of_seed(seed);
}

// A root with two children on the tree: K8 on kLink, K7 on kOther.
struct Node {
  explicit Node(const Config& config) : engine{config, test_key(1), verifier(), rng, 1'000'000s, Time{}} {
    engine.on_tick(Time{});
    for (const auto& [link, key] : {std::pair{kLink, 8}, std::pair{kOther, 7}}) {
      REQUIRE(engine.on_link_up(link, test_key(key).public_key(), 0, Time{}).ok());
      requests[link] = wire::SigReq::decode(ByteSpan{out().frames[link][0]}.subspan(1)).value();
      const auto child = announcement(test_key(key), test_key(1), 1, 1, static_cast<std::uint32_t>(link));
      REQUIRE(engine.on_message(link, child.encode(), Time{}).ok());
    }
    engine.on_tick(Time{1s});
    out();
  }
  Drained out() {
    return drain([this] { return engine.poll_output(); });
  }
  Drained give(LinkId link, const Buffer& message, Time now) {
    REQUIRE(engine.on_message(link, message, now, 1ms).ok());
    return out();
  }
  void give_all_ones(LinkId link) {
    wire::BloomFilter filter;
    filter.words.fill(~std::uint64_t{0});
    REQUIRE(engine.on_message(link, filter.encode(), Time{1s}).ok());
  }

  CountingRng rng;
  Engine engine;
  std::map<LinkId, wire::SigReq> requests;
};

wire::PathNotify signed_notify(const PrivateKey& from, std::uint64_t seq, const wire::Path& coords) {
  return {{},
          1000,
          from.public_key(),
          test_key(1).public_key(),
          {seq, coords, crypto::sign(from, wire::PathNotify::signed_bytes(seq, coords))}};
}

Buffer packet_of(std::string_view text) { return Buffer::copy_of(as_bytes(text), Buffer::kHeadroom); }

}  // namespace

TEST_CASE("limits: a SigRes with port 0 does not become our announcement", "[overlay][limits]") {
  // K2 must be a better root than K1.
  REQUIRE(test_key(2).public_key() < test_key(1).public_key());
  for (const bool strict : {true, false}) {
    auto config = Config::reference();
    config.strict_sig_res_port = strict;
    Node node{config};
    const auto root = test_key(2);
    REQUIRE(node.engine.on_link_up(LinkId{3}, root.public_key(), 0, Time{1s}).ok());
    const auto request = wire::SigReq::decode(ByteSpan{node.out().frames[LinkId{3}][0]}.subspan(1)).value();
    const auto bytes = wire::signed_bytes(test_key(1).public_key(), root.public_key(), request.seq, request.nonce, 0);
    node.give(LinkId{3}, wire::SigRes{request.seq, request.nonce, 0, crypto::sign(root, bytes)}.encode(), Time{1s});
    node.give(LinkId{3}, announcement(root, root, 1, 1, 0).encode(), Time{1s});
    node.engine.on_tick(Time{2s});
    CHECK((node.engine.root() == root.public_key()) != strict);
  }
}

TEST_CASE("limits: a parent that is back with another port is announced with that port", "[overlay][limits]") {
  for (const bool strict : {true, false}) {
    auto config = Config::reference();
    config.strict_parent_port = strict;
    Node node{config};
    const auto root = test_key(2);
    const auto join = [&](LinkId link, std::uint64_t port, Time now) {
      REQUIRE(node.engine.on_link_up(link, root.public_key(), 0, now).ok());
      const auto request = wire::SigReq::decode(ByteSpan{node.out().frames[link][0]}.subspan(1)).value();
      const auto bytes =
          wire::signed_bytes(test_key(1).public_key(), root.public_key(), request.seq, request.nonce, port);
      node.give(link, wire::SigRes{request.seq, request.nonce, port, crypto::sign(root, bytes)}.encode(), now);
    };
    join(LinkId{3}, 5, Time{1s});
    node.give(LinkId{3}, announcement(root, root, 1, 1, 0).encode(), Time{1s});
    node.engine.on_tick(Time{2s});
    REQUIRE(node.engine.coords() == wire::Path{5});
    node.engine.on_link_down(LinkId{3}, Time{2s + 100ms});
    join(LinkId{4}, 6, Time{2s + 200ms});
    node.engine.on_tick(Time{3s});
    CHECK(node.engine.coords() == wire::Path{strict ? 6u : 5u});
  }
}

TEST_CASE("limits: twins of an announcement are not echoed", "[overlay][limits]") {
  for (const bool strict : {true, false}) {
    auto config = Config::reference();
    config.strict_twins = strict;
    Node node{config};
    const auto one = announcement(test_key(3), test_key(4), 5, 9, 1);
    const auto twin = announcement(test_key(3), test_key(4), 5, 9, 2);
    node.give(kLink, one.encode(), Time{1s});
    CHECK(node.give(kLink, twin.encode(), Time{1s}).count(kLink, FrameType::announce) == (strict ? 0 : 1));
    // Both answer what is really worse.
    const auto worse = announcement(test_key(3), test_key(4), 5, 10, 2);
    CHECK(node.give(kLink, worse.encode(), Time{1s}).count(kLink, FrameType::announce) == 1);
  }
}

TEST_CASE("limits: broken notices start one lookup per throttle time", "[overlay][limits]") {
  for (const bool strict : {true, false}) {
    auto config = Config::reference();
    config.strict_broken_throttle = strict;
    Node node{config};
    node.give_all_ones(kLink);
    const auto peer = numbered_key(1);
    node.engine.send_lookup(peer.public_key(), Time{1s});
    node.give(kLink, signed_notify(peer, 5, {1}).encode(), Time{1s});
    REQUIRE(node.engine.has_path(peer.public_key()));
    const wire::PathBroken broken{{}, 1000, test_key(1).public_key(), peer.public_key()};
    std::size_t lookups = 0;
    for (auto now = Time{3s}; now < Time{5s}; now += 10ms) {
      lookups += node.give(kLink, broken.encode(), now).count(kLink, FrameType::path_lookup);
    }
    CHECK(lookups == (strict ? 2 : 200));
  }
}

TEST_CASE("limits: a datagram to oneself arrives, the first one too", "[overlay][limits]") {
  for (const bool strict : {true, false}) {
    auto config = Config::reference();
    config.strict_deliver_to_self = strict;
    Node node{config};
    for (const auto* text : {"one", "two"}) {
      REQUIRE(node.engine.send(test_key(1).public_key(), packet_of(text), Time{1s}).ok());
    }
    const auto out = node.out();
    CHECK(out.delivered.size() == (strict ? 2 : 1));
    CHECK(as_text(out.delivered.back().second) == "two");
    CHECK(out.delivered.back().first == test_key(1).public_key());
  }
}

TEST_CASE("limits: announcements are bounded per neighbour and in all; ancestries stay", "[overlay][limits]") {
  Config config;
  config.max_infos = 40;
  config.max_infos_per_neighbour = 25;
  Node node{config};
  for (std::uint32_t n = 0; n < 100; ++n) {
    const auto key = numbered_key(n);
    node.give(kLink, announcement(key, key, 1, 1, 0).encode(), Time{1s + Duration{n}});
    CHECK(node.engine.known_nodes() <= 2 + 25);
  }
  for (std::uint32_t n = 100; n < 200; ++n) {
    const auto key = numbered_key(n);
    node.give(kOther, announcement(key, key, 1, 1, 0).encode(), Time{1s + Duration{n}});
    CHECK(node.engine.known_nodes() <= 40);
  }
  CHECK(node.engine.known_nodes() == 40);
  std::set<PublicKey> known;
  for (const auto& entry : node.engine.tree()) known.insert(entry.key);
  for (const int key : {1, 7, 8}) CHECK(known.contains(test_key(key).public_key()));
  CHECK(known.contains(numbered_key(199).public_key()));
  CHECK_FALSE(known.contains(numbered_key(100).public_key()));  // the oldest went

  auto reference = Config::reference();
  Node loose{reference};
  for (std::uint32_t n = 0; n < 100; ++n) {
    const auto key = numbered_key(n);
    loose.give(kLink, announcement(key, key, 1, 1, 0).encode(), Time{1s});
  }
  CHECK(loose.engine.known_nodes() == 103);
}

TEST_CASE("limits: a table full of ancestries refuses what is new", "[overlay][limits]") {
  Config config;
  config.max_infos = 3;
  Node node{config};
  REQUIRE(node.engine.known_nodes() == 3);
  const auto key = numbered_key(1);
  node.give(kLink, announcement(key, key, 1, 1, 0).encode(), Time{1s});
  CHECK(node.engine.known_nodes() == 3);
  node.give(kLink, announcement(test_key(8), test_key(1), 2, 1, 1).encode(), Time{1s});  // news of a known one is taken
  CHECK(node.engine.tree().size() == 3);
}

TEST_CASE("limits: messages with very long paths are dropped, the link stays", "[overlay][limits]") {
  const wire::Path longer(1025, 1);
  const wire::Path longest(1024, 1);
  const auto peer = numbered_key(1);
  const auto me = test_key(1).public_key();
  for (const bool strict : {true, false}) {
    Node node{strict ? Config{} : Config::reference()};
    node.give_all_ones(kOther);
    const auto lookup = [&](const wire::Path& from) {
      return node.give(kLink, wire::PathLookup{test_key(8).public_key(), peer.public_key(), from}.encode(), Time{2s})
          .count(kOther, FrameType::path_lookup);
    };
    CHECK(lookup(longest) == 1);
    CHECK(lookup(longer) == (strict ? 0 : 1));

    node.engine.send_lookup(peer.public_key(), Time{2s});
    node.give(kLink, signed_notify(peer, 5, longer).encode(), Time{2s});
    CHECK(node.engine.has_path(peer.public_key()) != strict);

    // K7 is our child with port 2: [2, ...] goes there.
    const auto forwarded = [&](std::size_t ports, std::size_t from_ports) {
      wire::Path path(ports, 1);
      path[0] = 2;
      auto packet = packet_of("x");
      wire::TrafficHeader{path, wire::Path(from_ports, 1), test_key(8).public_key(), peer.public_key(), kMaxPayload}
          .prepend_to(packet);
      return node.give(kLink, packet, Time{2s}).count(kOther, FrameType::traffic);
    };
    CHECK(forwarded(1024, 1024) == 1);
    CHECK(forwarded(1025, 1) == (strict ? 0 : 1));
    CHECK(forwarded(1, 1025) == (strict ? 0 : 1));
    wire::Path far(1025, 1);
    far[0] = 2;
    CHECK(node.give(kLink, wire::PathBroken{far, 1u << 20, me, me}.encode(), Time{2s})
              .count(kOther, FrameType::path_broken) == (strict ? 0 : 1));
  }
}

TEST_CASE("limits: answers to SigReq are delayed beyond a rate, and a flood closes the link", "[overlay][limits]") {
  Config config;
  config.early_ticks = false;
  config.sig_res = {10, 5};
  config.max_delayed_sig_res = 20;
  Node node{config};
  std::size_t at_once = 0;
  for (std::uint64_t n = 0; n < 25; ++n) at_once += node.give(kLink, wire::SigReq{1, n}.encode(), Time{1s}).sent.size();
  CHECK(at_once == 5);
  CHECK_FALSE(node.engine.on_message(kLink, wire::SigReq{1, 25}.encode(), Time{1s}).ok());
  // Every other link is served as before.
  CHECK(node.give(kOther, wire::SigReq{1, 1}.encode(), Time{1s}).sent.size() == 1);
  // The delayed ones come in order, ten a second, each on time.
  std::vector<std::uint64_t> nonces;
  std::vector<Time> times;
  while (nonces.size() < 20) {
    const auto now = *node.engine.next_tick();
    REQUIRE(now < Time{10s});
    node.engine.on_tick(now);
    const auto out = node.out();
    if (!out.frames.contains(kLink)) continue;
    for (const auto& message : out.frames.at(kLink)) {
      if (message[0] != std::byte{3}) continue;
      nonces.push_back(wire::SigRes::decode(ByteSpan{message}.subspan(1))->nonce);
      times.push_back(now);
    }
  }
  for (std::uint64_t i = 0; i < 20; ++i) CHECK(nonces[i] == i + 5);
  CHECK(times.front() == Time{1s + 100ms});
  CHECK(times.back() == Time{3s});

  Node loose{Config::reference()};
  std::size_t answers = 0;
  for (std::uint64_t n = 0; n < 500; ++n)
    answers += loose.give(kLink, wire::SigReq{1, n}.encode(), Time{1s}).sent.size();
  CHECK(answers == 500);
}

TEST_CASE("limits: a link with delayed answers may go away", "[overlay][limits]") {
  Config config;
  config.sig_res = {10, 1};
  Node node{config};
  for (std::uint64_t n = 0; n < 5; ++n) node.give(kLink, wire::SigReq{1, n}.encode(), Time{1s});
  node.engine.on_link_down(kLink, Time{1s});
  node.engine.on_tick(Time{5s});
  CHECK(node.out().frames[kLink].empty());
}

TEST_CASE("limits: forwarded lookups are limited per neighbour", "[overlay][limits]") {
  Config config;
  config.forwarded_lookups = {100, 50};
  Node node{config};
  node.give_all_ones(kOther);
  node.give_all_ones(kLink);
  const auto flood = [&](Node& at, LinkId from, LinkId to, Time now) {
    std::size_t passed = 0;
    for (std::uint32_t n = 0; n < 200; ++n) {
      const wire::PathLookup lookup{numbered_key(n).public_key(), numbered_key(1).public_key(), {1}};
      passed += at.give(from, lookup.encode(), now).count(to, FrameType::path_lookup);
    }
    return passed;
  };
  CHECK(flood(node, kLink, kOther, Time{2s}) == 50);
  CHECK(flood(node, kOther, kLink, Time{2s}) == 50);  // each has its own
  CHECK(flood(node, kLink, kOther, Time{2s + 100ms}) == 10);
  Node loose{Config::reference()};
  loose.give_all_ones(kOther);
  CHECK(flood(loose, kLink, kOther, Time{2s}) == 200);
}

TEST_CASE("limits: own answers are limited per asking key", "[overlay][limits]") {
  Config config;
  config.own_answers = {10, 4};
  config.max_answer_sources = 8;
  Node node{config};
  const auto asked = [&](Node& at, std::uint32_t source) {
    const wire::PathLookup lookup{numbered_key(source).public_key(), test_key(1).public_key(), {1}};
    return at.give(kLink, lookup.encode(), Time{2s}).count(kLink, FrameType::path_notify);
  };
  std::size_t answers = 0;
  for (int i = 0; i < 50; ++i) answers += asked(node, 1);
  CHECK(answers == 4);
  CHECK(asked(node, 2) == 1);
  Node loose{Config::reference()};
  for (int i = 0; i < 50; ++i) CHECK(asked(loose, 1) == 1);
}

TEST_CASE("limits: keys looked for, paths and waiting packets are bounded, the oldest goes", "[overlay][limits]") {
  Config config;
  config.max_rumors = 10;
  config.max_waiting_bytes = 5000;
  Node node{config};
  for (std::uint32_t n = 0; n < 30; ++n) {
    const auto dest = numbered_key(n).public_key();
    REQUIRE(node.engine.send(dest, Buffer{1000, Buffer::kHeadroom}, Time{1s + Duration{n}}).ok());
    const auto sizes = node.engine.table_sizes();
    CHECK(sizes.rumors == std::min<std::size_t>(n + 1, 10));
    CHECK(sizes.waiting_bytes <= 5000);
  }
  // The newest is still there and leaves when its path comes.
  const auto newest = numbered_key(29);
  const auto out = node.give(kLink, signed_notify(newest, 5, {1}).encode(), Time{2s});
  CHECK(out.count(kLink, FrameType::traffic) == 1);
  CHECK(node.engine.table_sizes().waiting_bytes <= 4000);
  // One that lost its place is forgotten: an answer is not wanted any more.
  CHECK(node.give(kLink, signed_notify(numbered_key(3), 5, {1}).encode(), Time{2s}).found.empty());
  // One that lost only its packet still learns its path.
  const auto early = node.give(kLink, signed_notify(numbered_key(21), 5, {1}).encode(), Time{2s});
  CHECK(early.found.size() == 1);
  CHECK(early.sent.empty());
}

TEST_CASE("limits: paths are bounded, the one nearest its end goes", "[overlay][limits]") {
  Config config;
  config.max_paths = 3;
  Node node{config};
  for (std::uint32_t n = 0; n < 5; ++n) {
    const auto now = Time{1s + std::chrono::seconds{n}};
    node.engine.send_lookup(numbered_key(n).public_key(), now);
    node.give(kLink, signed_notify(numbered_key(n), 5, {1}).encode(), now);
    if (n == 2) {  // traffic keeps the first alive
      auto packet = packet_of("x");
      wire::TrafficHeader{{}, {1}, numbered_key(0).public_key(), test_key(1).public_key(), 9}.prepend_to(packet);
      node.give(kLink, packet, now + 1ms);
    }
  }
  CHECK(node.engine.table_sizes().paths == 3);
  const auto has = [&](std::uint32_t n) { return node.engine.has_path(numbered_key(n).public_key()); };
  CHECK(has(0));
  CHECK_FALSE(has(1));
  CHECK_FALSE(has(2));
  CHECK(has(3));
  CHECK(has(4));
}

TEST_CASE("limits: the last packet is sent again after a path change, unless it is large", "[overlay][limits]") {
  for (const bool strict : {true, false}) {
    auto config = Config::reference();
    if (strict) config.max_kept_packet = 2048;
    Node node{config};
    const auto peer = numbered_key(1);
    node.engine.send_lookup(peer.public_key(), Time{1s});
    node.give(kLink, signed_notify(peer, 5, {1}).encode(), Time{1s});
    std::uint64_t seq = 5;
    for (const std::size_t size : {2048u, 2049u}) {
      REQUIRE(node.engine.send(peer.public_key(), Buffer{size, Buffer::kHeadroom}, Time{1s}).ok());
      node.out();
      ++seq;
      const auto out = node.give(kLink, signed_notify(peer, seq, {1, seq}).encode(), Time{2s});
      CHECK(out.found.size() == 1);
      CHECK(out.sent.size() == (strict && size > 2048 ? 0 : 1));
    }
  }
}

TEST_CASE("limits: a payload beyond the largest is refused, not cut", "[overlay][limits]") {
  Node node{Config{}};
  const auto dest = numbered_key(1).public_key();
  CHECK(node.engine.send(dest, Buffer{kMaxPayload, Buffer::kHeadroom}, Time{1s}).ok());
  const auto result = node.engine.send(dest, Buffer{kMaxPayload + 1, Buffer::kHeadroom}, Time{1s});
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().is(Errc::too_large));
}

TEST_CASE("limits: a forged notify is not believed", "[overlay][limits]") {
  Node node{Config{}};
  const auto peer = numbered_key(1);
  node.engine.send_lookup(peer.public_key(), Time{1s});
  auto forged = signed_notify(peer, 5, {1});
  forged.info.path = {2};
  CHECK(node.give(kLink, forged.encode(), Time{1s}).found.empty());
  // Nor one that nobody asked for.
  CHECK(node.give(kLink, signed_notify(numbered_key(2), 5, {1}).encode(), Time{1s}).found.empty());
  // Nor an older one, nor a forged newer one, once there is a path.
  CHECK(node.give(kLink, signed_notify(peer, 5, {1}).encode(), Time{1s}).found.size() == 1);
  CHECK(node.give(kLink, signed_notify(peer, 5, {2}).encode(), Time{1s}).found.empty());
  forged.info.seq = 6;
  CHECK(node.give(kLink, forged.encode(), Time{1s}).found.empty());
  CHECK(node.give(kLink, signed_notify(peer, 6, {2}).encode(), Time{1s}).found.size() == 1);
}

TEST_CASE("limits: an identical announcement costs no signature check, a changed one is checked", "[overlay][limits]") {
  std::size_t checks = 0;
  CountingRng rng;
  Engine engine{Config{},
                test_key(1),
                [&checks](const PublicKey& key, ByteSpan message, const crypto::Signature& signature) {
                  ++checks;
                  return crypto::verify(key, message, signature);
                },
                rng,
                0s,
                Time{}};
  REQUIRE(engine.on_link_up(kLink, test_key(8).public_key(), 0, Time{}).ok());
  auto announce = announcement(test_key(3), test_key(4), 5, 9, 1);
  for (int i = 0; i < 10; ++i) REQUIRE(engine.on_message(kLink, announce.encode(), Time{}).ok());
  CHECK(checks == 2);
  announce.sig.bytes[0] ^= std::byte{1};
  CHECK_FALSE(engine.on_message(kLink, announce.encode(), Time{}).ok());
}
