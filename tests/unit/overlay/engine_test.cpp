// When an engine ticks: once a second, and a little sooner when something has happened.
#include "overlay/engine.hpp"

#include <catch2/catch_test_macros.hpp>

#include "overlay/bloom.hpp"
#include "overlay_support.hpp"

using namespace axl;
using namespace axl::overlay;
using namespace axl::overlay::test;
using namespace std::chrono_literals;
using wire::FrameType;

namespace {

constexpr LinkId kLink{1};

struct Node {
  explicit Node(const Config& config = {}) : engine{config, test_key(1), verifier(), rng, 0s, Time{}} {}

  Drained out() {
    return drain([this] { return engine.poll_output(); });
  }
  Drained tick(Time now) {
    engine.on_tick(now);
    return out();
  }
  // The neighbour's answer to the last request.
  Buffer answer(const PrivateKey& neighbour, const Bytes& request_message, std::uint64_t port = 5) {
    const auto request = wire::SigReq::decode(ByteSpan{request_message}.subspan(1)).value();
    const auto bytes =
        wire::signed_bytes(test_key(1).public_key(), neighbour.public_key(), request.seq, request.nonce, port);
    return wire::SigRes{request.seq, request.nonce, port, crypto::sign(neighbour, bytes)}.encode();
  }
  CountingRng rng;
  Engine engine;
};

PrivateKey lower_than_k1() {
  for (int n = 2; n <= 8; ++n) {
    if (test_key(n).public_key() < test_key(1).public_key()) return test_key(n);
  }
  FAIL("no lower key");
  return test_key(1);
}

}  // namespace

TEST_CASE("engine: ticks at once and then every second, and becomes its own root", "[overlay]") {
  Node node;
  CHECK(node.engine.next_tick() == Time{});
  node.tick(Time{});
  CHECK(node.engine.root() == test_key(1).public_key());
  REQUIRE(node.engine.tree().size() == 1);
  CHECK(node.engine.tree()[0].seq == 1);
  CHECK(node.engine.next_tick() == Time{1s});
  node.tick(Time{1s + 3ms});
  CHECK(node.engine.next_tick() == Time{2s + 3ms});
}

TEST_CASE("engine: an answer and an announcement bring an early tick that adopts the parent", "[overlay]") {
  const auto root = lower_than_k1();
  for (const bool early : {true, false}) {
    Config config;
    config.early_ticks = early;
    Node node{config};
    node.tick(Time{});
    REQUIRE(node.engine.on_link_up(kLink, root.public_key(), 0, Time{2ms}).ok());
    const auto request = node.out().frames[kLink][0];
    REQUIRE(node.engine.on_message(kLink, node.answer(root, request), Time{4ms}, 2ms).ok());
    REQUIRE(node.engine.on_message(kLink, announcement(root, root, 1, 1, 0).encode(), Time{5ms}).ok());
    node.out();
    REQUIRE(node.engine.next_tick() == (early ? Time{10ms} : Time{1s}));  // 10 ms after the last tick
    node.tick(Time{9ms});
    CHECK(node.engine.root() == test_key(1).public_key());
    const auto sent = node.tick(*node.engine.next_tick());
    CHECK(node.engine.root() == root.public_key());
    CHECK(node.engine.coords() == wire::Path{5});
    CHECK(sent.count(kLink, FrameType::sig_req) == 1);
    CHECK(sent.count(kLink, FrameType::announce) == 1);  // it has its own already
    CHECK(sent.count(kLink, FrameType::bloom_filter) == 1);
    CHECK(node.engine.next_tick() == (early ? Time{1s} : Time{2s}));  // the regular one stays where it was
  }
}

TEST_CASE("engine: early ticks never make a node its own root", "[overlay]") {
  const auto root = lower_than_k1();
  Node node;
  node.tick(Time{});
  REQUIRE(node.engine.on_link_up(kLink, root.public_key(), 0, Time{}).ok());
  const auto request = node.out().frames[kLink][0];
  REQUIRE(node.engine.on_message(kLink, node.answer(root, request), Time{}, 2ms).ok());
  REQUIRE(node.engine.on_message(kLink, announcement(root, root, 1, 1, 0).encode(), Time{}).ok());
  node.tick(Time{10ms});
  REQUIRE(node.engine.root() == root.public_key());
  const auto other = test_key(8);
  REQUIRE(node.engine.on_link_up(LinkId{2}, other.public_key(), 0, Time{20ms}).ok());
  node.engine.on_link_down(kLink, Time{20ms});
  node.out();
  std::uint64_t seq = 1;
  for (auto now = Time{20ms}; now < Time{1s}; now += 10ms) {
    REQUIRE(node.engine.on_message(LinkId{2}, announcement(other, other, ++seq, 1, 0).encode(), now).ok());
    node.tick(now);
    REQUIRE(node.engine.tree().size() == 3);
    CHECK(node.engine.coords() == wire::Path{5});  // still the old announcement
  }
  node.tick(Time{1s});
  CHECK(node.engine.coords() == wire::Path{5});
  node.tick(Time{2s});
  CHECK(node.engine.coords().empty());
  CHECK(node.engine.root() == test_key(1).public_key());
}

TEST_CASE("engine: at most ten early ticks run in a second", "[overlay]") {
  Node node;
  node.tick(Time{});
  const auto other = test_key(8);
  REQUIRE(node.engine.on_link_up(kLink, other.public_key(), 0, Time{}).ok());
  node.out();
  // Each accepted announcement about a node in the ancestry is announced on by a tick: count those.
  REQUIRE(node.engine.on_link_up(LinkId{2}, test_key(7).public_key(), 0, Time{}).ok());
  node.out();
  std::size_t ticks = 0;
  std::uint64_t seq = 0;
  for (auto now = Time{1ms}; now < Time{1s}; now += 1ms) {
    REQUIRE(node.engine.on_message(kLink, announcement(other, other, ++seq, 1, 0).encode(), now).ok());
    // The neighbour's own ancestry goes back to it only if it does not hold it; a filter change shows the tick instead.
    const auto before = *node.engine.next_tick();
    if (before <= now) {
      node.tick(now);
      ++ticks;
    }
  }
  CHECK(ticks == 10);
}

TEST_CASE("engine: an announcement expires after the timeout, the own one is renewed after the refresh", "[overlay]") {
  Node node;
  node.tick(Time{});
  REQUIRE(node.engine.on_link_up(kLink, test_key(8).public_key(), 0, Time{}).ok());
  REQUIRE(node.engine.on_message(kLink, announcement(test_key(7), test_key(7), 1, 1, 0).encode(), Time{}).ok());
  node.out();
  REQUIRE(node.engine.known_nodes() == 2);
  std::vector<Time> renewed;
  std::optional<Time> forgotten;
  auto seq = node.engine.tree().front().seq;
  for (auto now = *node.engine.next_tick(); now < Time{10min}; now = *node.engine.next_tick()) {
    node.tick(now);
    for (const auto& entry : node.engine.tree()) {
      if (entry.key != test_key(1).public_key() || entry.seq == seq) continue;
      seq = entry.seq;
      renewed.push_back(now);
    }
    if (!forgotten && node.engine.known_nodes() == 1) forgotten = now;
  }
  CHECK(forgotten == Time{5min});
  // A root takes one tick to see that nobody better answers, and one to renew.
  CHECK(renewed == std::vector{Time{4min + 1s}, Time{8min + 2s}});
}

TEST_CASE("engine: a waiting lookup goes out at once when a filter comes to match", "[overlay]") {
  for (const bool repeat : {true, false}) {
    Config config;
    config.repeat_lookups = repeat;
    Node node{config};
    node.tick(Time{});
    const auto child = test_key(8);
    const auto target = test_key(7).public_key();
    REQUIRE(node.engine.on_link_up(kLink, child.public_key(), 0, Time{}).ok());
    REQUIRE(node.engine.on_message(kLink, announcement(child, test_key(1), 1, 1, 1).encode(), Time{}).ok());
    node.tick(Time{1s});  // it is on the tree now
    REQUIRE(node.engine.send(target, Buffer::copy_of(as_bytes("hello"), Buffer::kHeadroom), Time{1s}).ok());
    CHECK(node.out().count(kLink, FrameType::path_lookup) == 0);
    wire::BloomFilter filter;
    BloomBits{transform_key(target, KeyTransform::subnet)}.add_to(filter);
    REQUIRE(node.engine.on_message(kLink, filter.encode(), Time{1s + 5ms}).ok());
    CHECK(node.out().count(kLink, FrameType::path_lookup) == (repeat ? 1 : 0));
    // Other bits on top: it has been asked.
    filter.words[0] = ~std::uint64_t{0};
    REQUIRE(node.engine.on_message(kLink, filter.encode(), Time{1s + 6ms}).ok());
    CHECK(node.out().count(kLink, FrameType::path_lookup) == 0);
  }
}

TEST_CASE("engine: a path opens the way for the packet that waited, and next_hop tells the link", "[overlay]") {
  Node node;
  node.tick(Time{});
  const auto child = test_key(8);
  REQUIRE(node.engine.on_link_up(kLink, child.public_key(), 0, Time{}).ok());
  REQUIRE(node.engine.on_message(kLink, announcement(child, test_key(1), 1, 1, 1).encode(), Time{}).ok());
  node.tick(Time{1s});
  CHECK_FALSE(node.engine.has_path(child.public_key()));
  CHECK_FALSE(node.engine.next_hop(child.public_key()));
  REQUIRE(node.engine.send(child.public_key(), Buffer::copy_of(as_bytes("one"), Buffer::kHeadroom), Time{1s}).ok());
  REQUIRE(node.engine.send(child.public_key(), Buffer::copy_of(as_bytes("two"), Buffer::kHeadroom), Time{1s}).ok());
  node.out();
  wire::PathNotify notify{{}, kMaxPayload, child.public_key(), test_key(1).public_key(), {1000, {1}, {}}};
  notify.info.sig = crypto::sign(child, wire::PathNotify::signed_bytes(1000, {1}));
  REQUIRE(node.engine.on_message(kLink, notify.encode(), Time{2s}).ok());
  auto out = node.out();
  CHECK(out.found == std::vector{child.public_key()});
  REQUIRE(out.sent.size() == 1);  // the newest
  CHECK(out.sent[0].own);
  CHECK(as_text(wire::TrafficView::decode(ByteSpan{out.frames[kLink][0]}.subspan(1))->payload) == "two");
  CHECK(node.engine.has_path(child.public_key()));
  CHECK(node.engine.next_hop(child.public_key()) == kLink);
  // The same again changes nothing; the path ends a minute after the last sign of life.
  REQUIRE(node.engine.on_message(kLink, notify.encode(), Time{3s}).ok());
  CHECK(node.out().found.empty());
  node.engine.on_tick(Time{62s} - 1ns);
  CHECK(node.engine.has_path(child.public_key()));
  node.engine.on_tick(Time{62s});
  CHECK_FALSE(node.engine.has_path(child.public_key()));
}
