// Many overlay engines in virtual time, joined by links with a fixed delay. One seed decides everything.
#pragma once

#include <array>
#include <axl/key.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "crypto/hash.hpp"
#include "overlay/engine.hpp"

namespace axl::simulation {

/// The seed of this run: AXL_SEED if set, else `fallback`. Print it with every failure.
std::uint64_t seed_of_run(std::uint64_t fallback);

/// Checks signatures, each one once: in one process every node sees the same ones.
class SharedVerifier {
 public:
  crypto::Verifier verifier();
  /// From now on every signature is taken for good, unseen: for networks so large that checking is all they would do.
  void accept_all(bool accept) noexcept { state_->accept_all = accept; }
  /// Checks that nodes have asked for; each node of a real network makes its own.
  [[nodiscard]] std::size_t asked() const noexcept { return state_->asked; }
  /// Different signatures that were really checked.
  [[nodiscard]] std::size_t checked() const noexcept { return state_->known.size(); }

 private:
  struct State {
    std::map<std::array<std::byte, 64>, bool> known;
    std::size_t asked = 0;
    bool accept_all = false;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

/// A key that depends on nothing but these two numbers.
PrivateKey simulated_key(std::uint64_t seed, std::uint64_t number);

class Network {
 public:
  using NodeId = std::size_t;
  using LinkNumber = std::size_t;

  Network(const overlay::Config& config, std::uint64_t seed);

  NodeId add_node(Time start);
  /// A member whose messages the test writes itself: `on_message` gets what reaches it.
  NodeId add_scripted(std::function<void(LinkNumber, ByteSpan)> on_message);
  LinkNumber connect(NodeId a, NodeId b, Duration delay);
  void cut(LinkNumber link);
  /// A new engine with the same key on the same links, which go down for `pause`.
  void restart(NodeId node, Duration pause);
  /// Sends a message of a scripted node over its link.
  void inject(NodeId from, LinkNumber link, Buffer message);

  /// Runs everything up to and including `end`.
  void run_until(Time end);
  void run_for(Duration time) { run_until(now_ + time); }
  [[nodiscard]] Time now() const noexcept { return now_; }

  [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }
  [[nodiscard]] overlay::Engine& engine(NodeId node) { return *nodes_[node]->engine; }
  [[nodiscard]] bool is_scripted(NodeId node) const { return nodes_[node]->engine == nullptr; }
  [[nodiscard]] const PrivateKey& key(NodeId node) const { return nodes_[node]->key; }
  [[nodiscard]] std::optional<NodeId> node_of(const PublicKey& key) const;
  [[nodiscard]] std::mt19937_64& random() noexcept { return random_; }
  /// Links that are up, as pairs of nodes.
  [[nodiscard]] std::vector<std::pair<NodeId, NodeId>> edges() const;
  [[nodiscard]] std::vector<LinkNumber> links_up() const;
  [[nodiscard]] std::pair<NodeId, NodeId> ends(LinkNumber link) const { return {links_[link].a, links_[link].b}; }
  /// Whether every node reaches every other over links that are up, without `left_out`.
  [[nodiscard]] bool connected_without(std::optional<LinkNumber> left_out) const;

  /// Sends from the engine of `from`.
  void send(NodeId from, const PublicKey& dest, ByteSpan payload);

  // What has happened.
  std::function<void(NodeId at, const PublicKey& from, ByteSpan payload)> on_deliver;
  std::map<wire::FrameType, std::size_t> frames;  ///< sent, by type
  std::uint64_t wire_bytes = 0;                   ///< of those frames, with their length fields
  std::size_t own_lookups = 0;                    ///< of frames, lookups as they leave the node that asks
  std::size_t closed_links = 0;                   ///< by engines, for what came over them
  /// Forgets what has been sent so far.
  void reset_counts();
  /// Frames that this node has sent.
  [[nodiscard]] std::uint64_t sent_by(NodeId node) const { return nodes_[node]->sent; }
  [[nodiscard]] SharedVerifier& verifier() noexcept { return verifier_; }

 private:
  struct Node {
    Node(const PrivateKey& node_key, std::uint64_t seed) : key{node_key}, rng{seed} {}
    PrivateKey key;
    crypto::SeededRng rng;
    std::unique_ptr<overlay::Engine> engine;
    std::function<void(LinkNumber, ByteSpan)> on_message;
    std::vector<LinkNumber> links;
    Time wake = Time::max();
    std::uint64_t sent = 0;
  };
  struct Link {
    NodeId a = 0;
    NodeId b = 0;
    Duration delay{};
    bool up = false;
    std::uint32_t life = 0;                // frames of an earlier life are lost
    std::array<overlay::LinkId, 2> ids{};  // at a, at b
    std::array<Time, 2> asked{};           // when each end wrote its last SigReq
  };
  struct Event {
    Time time;
    std::uint64_t order = 0;
    LinkNumber link = 0;
    std::uint32_t life = 0;
    bool to_b = false;
    bool raise = false;  // the link comes up again, instead of a frame
    std::shared_ptr<Buffer> message;
    bool operator>(const Event& other) const { return std::pair{time, order} > std::pair{other.time, other.order}; }
  };

  void start_engine(NodeId node);
  void raise(LinkNumber link);
  void lower(LinkNumber link);
  void drain(NodeId node);
  void deliver(const Event& event);
  void schedule(NodeId node);
  void write(NodeId from, LinkNumber link, Buffer message);

  overlay::Config config_;
  std::uint64_t seed_;
  std::mt19937_64 random_;
  SharedVerifier verifier_;
  Time now_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::unordered_map<PublicKey, NodeId> by_key_;
  std::vector<Link> links_;
  std::unordered_map<std::uint64_t, LinkNumber> by_id_;  // node and link id
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::set<std::pair<Time, NodeId>> wakes_;
  std::uint64_t order_ = 0;
  std::uint32_t next_id_ = 1;
};

/// Empty if all engines agree: one root per connected part, its lowest key; coordinates that follow the parents and are
/// all different. Else what is wrong, for people.
std::string tree_fault(Network& network);

}  // namespace axl::simulation
