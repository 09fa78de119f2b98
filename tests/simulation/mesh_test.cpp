// Two hundred nodes on a random graph: one tree, everybody reaches everybody, also after links and nodes have failed.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstring>

#include "network.hpp"

using namespace axl;
using namespace axl::simulation;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kNodes = 200;

// A random tree, so that all is connected, and as many further links; delays from 1 to 50 ms; starts spread over a
// second.
void build(Network& network, std::size_t nodes) {
  auto& random = network.random();
  const auto below = [&](std::uint64_t limit) { return random() % limit; };
  for (std::size_t i = 0; i < nodes; ++i) network.add_node(Time{std::chrono::microseconds{below(1'000'000)}});
  network.run_until(Time{1s});
  std::set<std::pair<std::size_t, std::size_t>> taken;
  const auto link = [&](std::size_t a, std::size_t b) {
    if (a == b || !taken.insert(std::minmax(a, b)).second) return;
    network.connect(a, b, std::chrono::microseconds{1000 + below(49'000)});
  };
  for (std::size_t i = 1; i < nodes; ++i) link(i, below(i));
  for (std::size_t i = 0; i < nodes; ++i) link(below(nodes), below(nodes));
}

// Time until the tree is whole, checked every half second.
std::optional<Duration> converge(Network& network, Duration limit, std::string& fault) {
  const auto start = network.now();
  while (network.now() < start + limit) {
    fault = tree_fault(network);
    if (fault.empty()) return network.now() - start;
    network.run_for(500ms);
  }
  return std::nullopt;
}

using Pair = std::pair<std::size_t, std::size_t>;

std::vector<Pair> all_pairs(std::size_t nodes) {
  std::vector<Pair> pairs;
  for (std::size_t from = 0; from < nodes; ++from) {
    for (std::size_t to = 0; to < nodes; ++to) {
      if (from != to) pairs.emplace_back(from, to);
    }
  }
  return pairs;
}

// Sends one datagram for each pair, some hundred a second, those that did not arrive again after a while.
// Returns the pairs without an arrival at the end.
std::vector<Pair> exchange(Network& network, std::vector<Pair> pairs, int rounds) {
  std::set<Pair> missing{pairs.begin(), pairs.end()};
  network.on_deliver = [&](std::size_t at, const PublicKey& from, ByteSpan payload) {
    std::array<std::size_t, 2> numbers{};
    if (payload.size() != sizeof numbers) return;
    std::memcpy(numbers.data(), payload.data(), sizeof numbers);
    const Pair sent{numbers[0], numbers[1]};
    if (sent.second == at && network.key(sent.first).public_key() == from) missing.erase(sent);
  };
  for (int round = 0; round < rounds && !missing.empty(); ++round) {
    pairs.assign(missing.begin(), missing.end());
    std::ranges::shuffle(pairs, network.random());
    std::size_t sent = 0;
    for (const auto& pair : pairs) {
      const std::array numbers{pair.first, pair.second};
      network.send(pair.first, network.key(pair.second).public_key(), std::as_bytes(std::span{numbers}));
      if (++sent % 40 == 0) network.run_for(100ms);
    }
    network.run_for(3s);
  }
  network.on_deliver = nullptr;
  return {missing.begin(), missing.end()};
}

void check_bounds(Network& network, const overlay::Config& config) {
  for (std::size_t node = 0; node < network.size(); ++node) {
    if (network.is_scripted(node)) continue;
    const auto sizes = network.engine(node).table_sizes();
    CHECK(sizes.infos <= config.max_infos);
    CHECK(sizes.paths <= config.max_paths);
    CHECK(sizes.rumors <= config.max_rumors);
    CHECK(sizes.waiting_bytes <= config.max_waiting_bytes);
  }
}

PublicKey parent_of(Network& network, std::size_t node) {
  for (const auto& entry : network.engine(node).tree()) {
    if (entry.key == network.key(node).public_key()) return entry.parent;
  }
  return {};
}

std::string describe(const std::vector<Pair>& missing) {
  std::string text = std::to_string(missing.size()) + " pairs:";
  for (std::size_t i = 0; i < std::min<std::size_t>(missing.size(), 10); ++i) {
    text += " " + std::to_string(missing[i].first) + "->" + std::to_string(missing[i].second);
  }
  return text;
}

}  // namespace

TEST_CASE("simulation: 200 nodes find one root and reach each other, also after failures", "[simulation]") {
  const auto seed = seed_of_run(20'241'213);
  INFO("AXL_SEED=" << seed);
  const overlay::Config config;
  Network network{config, seed};
  build(network, kNodes);
  std::string fault;
  const auto first = converge(network, 30s, fault);
  INFO(fault);
  REQUIRE(first);
  CHECK(network.closed_links == 0);
  network.run_for(5s);  // filters
  auto missing = exchange(network, all_pairs(kNodes), 3);
  INFO(describe(missing));
  REQUIRE(missing.empty());
  check_bounds(network, config);

  // A fifth of the links fails, all nodes stay connected.
  auto links = network.links_up();
  std::ranges::shuffle(links, network.random());
  std::size_t to_cut = links.size() / 5;
  for (const auto link : links) {
    if (to_cut == 0) break;
    if (!network.connected_without(link)) continue;
    network.cut(link);
    --to_cut;
  }
  REQUIRE(to_cut == 0);
  const auto second = converge(network, 60s, fault);
  INFO(fault);
  REQUIRE(second);
  network.run_for(5s);
  auto pairs = all_pairs(kNodes);
  std::ranges::shuffle(pairs, network.random());
  pairs.resize(4000);
  missing = exchange(network, pairs, 3);
  INFO(describe(missing));
  REQUIRE(missing.empty());

  // A fifth of the nodes is restarted with the same keys, the root among them.
  std::vector<std::size_t> nodes(kNodes);
  for (std::size_t i = 0; i < kNodes; ++i) nodes[i] = i;
  std::ranges::shuffle(nodes, network.random());
  const auto root = network.node_of(network.engine(0).root()).value();
  std::iter_swap(nodes.begin(), std::ranges::find(nodes, root));
  for (std::size_t i = 0; i < kNodes / 5; ++i) network.restart(nodes[i], 200ms);
  network.run_for(1s);
  const auto third = converge(network, 60s, fault);
  INFO(fault);
  REQUIRE(third);
  network.run_for(5s);
  missing = exchange(network, pairs, 3);
  INFO(describe(missing));
  REQUIRE(missing.empty());
  check_bounds(network, config);
  CHECK(network.closed_links == 0);
  const auto seconds = [](Duration time) { return std::chrono::duration<double>(time).count(); };
  WARN("seed " << seed << ": whole after " << seconds(*first) << " s; after cuts " << seconds(*second)
               << " s; after restarts " << seconds(*third) << " s; " << network.verifier().checked() << " signatures");
}

TEST_CASE("simulation: an idle network is silent between refreshes", "[simulation]") {
  const auto seed = seed_of_run(7);
  INFO("AXL_SEED=" << seed);
  Network network{{}, seed};
  build(network, 60);
  std::string fault;
  REQUIRE(converge(network, 30s, fault));
  network.run_until(Time{60s});
  network.frames.clear();
  network.run_until(Time{230s});
  CHECK(network.frames.empty());  // nothing at all for 170 s
  // All renew around the fourth minute: requests, answers and announcements, then silence again.
  network.run_until(Time{300s});
  const auto renewals = network.frames;
  const auto links = network.links_up().size();
  using wire::FrameType;
  CHECK(network.frames[FrameType::sig_req] >= 2 * links);
  CHECK(network.frames[FrameType::sig_req] == network.frames[FrameType::sig_res]);
  CHECK(network.frames[FrameType::announce] > 0);
  CHECK(network.frames[FrameType::path_lookup] == 0);
  network.run_until(Time{470s});
  network.frames.clear();
  std::vector<PublicKey> parents;
  for (std::size_t node = 0; node < network.size(); ++node) parents.push_back(parent_of(network, node));
  network.run_until(Time{600s});
  CHECK(network.frames[FrameType::sig_req] >= 2 * links);
  // A renewal is when a node may move to a much better parent; filters change only then.
  std::size_t moves = 0;
  for (std::size_t node = 0; node < network.size(); ++node) moves += parent_of(network, node) != parents[node] ? 1 : 0;
  CHECK(network.frames[FrameType::bloom_filter] <= 4 * links * moves);
  std::size_t all = 0;
  for (const auto& [type, count] : network.frames) all += count;
  const auto per_minute = static_cast<double>(all) / 4.0 / 60.0;  // in four minutes, per node
  WARN("seed " << seed << ": " << per_minute << " frames per node and minute when idle");
  CHECK(per_minute < 10.0);
  CHECK(tree_fault(network).empty());
}

TEST_CASE("simulation: a datagram crosses a fresh line at once, without waiting for ticks", "[simulation]") {
  for (const bool early : {true, false}) {
    overlay::Config config;
    if (!early) config.early_ticks = config.repeat_lookups = false;
    Network network{config, 5};
    constexpr std::size_t kLine = 5;
    for (std::size_t i = 0; i < kLine; ++i) network.add_node(Time{std::chrono::milliseconds{i * 37}});
    network.run_until(Time{500ms});
    for (std::size_t i = 1; i < kLine; ++i) network.connect(i - 1, i, 1ms);
    std::optional<Time> arrived;
    network.on_deliver = [&](std::size_t at, const PublicKey&, ByteSpan) {
      if (at == kLine - 1 && !arrived) arrived = network.now();
    };
    // The layers above offer a waiting packet again every second.
    while (!arrived && network.now() < Time{30s}) {
      network.send(0, network.key(kLine - 1).public_key(), as_bytes("first"));
      network.run_for(1s);
    }
    REQUIRE(arrived);
    if (early) {
      CHECK(*arrived < Time{500ms} + 400ms);
    } else {
      CHECK(*arrived > Time{500ms} + 2s);
    }
  }
}
