// Members of a swarm that are silent, flood or lie: everybody else still gets everything, and the tables stay small.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>
#include <variant>

#include "pubsub/codec.hpp"
#include "swarm.hpp"

using namespace axl;
using namespace axl::simulation;
using namespace std::chrono_literals;

namespace {

constexpr auto kTopic = "news";
constexpr std::size_t kHonest = 100;
constexpr std::size_t kVictims = 8;  // that a hostile member has sessions with

MessageBody joined() { return pubsub::encode(pubsub::Topics{pubsub::Topics::What::all, {kTopic}}); }
MessageBody graft() { return pubsub::encode(pubsub::Graft{kTopic}); }

pubsub::MessageId random_id(std::mt19937_64& random) {
  pubsub::MessageId id;
  for (auto& byte : id.bytes) byte = static_cast<std::byte>(random());
  return id;
}

pubsub::PublishedMessage signed_message(const PrivateKey& key, std::uint64_t sequence, std::size_t size) {
  crypto::SeededRng rng{sequence};
  pubsub::PublishedMessage message{key.public_key(), pubsub::MessageName::make(sequence, rng), kTopic, MessageBody{Bytes(size)}, 0, {}, {}};
  message.sign(message.hash(), key);
  return message;
}

// A hundred honest nodes, and one member that the test plays.
struct Attacked {
  explicit Attacked(std::uint64_t seed_in, pubsub::Config config = {}) : seed{seed_in}, swarm{{.config = config, .seed = seed_in, .loss = 0.02}} {
    for (std::size_t i = 0; i < kHonest; ++i) swarm.add_node();
    swarm.know_at_random(10);
    swarm.subscribe_all(kTopic);
    hostile = swarm.add_scripted([this](Swarm::NodeId from, const MessageBody& body) {
      if (on_body) on_body(from, body);
    });
    swarm.run_for(5s);
    come();
  }

  /// It opens sessions with its victims, as often as they let it.
  void come() {
    for (Swarm::NodeId victim = 0; victim < kVictims; ++victim) {
      swarm.join(hostile, victim);
      swarm.send(hostile, victim, joined());
    }
  }
  template <class Make>
  void to_victims(Make make) {
    for (Swarm::NodeId victim = 0; victim < kVictims; ++victim) swarm.send(hostile, victim, make());
  }
  [[nodiscard]] std::size_t grey_at() {
    std::size_t count = 0;
    for (Swarm::NodeId victim = 0; victim < kVictims; ++victim) count += swarm.engine(victim).grey(swarm.key(hostile).public_key()) ? 1 : 0;
    return count;
  }

  /// Runs `time` in steps of 100 ms with `act` in each, and with a message of somebody honest; then checks that all got
  /// all of these, and that no table has grown beyond what is right for that.
  template <class Act>
  void run(const char* name, Duration time, Act act) {
    INFO("AXL_SEED=" << seed);
    const auto before = swarm.counters();
    const auto end = swarm.now() + time;
    std::size_t most_announced = 0;
    while (swarm.now() < end) {
      act();
      swarm.publish(swarm.random()() % kHonest, kTopic);
      swarm.run_for(100ms);
      for (Swarm::NodeId victim = 0; victim < kVictims; ++victim) {
        for (const auto& peer : swarm.engine(victim).peers()) most_announced = std::max(most_announced, peer.announced);
      }
    }
    swarm.run_for(10s);
    std::size_t expected = 0;
    std::size_t delivered = 0;
    std::size_t again = 0;
    Duration latest{};
    for (const auto& publication : swarm.publications()) {
      again += publication.again;
      expected += publication.expected.size();
      delivered += publication.delivered.size();
      for (const auto& [node, when] : publication.delivered) latest = std::max(latest, when - publication.at);
    }
    const auto now = swarm.counters();
    pubsub::Engine::Sizes most;
    for (Swarm::NodeId node = 0; node < kHonest; ++node) {
      const auto sizes = swarm.engine(node).sizes();
      most.wants = std::max(most.wants, sizes.wants);
      most.origins = std::max(most.origins, sizes.origins);
      most.seen = std::max(most.seen, sizes.seen);
      most.contacts = std::max(most.contacts, sizes.contacts);
    }
    const auto copies = static_cast<double>(now.copies - before.copies) / static_cast<double>(now.delivered - before.delivered);
    fmt::print("{} (seed {}): {} of {} delivered, latest {} ms, {:.2f} copies; {} ids of one peer, then {} wants, {} seen, {} contacts; grey at {} of {}\n",
               name, seed, delivered, expected, std::chrono::floor<std::chrono::milliseconds>(latest).count(), copies, most_announced,
               most.wants, most.seen, most.contacts, grey_at(), kVictims);
    CHECK(delivered == expected);
    CHECK(again == 0);
    CHECK(latest < 8s);
    CHECK(copies < 2.5);
    CHECK(most_announced <= pubsub::Config{}.max_wants_per_peer);
    CHECK(most.wants < 50);
    CHECK(most.contacts <= 10 + pubsub::Config{}.max_offered);
  }

  std::uint64_t seed;
  Swarm swarm;
  Swarm::NodeId hostile = 0;
  std::function<void(Swarm::NodeId, const MessageBody&)> on_body;
};

}  // namespace

TEST_CASE("swarm: peers that take everything and say nothing keep nothing from anybody", "[simulation]") {
  const auto seed = seed_of_run(91);
  Attacked attacked{seed};
  // Ten of them, each in the mesh of eight nodes.
  for (int i = 0; i < 10; ++i) {
    const auto silent = attacked.swarm.add_scripted([](Swarm::NodeId, const MessageBody&) {});
    for (int n = 0; n < 8; ++n) {
      const auto victim = attacked.swarm.random()() % kHonest;
      attacked.swarm.join(silent, victim);
      attacked.swarm.send(silent, victim, joined());
      attacked.swarm.send(silent, victim, graft());
    }
  }
  attacked.run("silent", 10s, [] {});
}

TEST_CASE("swarm: a flood of good messages is cut at the rate of one origin", "[simulation]") {
  pubsub::Config config;
  config.messages_per_origin = {20, 40};
  config.bodies_per_peer = {400, 800};
  Attacked attacked{seed_of_run(92), config};
  std::map<Swarm::NodeId, std::size_t> flood;
  attacked.swarm.on_other = [&](Swarm::NodeId node, const pubsub::Received&) { ++flood[node]; };
  std::uint64_t sequence = 1;
  attacked.run("flood", 6s, [&] {
    attacked.come();
    for (int i = 0; i < 50; ++i) {  // 500 a second
      const auto message = pubsub::encode(signed_message(attacked.swarm.key(attacked.hostile), ++sequence, 64));
      attacked.to_victims([&] { return message; });
    }
  });
  std::size_t most = 0;
  for (const auto& [node, count] : flood) most = std::max(most, count);
  fmt::print("  of the flood's {} messages a node was given {} at most\n", sequence, most);
  CHECK(most <= 40 + 20 * 7);
}

TEST_CASE("swarm: a faster flood is not read any more", "[simulation]") {
  pubsub::Config config;
  config.bodies_per_peer = {100, 200};
  config.messages_per_origin = {20, 40};
  Attacked attacked{seed_of_run(93), config};
  std::uint64_t sequence = 1;
  attacked.run("fast flood", 5s, [&] {
    for (int i = 0; i < 200; ++i) {
      const auto message = pubsub::encode(signed_message(attacked.swarm.key(attacked.hostile), ++sequence, 64));
      attacked.to_victims([&] { return message; });
    }
  });
  CHECK(attacked.grey_at() == kVictims);
}

TEST_CASE("swarm: ids that nobody has end in silence", "[simulation]") {
  Attacked attacked{seed_of_run(94)};
  std::size_t grey = 0;
  attacked.run("bad ids", 6s, [&] {
    attacked.to_victims([&] {
      pubsub::Have have{kTopic, std::vector<pubsub::MessageId>(200)};
      for (auto& id : have.ids) id = random_id(attacked.swarm.random());
      return pubsub::encode(have);
    });
    grey = std::max(grey, attacked.grey_at());
  });
  CHECK(grey == kVictims);
}

TEST_CASE("swarm: who announces everything first and gives nothing delays little", "[simulation]") {
  Attacked attacked{seed_of_run(95)};
  // What it learns from one it announces to all at once.
  attacked.on_body = [&](Swarm::NodeId, const MessageBody& body) {
    const auto decoded = pubsub::decode(body);
    if (!decoded) return;
    pubsub::Have have{kTopic, {}};
    if (const auto* heard = std::get_if<pubsub::Have>(&*decoded)) have.ids = heard->ids;
    if (const auto* message = std::get_if<pubsub::PublishedMessage>(&*decoded)) {
      have.ids = {pubsub::PublishedMessage::id_of(message->hash())};
    }
    if (!have.ids.empty()) attacked.to_victims([&] { return pubsub::encode(have); });
  };
  attacked.run("empty promises", 10s, [&] { attacked.to_victims([] { return graft(); }); });
}

TEST_CASE("swarm: a liar with old and forged messages, GRAFT floods and junk is left alone", "[simulation]") {
  Attacked attacked{seed_of_run(96)};
  std::vector<MessageBody> heard;
  attacked.on_body = [&](Swarm::NodeId, const MessageBody& body) {
    const auto decoded = pubsub::decode(body);
    if (decoded && std::holds_alternative<pubsub::PublishedMessage>(*decoded) && heard.size() < 200) heard.push_back(body);
  };
  attacked.to_victims([] { return graft(); });
  attacked.run("quiet before", 5s, [] {});
  REQUIRE_FALSE(heard.empty());
  std::size_t grey = 0;
  attacked.run("replays", 10s, [&] {
    for (int i = 0; i < 20; ++i) attacked.to_victims([&] { return heard[attacked.swarm.random()() % heard.size()]; });
    grey = std::max(grey, attacked.grey_at());
  });
  CHECK(grey == kVictims);
  attacked.swarm.run_for(60s);
  attacked.come();
  grey = 0;
  attacked.run("forged", 5s, [&] {
    auto message = signed_message(attacked.swarm.key(attacked.hostile), attacked.swarm.random()(), 64);
    message.origin = attacked.swarm.key(attacked.swarm.random()() % kHonest).public_key();
    message.signer = message.origin;
    attacked.to_victims([&] { return pubsub::encode(message); });
    grey = std::max(grey, attacked.grey_at());
  });
  CHECK(grey == kVictims);
  attacked.swarm.run_for(60s);
  attacked.come();
  grey = 0;
  attacked.run("GRAFT flood and hearsay", 6s, [&] {
    for (int i = 0; i < 10; ++i) attacked.to_victims([] { return graft(); });
    pubsub::Prune prune{kTopic, 0, {}};
    for (std::uint64_t i = 0; i < pubsub::kMaxKeysPerPrune; ++i) prune.others.push_back(attacked.swarm.key(attacked.swarm.random()() % kHonest).public_key());
    attacked.to_victims([&] { return pubsub::encode(prune); });
    grey = std::max(grey, attacked.grey_at());
  });
  CHECK(grey == kVictims);
}
