// Joins the pub/sub engine to a node: sessions with peers, a timer, and those who subscribe.
//
// Two nodes may dial each other at once. Then the session that the lower key opened stays, and of two by the same node
// the newer; the other is closed. Users are the node's PubSubs: the first opens this, the last closes it.
// All on the loop.
#pragma once

#include <atomic>
#include <axl/pubsub.hpp>
#include <axl/session.hpp>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/scheduler.hpp"
#include "node/node_state.hpp"
#include "node/part.hpp"
#include "pubsub/engine.hpp"

namespace axl::patterns {

class OldGossip;

class PubSubState final : public node::Part, public std::enable_shared_from_this<PubSubState> {
 public:
  PubSubState(node::NodeState& node, PubSubOptions options);
  /// The node's, made if there is none yet, with one more user.
  [[nodiscard]] static Result<std::shared_ptr<PubSubState>> of(node::NodeState& node, const PubSubOptions& options,
                                                               std::uint64_t& user);

  Result<void> open();
  void close();
  /// One more user; already_exists when what it wants is not what there is.
  Result<std::uint64_t> join(const PubSubOptions& options);
  /// Ends the user's subscriptions. Closes when it was the last.
  void leave(std::uint64_t user);
  void on_link_up() override;
  void on_node_stop() override { close(); }
  [[nodiscard]] bool closed() const noexcept { return closed_; }
  /// Valid until close().
  [[nodiscard]] node::NodeState& node() noexcept { return node_; }

  Result<PubSub::Subscription> subscribe(std::uint64_t user, const std::string& topic, PubSub::Handler handler,
                                         PubSub::Judge judge);
  void unsubscribe(PubSub::Subscription subscription);
  void publish(std::uint64_t user, const std::string& topic, MessageBody body, const PubSub::PublishHandler& handler);

  [[nodiscard]] const pubsub::Engine& engine() const noexcept { return engine_; }
  [[nodiscard]] std::size_t max_body() const noexcept { return options_.max_body; }

  /// For a message of `size` on its way to the loop, from any thread. False: too much is on its way already.
  [[nodiscard]] bool reserve(std::size_t size) noexcept {
    const auto cost = size + kWaitingCost;
    if (waiting_.fetch_add(cost) + cost <= kMaxWaiting) return true;
    waiting_.fetch_sub(cost);
    return false;
  }
  void unreserve(std::size_t size) noexcept { waiting_.fetch_sub(size + kWaitingCost); }

 private:
  static constexpr std::size_t kMaxWaiting = 64UL * 1024 * 1024;
  static constexpr std::size_t kWaitingCost = 512;  // of a message besides its body

  struct Peer {
    Session session;
    std::uint64_t number = 0;
    bool ours = false;  // we have opened it
    bool blocked = false;
  };
  struct Subscriber {
    std::uint64_t user = 0;
    std::string topic;
    PubSub::Handler handler;
    PubSub::Judge judge;
  };
  // What subscribers think of one message. On the loop.
  struct Judgement {
    std::weak_ptr<PubSubState> state;
    pubsub::MessageId id;
    std::size_t waiting = 0;  // for so many
    pubsub::Verdict verdict = pubsub::Verdict::accept;
    void take(PubSubVerdict one);
  };
  /// A message of one of our users, for the others.
  struct Own {
    std::uint64_t user = 0;
    PubSubMessage message;
  };
  using Subscribers = std::map<PubSub::Subscription, std::shared_ptr<const Subscriber>>;

  void open_to_old_peers();
  void on_session(Session session, bool ours);
  void hear(const PublicKey& key, Peer& peer);
  /// The peer, if that is still its session.
  [[nodiscard]] Peer* current(const PublicKey& key, std::uint64_t number);
  void refresh_candidates();
  void on_timer();
  /// Carries what the engine hands out, until there is nothing.
  void turn();
  void take(pubsub::Output output);
  void send(const pubsub::SendBody& send);
  void dial(const PublicKey& peer);
  /// Not to `except`.
  void deliver(const PubSubMessage& message, std::uint64_t except);
  void judge(const pubsub::MessageId& id, const PubSubMessage& message);
  void on_judged(const pubsub::MessageId& id, pubsub::Verdict verdict);
  [[nodiscard]] bool has_subscribers(const std::string& topic) const;
  [[nodiscard]] std::vector<PubSub::Subscription> subscriptions_of(const std::string& topic) const;

  node::NodeState& node_;
  PubSubOptions options_;
  Scheduler& scheduler_;
  pubsub::Engine engine_;
  std::unique_ptr<Timer> timer_;
  Time look_again_{};  // for candidates
  std::map<PublicKey, Peer> peers_;
  std::shared_ptr<OldGossip> old_;  // null: they take no part
  std::uint64_t next_number_ = 1;
  Subscribers subscribers_;
  std::uint64_t next_subscription_ = 1;
  std::size_t users_ = 0;
  std::uint64_t next_user_ = 1;
  std::deque<Own> own_;
  bool turning_ = false;
  std::atomic<bool> closed_{false};      // read on any thread
  std::atomic<std::size_t> waiting_{0};  // bytes on their way to the loop
};

}  // namespace axl::patterns
