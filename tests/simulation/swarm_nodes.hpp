// A network that has found its tree, with aggregation on every node.
#pragma once

#include <axl/aggregation.hpp>
#include <catch2/catch_test_macros.hpp>
#include <memory>

#include "convergecast_swarm.hpp"

namespace axl::simulation {

/// A random graph: a tree, so that all is connected, and as many further links; delays from 1 to 30 ms.
struct Crowd {
  Crowd(std::uint64_t seed, std::size_t nodes, convergecast::Config config = {}) : network{overlay::Config{}, seed} {
    auto& random = network.random();
    for (std::size_t i = 0; i < nodes; ++i) network.add_node(Time{std::chrono::microseconds{random() % 1'000'000}});
    network.run_until(Time{std::chrono::seconds{1}});
    swarm = std::make_unique<ConvergecastSwarm>(network, config, seed);
    for (std::size_t i = 1; i < nodes; ++i) connect(i, random() % i);
    for (std::size_t i = 0; i < nodes; ++i) connect(random() % nodes, random() % nodes);
    swarm->run_for(std::chrono::seconds{30});  // whole, and settled
    REQUIRE(tree_fault(network).empty());
  }

  void connect(std::size_t a, std::size_t b) {
    if (a == b || !taken.insert(std::minmax(a, b)).second) return;
    const Duration delay{std::chrono::microseconds{1000 + network.random()() % 29'000}};
    network.connect(a, b, delay);
    swarm->set_delay(a, b, delay);
  }

  Network network;
  std::unique_ptr<ConvergecastSwarm> swarm;
  std::set<std::pair<std::size_t, std::size_t>> taken;
};

}  // namespace axl::simulation
