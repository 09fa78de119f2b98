// Many nodes in one process, on one thread and on several.
#include <catch2/catch_test_macros.hpp>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "node_fixture.hpp"

using namespace axl;
using namespace axl::test;

namespace {

constexpr std::size_t kNodes = 50;

// Every node is linked to the one before it and to the first; each sends one message to the node seven further on.
struct Crowd {
  std::vector<std::unique_ptr<Node>> nodes;
  std::atomic<std::size_t> delivered{0};
  std::atomic<std::size_t> failed{0};
  std::mutex mutex;
  std::string errors;

  explicit Crowd() {
    for (std::size_t i = 0; i < kNodes; ++i) {
      auto config = listening(RunMode::poll);
      config.send_timeout = std::chrono::minutes{4};
      config.dial_timeout = std::chrono::minutes{4};
      if (i > 0) config.peers.push_back({.uri = nodes[i - 1]->listeners().at(0)});
      if (i > 1) config.peers.push_back({.uri = nodes[0]->listeners().at(0)});
      nodes.push_back(make_node(std::move(config)));
      REQUIRE(nodes.back()->start());
    }
  }

  void send_all() {
    for (std::size_t i = 0; i < kNodes; ++i) {
      const auto& to = nodes[(i + 7) % kNodes]->key();
      nodes[i]->send(to, to_bytes("from " + std::to_string(i)),
                     [this](const auto& report) {
                       if (!report) note(report.error());
                       ++(report ? delivered : failed);
                     });
    }
  }
  void note(const Error& error) {
    const std::lock_guard lock{mutex};
    errors += error.text() + "; ";
  }
  [[nodiscard]] bool finished() const { return delivered + failed == kNodes; }
};

}  // namespace

TEST_CASE("crowd: fifty nodes on one thread reach each other", "[crowd]") {
  Crowd crowd;
  crowd.send_all();
  while (!crowd.finished()) {
    for (const auto& node : crowd.nodes) static_cast<void>(node->poll());
  }
  INFO(crowd.errors);
  CHECK(crowd.delivered == kNodes);
}

TEST_CASE("crowd: fifty nodes on eight threads reach each other", "[crowd][threads]") {
  Crowd crowd;
  crowd.send_all();
  std::vector<std::thread> threads;
  for (std::size_t part = 0; part < 8; ++part) {
    threads.emplace_back([&crowd, part] {
      while (!crowd.finished()) {
        for (std::size_t i = part; i < kNodes; i += 8) static_cast<void>(crowd.nodes[i]->poll());
        std::this_thread::yield();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  INFO(crowd.errors);
  CHECK(crowd.delivered == kNodes);
}
