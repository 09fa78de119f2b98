// Two hundred nodes on the overlay's own tree: what comes of their values is what one node with all of them would say.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <optional>

#include "convergecast_swarm.hpp"
#include "swarm_nodes.hpp"

using namespace axl;
using namespace axl::simulation;
using namespace std::chrono_literals;
using Kind = Operation::Kind;

namespace {

// Asks and waits; how long it took is the Duration.
std::pair<Outcome, Duration> ask(Crowd& crowd, ConvergecastSwarm::NodeId node, const Question& question) {
  std::optional<Outcome> outcome;
  const auto asked = crowd.network.now();
  Time at{};
  crowd.swarm->on_finished = [&](ConvergecastSwarm::NodeId by, const convergecast::Finished& finished) {
    REQUIRE(by == node);
    REQUIRE(finished.outcome);
    outcome = *finished.outcome;
    at = crowd.network.now();
  };
  (void)crowd.swarm->ask(node, question);
  while (!outcome && crowd.network.now() < asked + 20s) crowd.swarm->run_for(10ms);
  REQUIRE(outcome);
  return {*outcome, at - asked};
}

double value_of(ConvergecastSwarm::NodeId node) {
  // Magnitudes that are lost when they are added one after another.
  return (node % 3 == 0 ? 1e17 : node % 3 == 1 ? -1e17 : 0.125) + static_cast<double>(node);
}

}  // namespace

TEST_CASE("simulation: a node's place names its parent, and as children those whose parent it is", "[simulation]") {
  const auto seed = seed_of_run(7'003);
  INFO("AXL_SEED=" << seed);
  Crowd crowd{seed, 50};
  const auto key_of = [&](ConvergecastSwarm::NodeId node) { return crowd.network.key(node).public_key(); };
  std::map<PublicKey, std::vector<PublicKey>> expected;
  for (ConvergecastSwarm::NodeId node = 0; node < 50; ++node) {
    const auto parent = crowd.network.engine(node).place().parent;
    CHECK((parent == key_of(node)) == (crowd.swarm->root_of(node) == node));
    if (parent != key_of(node)) expected[parent].push_back(key_of(node));
  }
  for (auto& [parent, children] : expected) std::ranges::sort(children);
  for (ConvergecastSwarm::NodeId node = 0; node < 50; ++node) {
    CHECK(crowd.network.engine(node).place().children == expected[key_of(node)]);
  }
  const auto before = crowd.network.engine(7).place_version();
  crowd.network.restart(8, 100ms);
  crowd.connect(7, 8);
  crowd.swarm->run_for(1s);
  CHECK(crowd.network.engine(7).place_version() != before);
}

TEST_CASE("simulation: 200 nodes give one outcome, the right one, within depth x 2 round trips", "[simulation]") {
  const auto seed = seed_of_run(7'001);
  INFO("AXL_SEED=" << seed);
  Crowd crowd{seed, 200};
  crowd.swarm->value = [&](ConvergecastSwarm::NodeId node, const convergecast::Wanted& wanted) {
    std::vector<Contribution> values;
    if (wanted.question.name == "thirds") {
      values.push_back({"third " + std::to_string(node % 3), Number{static_cast<std::int64_t>(node)}});
    } else if (wanted.question.name == "number") {
      values.push_back({"", Number{static_cast<std::int64_t>(node / 2)}});
    } else if (wanted.question.name != "even" || node % 2 == 0) {
      values.push_back({"", Number::from_double(value_of(node)).value()});
    }
    return std::optional{values};
  };
  convergecast::ExactSum sum;
  for (std::size_t node = 0; node < 200; ++node) {
    REQUIRE(sum.add(convergecast::ExactSum{Number::from_double(value_of(node)).value()}));
  }

  const auto depth = crowd.swarm->depth();
  Duration slowest{};
  const auto check = [&](ConvergecastSwarm::NodeId node, const Question& question) {
    const auto [outcome, took] = ask(crowd, node, question);
    slowest = std::max(slowest, took);
    CHECK(outcome.complete());
    return outcome;
  };
  auto& random = crowd.network.random();
  for (int round = 0; round < 5; ++round) {
    const auto node = random() % 200;
    const auto total = check(node, {"load", {Kind::sum, 0, {}}, 10s, false});
    CHECK(total.contributed == 200);
    CHECK(total.groups.at(0).value == sum.value());
    const auto mean = check(node, {"load", {Kind::mean, 0, {}}, 10s, false});
    CHECK(mean.groups.at(0).value.to_double() == sum.mean(200));
    const auto even = check(node, {"even", {Kind::count, 0, {}}, 10s, false});
    CHECK(even.contributed == 100);
    CHECK(even.abstained == 100);
    const auto top = check(node, {"number", {Kind::top, 3, {}}, 10s, false});
    const auto& high = crowd.network.key(198).public_key();
    const auto& low = crowd.network.key(199).public_key();
    REQUIRE(top.groups.at(0).top.size() == 3);
    CHECK(top.groups[0].top[0] == Aggregate::Ranked{Number{99}, std::min(high, low)});
    CHECK(top.groups[0].top[1] == Aggregate::Ranked{Number{99}, std::max(high, low)});
    CHECK(top.groups[0].top[2].value == Number{98});
    const auto lowest = check(node, {"load", {Kind::min, 0, {}}, 10s, false});
    CHECK(lowest.groups.at(0).value == Number::from_double(value_of(1)).value());
    const auto thirds = check(node, {"thirds", {Kind::max, 0, {}}, 10s, false});
    REQUIRE(thirds.groups.size() == 3);
    CHECK(thirds.groups[1].group == "third 1");
    CHECK(thirds.groups[1].value == Number{199});
    CHECK(thirds.groups[1].count == 67);
  }
  const auto bound = 2 * static_cast<Duration::rep>(depth) * (2 * crowd.swarm->longest_delay);
  CHECK(slowest <= bound);
  CHECK(crowd.swarm->most.running <= 1);
  WARN("seed " << seed << ": depth " << depth << ", slowest outcome " << slowest / 1ms << " ms, bound " << bound / 1ms
               << " ms, " << crowd.swarm->bodies << " bodies, " << crowd.swarm->body_bytes / crowd.swarm->bodies
               << " bytes each");
}

TEST_CASE("simulation: the outcome is told to every node on request, and to nobody else's question", "[simulation]") {
  const auto seed = seed_of_run(7'002);
  INFO("AXL_SEED=" << seed);
  Crowd crowd{seed, 60};
  crowd.swarm->value = [](ConvergecastSwarm::NodeId, const convergecast::Wanted&) {
    return std::optional{std::vector<Contribution>{{"", Number{2}}}};
  };
  std::map<ConvergecastSwarm::NodeId, int> told;
  crowd.swarm->on_told = [&](ConvergecastSwarm::NodeId node, const convergecast::Told& result) {
    ++told[node];
    CHECK(result.outcome.groups.at(0).value == Number{120});
    CHECK(result.question.name == "load");
  };
  (void)ask(crowd, 17, {"load", {Kind::sum, 0, {}}, 5s, false});
  crowd.swarm->run_for(2s);
  CHECK(told.empty());
  (void)ask(crowd, 17, {"load", {Kind::sum, 0, {}}, 5s, true});
  crowd.swarm->run_for(2s);
  CHECK(told.size() == 60);
  CHECK(std::ranges::all_of(told, [](const auto& entry) { return entry.second == 1; }));
  crowd.swarm->run_for(10s);
  for (ConvergecastSwarm::NodeId node = 0; node < 60; ++node) {  // nothing is left of it
    const auto stats = crowd.swarm->engine(node).stats();
    CHECK(stats.sessions + stats.asks + stats.running + stats.held_bytes == 0);
    CHECK_FALSE(crowd.swarm->engine(node).next_tick());
  }
}
