// Loss, churn, a partition, silent nodes, a liar and a flooder: outcomes are right, or say that they are partial.
//
// Every node puts a one into a group of its own, so that an outcome shows who is in it, and how often.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <charconv>
#include <deque>
#include <optional>

#include "convergecast_swarm.hpp"
#include "swarm_nodes.hpp"

using namespace axl;
using namespace axl::simulation;
using namespace std::chrono_literals;
using convergecast::Finished;
using convergecast::Wanted;
using Kind = Operation::Kind;
using NodeId = ConvergecastSwarm::NodeId;

namespace {

const Question kWho{"who", {Kind::sum, 0, {}}, 4s, false};

std::optional<std::vector<Contribution>> one_of(NodeId node) {
  return std::vector<Contribution>{{std::to_string(node), Number{1}}};
}

NodeId node_of(const std::string& group) {
  NodeId node = 0;
  std::from_chars(group.data(), group.data() + group.size(), node);
  return node;
}

// Asks again and again, and compares what comes with who could be reached all the time.
class Judge {
 public:
  Judge(Crowd& crowd, Duration settle) : crowd_{crowd}, settle_{settle} {
    crowd_.swarm->value = [](NodeId node, const Wanted&) { return one_of(node); };
    crowd_.swarm->on_finished = [this](NodeId node, const Finished& finished) { judge(node, finished); };
  }

  void ask(NodeId node) {
    last_asked_ = crowd_.network.now();  // a root without children has its answer at once
    asked_.emplace(crowd_.swarm->ask(node, kWho), last_asked_);
  }
  /// To be called after every change of links and nodes, and now and then.
  void look() {
    seen_.push_back({crowd_.network.now(), crowd_.swarm->connected_with(0)});
    while (seen_.size() > 1 && seen_[1].at < crowd_.network.now() - 60s) seen_.pop_front();
  }

  std::size_t outcomes = 0;
  std::size_t complete = 0;
  std::size_t failed = 0;
  std::size_t most_contributed = 0;

 private:
  struct Seen {
    Time at;
    std::set<NodeId> with_first;
  };

  // Nodes on the same side as `node` at every look from `since` on.
  [[nodiscard]] std::set<NodeId> always_with(NodeId node, Time since) const {
    std::set<NodeId> always;
    for (NodeId other = 0; other < crowd_.network.size(); ++other) always.insert(other);
    for (std::size_t i = 0; i < seen_.size(); ++i) {
      if (i + 1 < seen_.size() && seen_[i + 1].at <= since) continue;
      const auto& side = seen_[i].with_first;
      std::erase_if(always, [&](NodeId other) { return side.contains(other) != side.contains(node); });
    }
    return always;
  }

  void judge(NodeId node, const Finished& finished) {
    const auto known = asked_.find(finished.question);
    const auto asked = known == asked_.end() ? last_asked_ : known->second;
    if (!finished.outcome) {
      ++failed;
      return;
    }
    const auto& outcome = *finished.outcome;
    ++outcomes;
    complete += outcome.complete() ? 1 : 0;
    most_contributed = std::max<std::size_t>(most_contributed, outcome.contributed);
    INFO("asked by " << node << " at " << asked.time_since_epoch() / 1ms << " ms, now "
                     << crowd_.network.now().time_since_epoch() / 1ms << ", " << outcome.contributed << " contributed, "
                     << outcome.missing << " missing" << (outcome.settling ? ", settling" : ""));
    // Never wrong: each node at most once, and the account says how many.
    CHECK(outcome.groups.size() == outcome.contributed);
    std::set<NodeId> in;
    for (const auto& group : outcome.groups) {
      CHECK(group.value == Number{1});
      in.insert(node_of(group.group));
    }
    // Called complete only when it is.
    if (!outcome.complete()) return;
    for (const auto other : always_with(node, asked - settle_)) {
      INFO("node " << other);
      CHECK(in.contains(other));
    }
  }

  Crowd& crowd_;
  Duration settle_;
  std::map<convergecast::Token, Time> asked_;
  Time last_asked_{};
  std::deque<Seen> seen_;
};

}  // namespace

TEST_CASE("simulation: with lost bodies outcomes are mostly complete, else marked partial", "[simulation]") {
  const auto seed = seed_of_run(7'101);
  INFO("AXL_SEED=" << seed);
  convergecast::Config config;
  Crowd crowd{seed, 200, config};
  Judge judge{crowd, config.settle};
  judge.look();
  crowd.swarm->loss = 0.02;
  for (int round = 0; round < 30; ++round) {
    judge.ask(crowd.network.random()() % 200);
    crowd.swarm->run_for(1s);
  }
  crowd.swarm->run_for(10s);
  CHECK(judge.outcomes + judge.failed == 30);
  CHECK(judge.complete >= 20);
  WARN("seed " << seed << ": 2 % loss: " << judge.complete << " complete of " << judge.outcomes << " outcomes, "
               << judge.failed << " without");
}

TEST_CASE("simulation: while nodes restart and links come and go no node is counted twice or left out in silence",
          "[simulation]") {
  const auto seed = seed_of_run(1);
  INFO("AXL_SEED=" << seed);
  convergecast::Config config;
  Crowd crowd{seed, 100, config};
  Judge judge{crowd, config.settle};
  auto& random = crowd.network.random();
  judge.look();
  for (int tenth = 0; tenth < 900; ++tenth) {
    const bool rest = tenth % 300 > 180;  // to settle, so that something is complete
    // Much is lost, so that nodes are asked late, when others have moved and answered already.
    crowd.swarm->loss = rest ? 0.005 : 0.1;
    if (tenth % 2 == 0) judge.ask(random() % 100);
    if (!rest && tenth % 4 == 0) {
      crowd.swarm->restart(random() % 100, std::chrono::milliseconds{50 + random() % 500});
    } else if (!rest && tenth % 4 == 1) {
      const auto links = crowd.network.links_up();
      const auto link = links[random() % links.size()];
      const auto ends = crowd.network.ends(link);
      if (crowd.network.connected_without(link)) crowd.network.cut(link);
      crowd.taken.erase(std::minmax(ends.first, ends.second));
    } else if (!rest && tenth % 4 == 2) {
      crowd.connect(random() % 100, random() % 100);
    }
    judge.look();
    crowd.swarm->run_for(100ms);
    judge.look();
  }
  crowd.swarm->run_for(10s);
  CHECK(judge.outcomes > 200);
  CHECK(judge.complete > 5);
  CHECK(judge.complete < judge.outcomes);
  CHECK(judge.most_contributed == 100);
  WARN("seed " << seed << ": churn: " << judge.complete << " complete of " << judge.outcomes << " outcomes, "
               << judge.failed << " without");
}

TEST_CASE("simulation: a partition and its healing give outcomes of one side, or of both, or marked ones",
          "[simulation]") {
  const auto seed = seed_of_run(7'103);
  INFO("AXL_SEED=" << seed);
  convergecast::Config config;
  Crowd crowd{seed, 80, config};
  Judge judge{crowd, config.settle};
  auto& random = crowd.network.random();
  bool apart = false;
  const auto side = [](NodeId node) { return node % 3 == 0; };
  crowd.swarm->on_send = [&](NodeId from, NodeId to, ByteSpan) { return apart && side(from) != side(to); };
  // Each side hangs together without the other.
  for (NodeId node = 3; node < 80; ++node) {
    auto other = random() % node;
    while (side(other) != side(node)) other = random() % node;
    if (node > 4) crowd.connect(node, other);
  }
  crowd.connect(1, 2);
  crowd.connect(2, 4);
  crowd.swarm->run_for(20s);
  judge.look();
  const auto ask_for = [&](int tenths) {
    for (int i = 0; i < tenths; ++i) {
      judge.ask(random() % 80);
      crowd.swarm->run_for(100ms);
      judge.look();
    }
  };
  ask_for(20);
  std::vector<std::pair<NodeId, NodeId>> cut;
  for (const auto link : crowd.network.links_up()) {
    const auto ends = crowd.network.ends(link);
    if (side(ends.first) == side(ends.second)) continue;
    crowd.network.cut(link);
    crowd.taken.erase(std::minmax(ends.first, ends.second));
    cut.push_back(ends);
  }
  apart = true;
  judge.look();
  const auto before = judge.complete;
  ask_for(300);
  CHECK(judge.complete > before);  // each side for itself
  apart = false;
  for (const auto& [a, b] : cut) crowd.connect(a, b);
  judge.look();
  const auto healed = judge.complete;
  ask_for(250);
  crowd.swarm->run_for(10s);
  judge.look();
  CHECK(judge.complete > healed);
  CHECK(judge.most_contributed == 80);
  WARN("seed " << seed << ": partition: " << judge.complete << " complete of " << judge.outcomes << " outcomes, "
               << judge.failed << " without");
}

TEST_CASE("simulation: a silent node is named as missing, with nothing but what is below it", "[simulation]") {
  const auto seed = seed_of_run(7'104);
  INFO("AXL_SEED=" << seed);
  Crowd crowd{seed, 200};
  auto& random = crowd.network.random();
  const auto root = crowd.swarm->root_of(0);
  auto silent = random() % 200;
  while (silent == root || crowd.network.engine(silent).place().children.empty()) silent = random() % 200;
  auto asker = random() % 200;
  const auto below = [&](NodeId node) {  // whether the silent one is above it
    for (; node != root; node = crowd.network.node_of(crowd.network.engine(node).place().parent).value()) {
      if (node == silent) return true;
    }
    return false;
  };
  while (below(asker)) asker = random() % 200;
  crowd.swarm->value = [](NodeId node, const Wanted&) { return one_of(node); };
  crowd.swarm->on_body = [&](NodeId at, NodeId, ByteSpan) { return at == silent; };
  std::optional<Outcome> outcome;
  crowd.swarm->on_finished = [&](NodeId, const Finished& finished) { outcome = finished.outcome.value(); };
  (void)crowd.swarm->ask(asker, kWho);
  crowd.swarm->run_for(6s);
  REQUIRE(outcome);
  CHECK_FALSE(outcome->complete());
  CHECK(outcome->missing == 1);
  CHECK(outcome->missing_keys == std::vector{crowd.network.key(silent).public_key()});
  std::size_t expected = 0;
  for (NodeId node = 0; node < 200; ++node) expected += below(node) ? 0 : 1;
  CHECK(outcome->contributed == expected);
  CHECK(expected < 199);

  // A program that has nothing to say in time is missing alone; what is below its node is there.
  crowd.swarm->on_body = nullptr;
  crowd.swarm->value = [&](NodeId node, const Wanted&) { return node == silent ? std::nullopt : one_of(node); };
  outcome.reset();
  (void)crowd.swarm->ask(asker, kWho);
  crowd.swarm->run_for(6s);
  REQUIRE(outcome);
  CHECK(outcome->missing_keys == std::vector{crowd.network.key(silent).public_key()});
  CHECK(outcome->contributed == 199);
}

TEST_CASE("simulation: a liar is believed about what is below it, and about nothing else", "[simulation]") {
  const auto seed = seed_of_run(7'105);
  INFO("AXL_SEED=" << seed);
  Crowd crowd{seed, 100};
  auto& random = crowd.network.random();
  const auto root = crowd.swarm->root_of(0);
  auto liar = random() % 100;
  while (liar == root || crowd.network.engine(liar).place().children.empty()) liar = random() % 100;
  crowd.swarm->value = [](NodeId node, const Wanted&) { return one_of(node); };
  std::size_t lies = 0;
  bool lying = false;
  crowd.swarm->on_send = [&](NodeId from, NodeId to, ByteSpan body) {
    if (from != liar || lying) return false;
    lying = true;
    const auto say = [&](NodeId whom, Bytes lie) {
      ++lies;
      crowd.swarm->inject(liar, whom, std::move(lie));
    };
    const auto message = convergecast::read_body(body);
    REQUIRE(message);
    if (const auto* part = std::get_if<convergecast::PartView>(&*message)) {
      say(to, to_bytes(body));  // twice; then with the same nonce to everybody
      for (NodeId whom = 0; whom < 100; ++whom) {
        say(whom, to_bytes(body));
        say(whom, convergecast::encode(convergecast::Decline{part->nonce, convergecast::Reason::not_parent}));
        say(whom, convergecast::encode(convergecast::Request{part->nonce, 4s, 3s, kWho}));
        say(whom, convergecast::encode_result(part->nonce, part->marks, part->groups));
      }
      auto other = part->nonce;
      other[3] ^= std::byte{1};
      say(to, convergecast::encode_part(other, part->marks, part->groups));
      for (NodeId whom = 0; whom < 100; ++whom) {
        say(whom, convergecast::encode(convergecast::Request{other, 4s, 3s, kWho}));
        convergecast::Token token{};
        say(whom, convergecast::encode_answer(token, part->marks, part->groups));
      }
      say(to, to_bytes(body.first(body.size() / 2)));
    }
    lying = false;
    return false;
  };
  std::optional<Outcome> outcome;
  crowd.swarm->on_finished = [&](NodeId, const Finished& finished) { outcome = finished.outcome.value(); };
  for (int round = 0; round < 5; ++round) {
    outcome.reset();
    (void)crowd.swarm->ask(root, kWho);
    crowd.swarm->run_for(8s);
    REQUIRE(outcome);
    CHECK(outcome->complete());
    CHECK(outcome->contributed == 100);
    CHECK(std::ranges::all_of(outcome->groups, [](const Aggregate& group) { return group.value == Number{1}; }));
  }
  CHECK(lies > 3000);
  WARN("seed " << seed << ": " << lies << " lies");
}

TEST_CASE("simulation: a flooder fills its share and no more, and others are answered", "[simulation]") {
  const auto seed = seed_of_run(7'106);
  INFO("AXL_SEED=" << seed);
  convergecast::Config config;
  Crowd crowd{seed, 60, config};
  auto& random = crowd.network.random();
  const auto root = crowd.swarm->root_of(0);
  auto flooder = random() % 60;
  while (flooder == root || !crowd.network.engine(flooder).place().children.empty()) flooder = random() % 60;
  const auto parent = crowd.network.node_of(crowd.network.engine(flooder).place().parent).value();
  auto asker = random() % 60;
  while (asker == flooder) asker = random() % 60;
  crowd.swarm->value = [](NodeId node, const Wanted&) { return one_of(node); };
  std::size_t answered = 0;
  crowd.swarm->on_finished = [&](NodeId node, const Finished& finished) {
    if (node != asker || !finished.outcome) return;
    CHECK(finished.outcome->contributed >= 59);
    ++answered;
  };
  crowd.swarm->on_body = [&](NodeId at, NodeId, ByteSpan) { return at == flooder; };
  for (int tenth = 0; tenth < 100; ++tenth) {
    for (int i = 0; i < 100; ++i) {
      convergecast::Ask lie;
      for (auto& byte : lie.token) byte = static_cast<std::byte>(random());
      lie.question = {"flood", {Kind::count, 0, {}}, std::chrono::milliseconds{100 + random() % 59'900}, true};
      crowd.swarm->inject(flooder, parent, convergecast::encode(lie));
      const convergecast::Request request{lie.token, lie.question.time, lie.question.time, lie.question};
      crowd.swarm->inject(flooder, random() % 60, convergecast::encode(request));
      Bytes junk(random() % 200);
      for (auto& byte : junk) byte = static_cast<std::byte>(random());
      crowd.swarm->inject(flooder, parent, std::move(junk));
    }
    if (tenth % 10 == 0) (void)crowd.swarm->ask(asker, kWho);
    crowd.swarm->run_for(100ms);
  }
  crowd.swarm->run_for(10s);
  CHECK(answered >= 9);  // also through the same branch
  const auto& most = crowd.swarm->most;
  CHECK(most.running <= config.max_running);
  CHECK(most.sessions <= config.asks.per_child + 10);
  CHECK(most.asks <= config.asks.per_child + 10);
  CHECK(most.sessions >= 30);  // it did come through
  CHECK(most.held_bytes <= config.max_held_bytes);
  WARN("seed " << seed << ": flood: at most " << most.running << " running and " << most.sessions
               << " remembered sessions, " << most.asks << " questions, " << most.held_bytes
               << " bytes held by one node");
}
