// What a network of N nodes costs each of them: memory, processor time, bytes on the wire. Real engines in virtual
// time.
//
//   scale NODES SCENARIO SECONDS [SEED]
//
// Scenarios: `join` (all nodes start within a second; measured from the first one's start), `idle` (after the network
// has settled), `churn` (settled; 1 % of the nodes restart per minute), `traffic` (settled; each node sends one
// 200-byte datagram a second to each of 4 fixed partners). Above 1000 nodes signatures are taken for good unseen; how
// many checks the nodes ask for is counted either way. The graph: each node links to two random earlier ones; delays 1
// to 50 ms. Prints one line of JSON, all figures per node and second unless their names say otherwise.
#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "network.hpp"

using namespace axl;
using namespace axl::simulation;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kPartners = 4;
constexpr std::size_t kMostWithRealSignatures = 1'000;
constexpr auto kPatience = 120s;  // for a tree to become whole
constexpr auto kStep = 100ms;     // in which load is given

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec) + static_cast<double>(usage.ru_utime.tv_usec) / 1e6;
}

double heap_bytes() {
  const auto info = ::mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

void build(Network& network, std::size_t nodes) {
  auto& random = network.random();
  const auto below = [&](std::uint64_t limit) { return random() % limit; };
  std::set<std::pair<std::size_t, std::size_t>> taken;
  const auto link = [&](std::size_t a, std::size_t b) {
    if (a == b || !taken.insert(std::minmax(a, b)).second) return;
    network.connect(a, b, std::chrono::microseconds{1000 + below(49'000)});
  };
  for (std::size_t i = 0; i < nodes; ++i) {
    network.run_until(Time{std::chrono::microseconds{1'000'000 * i / nodes}});
    network.add_node(network.now());
    if (i == 0) continue;
    link(i, below(i));
    link(i, below(i));
  }
}

// Runs until the tree is whole; what is wrong with it if it does not become so.
std::string settle(Network& network) {
  const auto start = network.now();
  for (;;) {
    auto fault = tree_fault(network);
    if (fault.empty() || network.now() >= start + kPatience) return fault;
    network.run_for(500ms);
  }
}

// Restarts nodes, so many in a minute.
class Churn {
 public:
  explicit Churn(double share_per_minute) : share_{share_per_minute} {}
  void step(Network& network) {
    due_ += static_cast<double>(network.size()) * share_ * std::chrono::duration<double>(kStep).count() / 60;
    for (; due_ >= 1; due_ -= 1) network.restart(network.random()() % network.size(), 2s);
  }

 private:
  double share_;
  double due_ = 0.5;
};

// Each node sends to its partners once a second, a tenth of the nodes at a time.
class Traffic {
 public:
  explicit Traffic(Network& network) : partners_(network.size()) {
    for (auto& list : partners_) {
      for (std::size_t i = 0; i < kPartners; ++i) list.push_back(network.random()() % network.size());
    }
    network.on_deliver = [this](std::size_t, const PublicKey&, ByteSpan) { ++arrived; };
  }
  void step(Network& network) {
    for (auto node = turn_++ % 10; node < network.size(); node += 10) {
      for (const auto partner : partners_[node]) {
        if (partner == node) continue;
        network.send(node, network.key(partner).public_key(), payload_);
        ++sent;
      }
    }
  }
  std::size_t sent = 0;
  std::size_t arrived = 0;

 private:
  std::vector<std::vector<std::size_t>> partners_;
  Bytes payload_ = Bytes(200, std::byte{'x'});
  std::size_t turn_ = 0;
};

struct Tables {
  std::size_t infos = 0;
  std::size_t most_infos = 0;
  std::size_t paths = 0;
  std::size_t rumors = 0;
  std::size_t deepest = 0;
  double fullest_filter = 0;  // decides how many lookups go astray
  std::size_t half_full = 0;  // nodes with a filter that is half full, or more
};

Tables look_at(Network& network) {
  Tables all;
  for (std::size_t node = 0; node < network.size(); ++node) {
    const auto& engine = network.engine(node);
    const auto sizes = engine.table_sizes();
    all.infos += sizes.infos;
    all.most_infos = std::max(all.most_infos, sizes.infos);
    all.paths += sizes.paths;
    all.rumors += sizes.rumors;
    all.deepest = std::max(all.deepest, engine.coords().size());
    const auto fill = engine.filter_fill();
    all.fullest_filter = std::max(all.fullest_filter, fill);
    all.half_full += fill >= 0.5 ? 1 : 0;
  }
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view scenario = argc > 2 ? argv[2] : "";
  if (argc < 4 || (scenario != "join" && scenario != "idle" && scenario != "churn" && scenario != "traffic")) {
    std::fprintf(stderr, "scale NODES join|idle|churn|traffic SECONDS [SEED]\n");
    return 2;
  }
  const auto nodes = static_cast<std::size_t>(std::atol(argv[1]));
  const auto seconds = std::atol(argv[3]);
  const auto seed = seed_of_run(argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 1);
  const auto heap_before = heap_bytes();
  const auto started = cpu_seconds();
  Network network{overlay::Config{}, seed};
  network.verifier().accept_all(nodes > kMostWithRealSignatures);
  build(network, nodes);
  auto cpu = cpu_seconds() - started;
  std::string fault = "not whole yet";
  auto settled = network.now();
  std::size_t asked = 0;
  if (scenario != "join") {
    fault = settle(network);
    settled = network.now();
    network.run_for(30s);  // filters follow the tree
    network.reset_counts();
    asked = network.verifier().asked();
    cpu = 0;
  }

  Churn churn{0.01};
  Traffic traffic{network};
  const auto end =
      scenario == "join" ? Time{std::chrono::seconds{seconds}} : network.now() + std::chrono::seconds{seconds};
  while (network.now() < end) {
    const auto before = cpu_seconds();
    if (scenario == "churn") churn.step(network);
    if (scenario == "traffic") traffic.step(network);
    network.run_for(kStep);
    cpu += cpu_seconds() - before;
    if (scenario == "join" && !fault.empty()) {
      fault = tree_fault(network);
      settled = network.now();
    }
  }
  asked = network.verifier().asked() - asked;
  const auto frames = network.frames;
  const auto wire_bytes = network.wire_bytes;
  const auto own_lookups = network.own_lookups;
  std::uint64_t busiest = 0;
  for (std::size_t node = 0; node < nodes; ++node) busiest = std::max(busiest, network.sent_by(node));
  const auto heap = heap_bytes() - heap_before;
  if (scenario == "join" && !fault.empty()) {
    fault = settle(network);
    settled = network.now();
  }
  if (scenario == "traffic") network.run_for(2s);  // for what is on its way

  const auto tables = look_at(network);
  const auto n = static_cast<double>(nodes);
  const auto node_seconds = n * static_cast<double>(seconds);
  const auto rate = [&](auto count) { return static_cast<double>(count) / node_seconds; };
  const auto frame_rate = [&](wire::FrameType type) {
    const auto found = frames.find(type);
    return found == frames.end() ? 0.0 : rate(found->second);
  };
  using wire::FrameType;
  std::printf(
      "{\"nodes\":%zu,\"scenario\":\"%s\",\"seconds\":%ld,\"seed\":%llu,\"whole_after_s\":%.1f,\"fault\":\"%s\",",
      nodes, argv[2], seconds, static_cast<unsigned long long>(seed),
      std::chrono::duration<double>(settled.time_since_epoch()).count(), fault.c_str());
  std::printf("\"heap_kb\":%.1f,\"cpu_us\":%.2f,\"wire_bytes\":%.1f,\"signatures\":%.3f,\"signatures_checked\":%s,",
              heap / n / 1024, rate(cpu * 1e6), rate(wire_bytes), rate(asked),
              nodes > kMostWithRealSignatures ? "false" : "true");
  std::printf(
      "\"sig_req\":%.3f,\"announce\":%.3f,\"bloom_filter\":%.3f,\"path_lookup\":%.3f,\"path_notify\":%.3f,"
      "\"path_broken\":%.3f,\"traffic\":%.3f,",
      frame_rate(FrameType::sig_req), frame_rate(FrameType::announce), frame_rate(FrameType::bloom_filter),
      frame_rate(FrameType::path_lookup), frame_rate(FrameType::path_notify), frame_rate(FrameType::path_broken),
      frame_rate(FrameType::traffic));
  std::printf(
      "\"infos\":%.1f,\"most_infos\":%zu,\"paths\":%.1f,\"rumors\":%.1f,\"deepest\":%zu,\"fullest_filter\":%.3f,"
      "\"share_with_half_full_filters\":%.4f,\"sent\":%zu,\"arrived\":%zu,",
      static_cast<double>(tables.infos) / n, tables.most_infos, static_cast<double>(tables.paths) / n,
      static_cast<double>(tables.rumors) / n, tables.deepest, tables.fullest_filter,
      static_cast<double>(tables.half_full) / n, traffic.sent, traffic.arrived);
  std::printf("\"own_lookups\":%.4f,\"busiest_frames\":%.2f}\n", rate(own_lookups),
              static_cast<double>(busiest) / static_cast<double>(seconds));
  return 0;
}
