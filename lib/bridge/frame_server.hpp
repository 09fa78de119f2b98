// Overlay port 7000: frames of old peers, into the receive queue; envelopes to who answers them.
//
// While the queue has no room for a frame that has come, its connection is not read, so that TCP slows the sender down;
// nothing is dropped, and none of our time-outs runs meanwhile. A connection over the limit waits unread until another
// ends: one peer keeps at most sixteen while others wait, and connections that idle make room, those of the peer with
// the most first.
//
// Old peers open a connection for each message. A first frame waits for those of connections that the same peer opened
// before, as long as these show life, so that one sender's sequential sends are queued in the order of sending.
//
// An envelope is answered on its connection, where the frames behind it wait unread: answers come in the order of the
// requests.
//
// Source: bridge, section 4.
#pragma once

#include <axl/config.hpp>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>

#include "bridge/body_gate.hpp"
#include "bridge/host.hpp"
#include "bridge/inbox.hpp"
#include "core/logger.hpp"
#include "tcpip/stack.hpp"

namespace axl::services {
class EnvelopeResponder;
}

namespace axl::bridge {

class FrameConnection;

class FrameServer {
 public:
  struct Limits {
    std::size_t per_peer_when_others_wait = 16;
    std::size_t waiting = 512;  ///< connections that wait for a place
    std::size_t waiting_per_peer = 64;
    Duration evict_after{std::chrono::seconds{1}};     ///< idle for so long: may be closed to make room
    Duration order_patience{std::chrono::seconds{1}};  ///< silent for so long: later connections wait no more
  };

  FrameServer(const NodeConfig& config, const Limits& limits, Inbox& inbox, BodyGate& gate, Host& host, Logger logger);
  FrameServer(const FrameServer&) = delete;
  FrameServer& operator=(const FrameServer&) = delete;
  ~FrameServer();

  /// Envelopes are answered by this one from now on; it must outlive the server. Null, as in the beginning: with an
  /// error.
  void answer_with(services::EnvelopeResponder* responder) noexcept { responder_ = responder; }
  void accept(std::unique_ptr<tcpip::Connection> connection);
  /// Closes what idles, the others after the frame under way; takes nothing new.
  void drain();

  [[nodiscard]] std::size_t connections() const noexcept { return connections_.size(); }
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }
  /// Connections with a frame under way.
  [[nodiscard]] std::size_t under_way() const;
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

 private:
  friend class FrameConnection;

  void gone(std::uint64_t id);
  /// A connection that `peer` opened before this one may still bring its first frame.
  [[nodiscard]] bool older_expected(const PublicKey& peer, std::uint64_t id) const;
  /// One of this peer's connections has brought its first frame, or is gone: the next may have its turn.
  void turn_passed(const PublicKey& peer);
  void fill_places();
  using Waiting = std::list<std::unique_ptr<tcpip::Connection>>;
  [[nodiscard]] Waiting::iterator next_in_line();
  [[nodiscard]] std::size_t held_by(const PublicKey& peer) const;
  void make_room();
  void arm_eviction();

  const NodeConfig& config_;
  Limits limits_;
  Inbox& inbox_;
  BodyGate& gate_;
  Host& host_;
  Logger logger_;
  services::EnvelopeResponder* responder_ = nullptr;
  std::map<std::uint64_t, std::unique_ptr<FrameConnection>> connections_;
  std::map<PublicKey, std::size_t> by_peer_;
  Waiting waiting_;
  std::map<PublicKey, std::size_t> waiting_by_peer_;
  std::unique_ptr<Timer> eviction_;
  std::uint64_t next_ = 1;
  std::uint64_t refused_ = 0;
  bool draining_ = false;
};

}  // namespace axl::bridge
