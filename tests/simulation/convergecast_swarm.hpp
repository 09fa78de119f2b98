// Convergecast engines on the nodes of a simulated network: the overlay's own tree, with all that happens to it.
//
// Bodies travel between any two nodes as sessions would carry them: in order, with the delay of their link (or of a
// detour, when they have none), and not at all across a partition. What a lost session takes with it is `loss`.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <set>
#include <vector>

#include "convergecast/engine.hpp"
#include "network.hpp"

namespace axl::simulation {

class ConvergecastSwarm {
 public:
  using NodeId = Network::NodeId;
  static constexpr Duration kDetour{std::chrono::milliseconds{80}};

  ConvergecastSwarm(Network& network, const convergecast::Config& config, std::uint64_t seed);

  void set_delay(NodeId a, NodeId b, Duration delay) { delays_[std::minmax(a, b)] = delay; }
  void add_merge(const std::string& name, convergecast::Merge merge);
  /// The node with a new engine on either layer.
  void restart(NodeId node, Duration pause);

  void run_until(Time end);
  void run_for(Duration time) { run_until(network_.now() + time); }
  [[nodiscard]] convergecast::Token ask(NodeId node, Question question);
  /// A body made by the test.
  void inject(NodeId from, NodeId to, Bytes body) { carry(from, to, MessageBody{std::move(body)}); }

  [[nodiscard]] convergecast::Engine& engine(NodeId node) { return *nodes_[node].engine; }
  [[nodiscard]] NodeId root_of(NodeId node) { return network_.node_of(network_.engine(node).root()).value(); }
  [[nodiscard]] std::size_t depth() const;  ///< of the deepest node
  /// Nodes that reach this one over links that are up.
  [[nodiscard]] std::set<NodeId> connected_with(NodeId node) const;

  double loss = 0;
  /// What a node has to say; empty: nothing, ever.
  std::function<std::optional<std::vector<Contribution>>(NodeId, const convergecast::Wanted&)> value;
  std::function<void(NodeId, const convergecast::Finished&)> on_finished;
  std::function<void(NodeId, const convergecast::Told&)> on_told;
  /// Nodes that the test plays itself: gets what reaches them; true: the engine shall not.
  std::function<bool(NodeId at, NodeId from, ByteSpan body)> on_body;
  /// What a node is about to send; true: it does not.
  std::function<bool(NodeId from, NodeId to, ByteSpan body)> on_send;

  std::uint64_t bodies = 0;
  std::uint64_t body_bytes = 0;
  convergecast::Engine::Stats most;  ///< the largest that any node had
  Duration longest_delay{};          ///< of a body

 private:
  struct Node {
    std::unique_ptr<crypto::SeededRng> rng;
    std::unique_ptr<convergecast::Engine> engine;
    Time wake = Time::max();
    std::uint64_t place_version = 0;
  };
  struct Event {
    Time time;
    std::uint64_t order = 0;
    NodeId from = 0;
    NodeId to = 0;
    MessageBody body;
    bool operator>(const Event& other) const { return std::pair{time, order} > std::pair{other.time, other.order}; }
  };

  void start(NodeId node);
  void look_at_tree(NodeId node);
  void drain(NodeId node);
  void schedule(NodeId node);
  void carry(NodeId from, NodeId to, MessageBody body);

  Network& network_;
  convergecast::Config config_;
  std::uint64_t seed_;
  std::mt19937_64 random_;
  std::vector<Node> nodes_;
  std::map<std::string, convergecast::Merge> merges_;
  std::map<std::pair<NodeId, NodeId>, Duration> delays_;
  std::map<std::pair<NodeId, NodeId>, Time> last_;  // arrivals, so that none overtakes
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::set<std::pair<Time, NodeId>> wakes_;
  std::uint64_t order_ = 0;
  std::uint64_t starts_ = 0;
};

}  // namespace axl::simulation
