// Peers of publish/subscribe whose bodies are messages of the receive queue: programs of the older kind.
//
// They have no sessions. One is known from its first message on, until several messages in a row could not be sent to
// it, or the engine gives it up. Bounded: so many peers, and so much on its way to each. A peer with much of that is
// blocked, and what is beyond twice as much is not sent. A full table gives the place of whoever has been silent longest
// to one who speaks.
//
// All on the loop.
#pragma once

#include <axl/router.hpp>
#include <axl/time.hpp>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>

#include "core/scheduler.hpp"

namespace axl::node {
class NodeState;
}

namespace axl::patterns {

class OldGossip : public std::enable_shared_from_this<OldGossip> {
 public:
  static constexpr std::size_t kMaxPeers = 32;  ///< messages of others are left in the queue
  static constexpr Duration kMaySpeak{std::chrono::minutes{1}};  ///< silent for less, its place is its own
  static constexpr std::size_t kMaxOnTheirWay = 128;
  static constexpr std::size_t kMaxBytesOnTheirWay = 4u << 20;
  static constexpr unsigned kMaxFailures = 3;

  struct Events {
    std::function<bool(const PublicKey& peer)> has_session;  ///< it is a peer of the newer kind
    std::function<void(const PublicKey& peer)> on_peer;      ///< a new one
    std::function<void(const PublicKey& peer, MessageBody body)> on_body;
    std::function<void(const PublicKey& peer)> on_writable;
    std::function<void(const PublicKey& peer)> on_lost;
  };

  /// `max_body`: of a published message.
  OldGossip(node::NodeState& node, std::size_t max_body, Events events);

  void open();
  void close();
  /// True: it takes no more until on_writable.
  [[nodiscard]] bool send(const PublicKey& peer, MessageBody body);
  [[nodiscard]] bool contains(const PublicKey& peer) const { return peers_.contains(peer); }
  void forget(const PublicKey& peer) { peers_.erase(peer); }

 private:
  struct Peer {
    std::size_t messages = 0;  // on their way
    std::size_t bytes = 0;
    unsigned failures = 0;  // in a row
    bool blocked = false;
    Time heard{};
    [[nodiscard]] bool busy() const { return messages >= kMaxOnTheirWay || bytes >= kMaxBytesOnTheirWay; }
    [[nodiscard]] bool full() const { return messages >= 2 * kMaxOnTheirWay || bytes >= 2 * kMaxBytesOnTheirWay; }
  };
  using Peers = std::map<PublicKey, Peer>;

  [[nodiscard]] bool wants(const Message& message) const;
  [[nodiscard]] bool has_place() const;
  void take(Message message);
  void make_place();
  void on_sent(const PublicKey& peer, std::size_t bytes, bool arrived);

  node::NodeState& node_;
  Scheduler& scheduler_;
  Events events_;
  Router::HandlerId handler_{};
  const std::size_t largest_;  // of a body
  Peers peers_;
  bool open_ = false;
};

}  // namespace axl::patterns
