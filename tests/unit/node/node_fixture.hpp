// Nodes on loopback for tests, and waiting for what happens on their loops. Catch2's checks are for one thread:
// handlers hand over what they saw, the test looks at it.
#pragma once

#include <axl/axl.hpp>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace axl::test {

/// A value that a handler sets once and a test waits for; ctest's watchdog ends a test that waits in vain.
template <class T>
class Awaited {
 public:
  void set(T value) {
    const std::lock_guard lock{mutex_};
    value_.emplace(std::move(value));
    set_.notify_all();
  }
  [[nodiscard]] T get() {
    std::unique_lock lock{mutex_};
    set_.wait(lock, [&] { return value_.has_value(); });
    return std::move(*value_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable set_;
  std::optional<T> value_;
};

inline std::unique_ptr<Node> make_node(NodeConfig config = {}) {
  auto node = Node::create(std::move(config));
  if (!node) {
    std::fprintf(stderr, "node: %s\n", node.error().text().c_str());
    std::abort();
  }
  return *std::move(node);
}

inline NodeConfig listening(RunMode run = RunMode::own_thread) {
  NodeConfig config;
  config.listen = {"tls://127.0.0.1:0"};
  config.run = run;
  return config;
}

inline NodeConfig dialling(const Node& other, RunMode run = RunMode::own_thread) {
  NodeConfig config;
  config.peers = {{.uri = other.listeners().at(0)}};
  config.run = run;
  return config;
}

inline Result<SendReport> send_and_wait(Node& from, const PublicKey& to, MessageBody body, SendOptions options = {}) {
  Awaited<Result<SendReport>> report;
  from.send(to, std::move(body), std::move(options), [&](Result<SendReport> got) { report.set(std::move(got)); });
  return report.get();
}

inline Result<Session> connect_and_wait(Node& from, const PublicKey& to, std::uint16_t port) {
  auto result = std::make_shared<Awaited<Result<Session>>>();
  from.connect(to, port, [result](Result<Session> got) { result->set(std::move(got)); });
  return result->get();
}

}  // namespace axl::test
