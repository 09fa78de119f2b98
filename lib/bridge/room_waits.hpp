// Messages of peers that wait for room in the receive queue, their bodies unread: TCP slows their senders down.
//
// Whoever reads the queue makes room soon; where nobody does, a peer is told within `patience`. From then on its
// messages are refused at once, until one has found room again: no message waits where none before it has been taken.
//
// Bounded in all and for each peer; beyond, messages are refused at once too.
#pragma once

#include <axl/key.hpp>
#include <axl/time.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "bridge/host.hpp"
#include "bridge/inbox.hpp"
#include "http/exchange.hpp"

namespace axl::bridge {

class RoomWaits {
 public:
  struct Limits {
    Duration patience{std::chrono::seconds{5}};
    std::size_t waiting = 1'024;
    std::size_t waiting_per_peer = 64;
    std::size_t peers = 4'096;  ///< whose patience is being counted
  };
  /// `room`: there was room when this was called. Called on its own turn; not when the connection has gone.
  using Handler = std::function<void(http::Exchange exchange, bool room)>;

  RoomWaits(const Limits& limits, Inbox& inbox, Host& host);
  RoomWaits(const RoomWaits&) = delete;
  RoomWaits& operator=(const RoomWaits&) = delete;
  ~RoomWaits();

  /// May a message of this peer, which has just found no room, wait?
  [[nodiscard]] bool may_wait(const PublicKey& peer);
  /// Only after may_wait().
  void wait(http::Exchange exchange, const PublicKey& peer, std::size_t body_size, Handler handler);
  /// A message of this peer has been taken.
  void found_room(const PublicKey& peer) {
    if (!full_since_.empty()) full_since_.erase(peer);
  }
  /// Those that wait are refused, and nobody may wait any more.
  void drain();
  [[nodiscard]] std::size_t waiting() const noexcept { return waits_.size(); }

 private:
  class Wait;

  void finish(std::uint64_t id, bool room);
  void on_timer();

  Limits limits_;
  Inbox& inbox_;
  Host& host_;
  std::map<PublicKey, Time> full_since_;  // peers none of whose messages found room since then
  std::map<std::uint64_t, std::unique_ptr<Wait>> waits_;
  std::uint64_t next_ = 1;
  std::unique_ptr<Timer> timer_;
  std::optional<Time> armed_;  // when the timer fires, if it does
};

}  // namespace axl::bridge
