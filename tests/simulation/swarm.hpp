// Many pub/sub engines in virtual time, each with sessions to some others. One seed decides everything.
//
// A session has a fixed delay and keeps the order of bodies. Loss is harsher here than on a real session, which loses
// something only when it breaks: each body, whatever it says, is lost by itself with the probability given. Sessions
// that break (churn, partition) lose what is on its way besides.
#pragma once

#include <axl/key.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "crypto/hash.hpp"
#include "network.hpp"
#include "pubsub/engine.hpp"

namespace axl::simulation {

class Swarm {
 public:
  using NodeId = std::size_t;
  struct Options {
    pubsub::Config config;
    std::uint64_t seed = 1;
    double loss = 0;
    Duration least_delay{std::chrono::milliseconds{5}};
    Duration most_delay{std::chrono::milliseconds{60}};
  };
  explicit Swarm(Options options) : options_{options}, random_{options.seed} {}

  NodeId add_node();
  /// A member that the test plays: `on_body` gets what reaches it.
  NodeId add_scripted(std::function<void(NodeId from, const MessageBody& body)> on_body);
  /// Each node knows `degree` random others.
  void know_at_random(std::size_t degree);
  void know(NodeId node, std::vector<NodeId> others);
  void subscribe_all(const std::string& topic);
  /// A session between these two now, `of_first` being the form in which the second sees the first.
  void join(NodeId a, NodeId b, pubsub::Form of_first = pubsub::Form::native);
  void cut(NodeId a, NodeId b);
  /// The node is gone, or there again as a new process with the same key, subscribed to `topic`.
  void stop(NodeId node);
  void restart(NodeId node, const std::string& topic);
  [[nodiscard]] bool up(NodeId node) const { return nodes_[node]->up; }
  /// From now on sessions exist only within each of the two parts; empty: everywhere again.
  void split(std::set<NodeId> part);

  void send(NodeId from, NodeId to, const MessageBody& body);  ///< of a scripted node
  /// Publishes a message of `size` bytes (at least 8), and returns its number.
  std::uint64_t publish(NodeId node, const std::string& topic, std::size_t size = 64);

  void run_until(Time end);
  void run_for(Duration time) { run_until(now_ + time); }
  [[nodiscard]] Time now() const noexcept { return now_; }

  [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }
  [[nodiscard]] pubsub::Engine& engine(NodeId node) { return *nodes_[node]->engine; }
  [[nodiscard]] bool is_scripted(NodeId node) const { return nodes_[node]->engine == nullptr; }
  [[nodiscard]] const PrivateKey& key(NodeId node) const { return nodes_[node]->key; }
  [[nodiscard]] std::vector<NodeId> sessions_of(NodeId node) const;
  [[nodiscard]] std::mt19937_64& random() noexcept { return random_; }

  struct Publication {
    NodeId by = 0;
    Time at{};
    std::set<NodeId> expected;          // who was up and subscribed
    std::map<NodeId, Time> delivered;   // first time
    std::uint64_t hops = 0;             // sum over these
    std::size_t again = 0;              // delivered a second time to the same process
  };
  [[nodiscard]] std::vector<Publication>& publications() noexcept { return publications_; }
  /// What to answer when a node's user is to judge; accept by default.
  std::function<pubsub::Verdict(NodeId at, const pubsub::Received&)> judge;
  std::function<void(NodeId at, const pubsub::Received&)> on_other;  ///< deliveries that no publish() here made
  std::uint64_t bodies = 0;
  std::uint64_t bytes = 0;

  /// Over all engines, those of stopped processes included.
  [[nodiscard]] pubsub::Counters counters() const;

 private:
  struct Node {
    Node(const PrivateKey& node_key, std::uint64_t seed) : key{node_key}, rng{seed} {}
    PrivateKey key;
    crypto::SeededRng rng;
    std::unique_ptr<pubsub::Engine> engine;
    std::function<void(NodeId, const MessageBody&)> on_body;
    std::vector<PublicKey> known;
    std::map<NodeId, std::uint64_t> sessions;  // other end, number of the session
    bool up = true;
    std::uint32_t life = 0;
    Time wake = Time::max();
  };
  struct Event {
    Time time;
    std::uint64_t order = 0;
    std::function<void()> run;
    bool operator>(const Event& other) const { return std::pair{time, order} > std::pair{other.time, other.order}; }
  };

  void at(Time time, std::function<void()> run) { events_.push({time, order_++, std::move(run)}); }
  void start_engine(NodeId node);
  void drain(NodeId node);
  void take(NodeId node, pubsub::Output output);
  void dial(NodeId from, const PublicKey& to);
  void deliver(NodeId node, const pubsub::Received& message);
  void carry(NodeId from, NodeId to, const MessageBody& body);
  [[nodiscard]] Duration delay(NodeId a, NodeId b) const;
  [[nodiscard]] bool separated(NodeId a, NodeId b) const { return part_.contains(a) != part_.contains(b); }

  Options options_;
  std::mt19937_64 random_;
  SharedVerifier verifier_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<PublicKey, NodeId> by_key_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::uint64_t order_ = 0;
  std::uint64_t next_session_ = 1;
  Time now_{};
  std::set<NodeId> part_;
  std::vector<Publication> publications_;
  pubsub::Counters past_;
};

}  // namespace axl::simulation
