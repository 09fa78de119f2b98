// Pub/sub in a swarm: everybody gets everything, about once, soon, and whoever misbehaves costs little.
#include "swarm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>


using namespace axl;
using namespace axl::simulation;
using namespace std::chrono_literals;

namespace {

constexpr auto kTopic = "news";

struct Outcome {
  std::size_t expected = 0;
  std::size_t delivered = 0;
  std::size_t again = 0;
  double mean_hops = 0;
  double copies_per_delivery = 0;
  Duration median{};
  Duration p99{};
  Duration latest{};
};

// Of the publications from number `first` on, and what `is_counted` says of nodes.
Outcome outcome(Swarm& swarm, std::size_t first, const pubsub::Counters& before,
                const std::function<bool(const Swarm::Publication&, Swarm::NodeId)>& is_counted = {}) {
  Outcome out;
  std::vector<Duration> times;
  double hops = 0;
  for (std::size_t i = first; i < swarm.publications().size(); ++i) {
    const auto& publication = swarm.publications()[i];
    out.again += publication.again;
    hops += static_cast<double>(publication.hops);
    for (const auto& [node, time] : publication.delivered) times.push_back(time - publication.at);
    for (const auto node : publication.expected) {
      if (is_counted && !is_counted(publication, node)) continue;
      ++out.expected;
      out.delivered += publication.delivered.contains(node) ? 1 : 0;
    }
  }
  std::ranges::sort(times);
  if (times.empty()) return out;
  out.mean_hops = hops / static_cast<double>(times.size());
  out.median = times[times.size() / 2];
  out.p99 = times[times.size() * 99 / 100];
  out.latest = times.back();
  const auto now = swarm.counters();
  out.copies_per_delivery = static_cast<double>(now.copies - before.copies) / static_cast<double>(now.delivered - before.delivered);
  return out;
}

void print(const char* name, std::uint64_t seed, const Outcome& o) {
  const auto ms = [](Duration time) { return std::chrono::duration<double, std::milli>(time).count(); };
  fmt::print("{} (seed {}): {} of {} delivered, {} twice, {:.3f} copies, {:.2f} hops, median {:.0f} ms, p99 {:.0f} ms, latest {:.0f} ms\n",
             name, seed, o.delivered, o.expected, o.again, o.copies_per_delivery, o.mean_hops, ms(o.median), ms(o.p99),
             ms(o.latest));
}

}  // namespace

TEST_CASE("swarm: 500 nodes with two percent loss all get every message, about once", "[simulation]") {
  const auto seed = seed_of_run(20'261'127);
  Swarm swarm{{.config = {}, .seed = seed, .loss = 0.02}};
  for (int i = 0; i < 500; ++i) swarm.add_node();
  swarm.know_at_random(10);
  swarm.subscribe_all(kTopic);
  swarm.run_for(10s);
  const auto before = swarm.counters();
  for (int i = 0; i < 40; ++i) {
    swarm.publish(swarm.random()() % swarm.size(), kTopic);
    swarm.run_for(50ms);
  }
  swarm.run_for(15s);
  const auto o = outcome(swarm, 0, before);
  print("500 nodes", seed, o);
  const auto all = swarm.counters();
  fmt::print("  {} bodies, {} bytes, {} asked, {} announced, {} broken promises\n", swarm.bodies, swarm.bytes, all.asked, all.announced,
             all.broken_promises);
  INFO("seed " << seed);
  CHECK(o.delivered == o.expected);
  CHECK(o.again == 0);
  CHECK(o.copies_per_delivery < 1.5);
  CHECK(o.mean_hops < std::log2(500.0));
}

TEST_CASE("swarm: under churn, whoever stays gets every message", "[simulation]") {
  const auto seed = seed_of_run(77);
  INFO("AXL_SEED=" << seed);
  Swarm swarm{{.config = {}, .seed = seed, .loss = 0.02}};
  for (int i = 0; i < 500; ++i) swarm.add_node();
  swarm.know_at_random(10);
  swarm.subscribe_all(kTopic);
  swarm.run_for(10s);
  const auto before = swarm.counters();
  std::map<Swarm::NodeId, std::vector<Time>> changes;
  // Two minutes: every 12 seconds one of 500 goes, and comes back with an empty memory 20 seconds later.
  for (int second = 0; second < 120; ++second) {
    if (second % 12 == 0) {
      const auto node = swarm.random()() % swarm.size();
      if (swarm.up(node)) {
        swarm.stop(node);
        changes[node].push_back(swarm.now());
      }
    }
    for (const auto& [node, times] : changes) {
      if (!swarm.up(node) && swarm.now() - times.back() >= 20s) {
        swarm.restart(node, kTopic);
        changes[node].push_back(swarm.now());
      }
    }
    if (second % 4 == 0) {
      auto by = swarm.random()() % swarm.size();
      while (!swarm.up(by)) by = swarm.random()() % swarm.size();
      swarm.publish(by, kTopic);
    }
    swarm.run_for(1s);
  }
  swarm.run_for(15s);
  // Counted are those that were there five seconds before a message and for ten seconds after it.
  const auto o = outcome(swarm, 0, before, [&](const Swarm::Publication& publication, Swarm::NodeId node) {
    const auto found = changes.find(node);
    return found == changes.end() || std::ranges::none_of(found->second, [&](Time time) {
             return time > publication.at - 5s && time < publication.at + 10s;
           });
  });
  print("churn", seed, o);
  CHECK(o.delivered == o.expected);
  CHECK(o.again == 0);
  CHECK(o.copies_per_delivery < 1.5);
}

TEST_CASE("swarm: each part of a split network goes on, and it grows together again", "[simulation]") {
  const auto seed = seed_of_run(78);
  INFO("AXL_SEED=" << seed);
  Swarm swarm{{.config = {}, .seed = seed, .loss = 0.02}};
  for (int i = 0; i < 200; ++i) swarm.add_node();
  swarm.know_at_random(10);
  swarm.subscribe_all(kTopic);
  swarm.run_for(10s);
  std::set<Swarm::NodeId> part;
  for (Swarm::NodeId node = 0; node < 60; ++node) part.insert(node);
  swarm.split(part);
  swarm.run_for(5s);
  auto before = swarm.counters();
  for (int i = 0; i < 20; ++i) {
    swarm.publish(swarm.random()() % swarm.size(), kTopic);
    swarm.run_for(1s);
  }
  swarm.run_for(10s);
  const auto apart = outcome(swarm, 0, before, [&](const Swarm::Publication& publication, Swarm::NodeId node) {
    return part.contains(node) == part.contains(publication.by);
  });
  print("two parts", seed, apart);
  CHECK(apart.delivered == apart.expected);
  swarm.split({});
  swarm.run_for(60s);  // the longest pause before a lost peer is tried again
  before = swarm.counters();
  const auto first = swarm.publications().size();
  for (int i = 0; i < 20; ++i) {
    swarm.publish(swarm.random()() % swarm.size(), kTopic);
    swarm.run_for(100ms);
  }
  swarm.run_for(10s);
  const auto whole = outcome(swarm, first, before);
  print("together again", seed, whole);
  CHECK(whole.delivered == whole.expected);
  CHECK(whole.again == 0);
}

TEST_CASE("swarm: ten near nodes under 500 messages a second wait for no heartbeat", "[simulation]") {
  const auto seed = seed_of_run(79);
  INFO("AXL_SEED=" << seed);
  Swarm swarm{{.config = {}, .seed = seed, .loss = 0, .least_delay = 200us, .most_delay = 1ms}};
  for (int i = 0; i < 10; ++i) swarm.add_node();
  swarm.know_at_random(9);
  swarm.subscribe_all(kTopic);
  swarm.run_for(3s);
  const auto before = swarm.counters();
  for (int i = 0; i < 1'500; ++i) {
    swarm.publish(swarm.random()() % swarm.size(), kTopic, 1'024);
    swarm.run_for(2ms);
  }
  swarm.run_for(5s);
  const auto o = outcome(swarm, 0, before);
  print("ten nodes", seed, o);
  CHECK(o.delivered == o.expected);
  CHECK(o.again == 0);
  CHECK(o.p99 < 10ms);
  CHECK(o.latest < 50ms);
}
