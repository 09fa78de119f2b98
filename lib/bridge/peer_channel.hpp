// All messages on one lane to one peer: those that wait, the connection that carries them, and how one is found.
//
// Port 7001 is tried first. If the peer refuses it, it is an old one and gets frames on port 7000; if its TCP says
// nothing for three seconds, 7000 is tried beside. Messages keep their order: what a connection loses goes back to its
// place.
//
// Source: bridge, section 8.4.
#pragma once

#include <axl/key.hpp>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "bridge/messenger.hpp"
#include "bridge/outgoing.hpp"

namespace axl::bridge {

class PeerChannel final : private LinkOwner, private Arrival::Watcher {
 public:
  PeerChannel(Messenger& messenger, const Messenger::ChannelId& id);
  PeerChannel(const PeerChannel&) = delete;
  PeerChannel& operator=(const PeerChannel&) = delete;
  ~PeerChannel();

  void add(std::unique_ptr<OutgoingMessage> message);
  /// A connection is open that takes receipts' messages and carries none.
  [[nodiscard]] bool free() const;
  /// While free(): a message whose body is still coming. False: the connection takes no more after all.
  [[nodiscard]] bool begin(std::unique_ptr<OutgoingMessage> message);
  /// Connects when there is a need, gives messages to the connection while it has room.
  void run();
  void on_tick();
  /// Closes a connection that carries nothing.
  void close_idle();

  /// Nothing waits and nothing is carried.
  [[nodiscard]] bool idle() const;
  /// A connection is open, or still closing.
  [[nodiscard]] bool connected() const { return link_ != nullptr || !closing_.empty(); }
  [[nodiscard]] Time idle_since() const noexcept { return idle_since_; }

 private:
  enum class Port : std::uint8_t { http, frames };

  void on_attempt(std::unique_ptr<OutgoingMessage> message, Attempt attempt) override;
  void on_link_change() override;
  void on_more() override;

  [[nodiscard]] bool may_give() const;
  void find_link();
  void connect(Port port);
  void on_connected(Port port, Result<std::unique_ptr<tcpip::Connection>> connection);
  void take_link(Port port, std::unique_ptr<tcpip::Connection> connection);
  void drop_link();
  void fail_waiting(const Error& error);
  void expire();
  void look_at_arrivals();
  [[nodiscard]] std::unique_ptr<OutgoingMessage> take_first_whole();
  void keep_waiting(std::unique_ptr<OutgoingMessage> message);
  void finish(std::unique_ptr<OutgoingMessage> message, Result<SendReport> result);
  [[nodiscard]] Time now() const { return messenger_.host().now(); }

  Messenger& messenger_;
  const Messenger::ChannelId id_;
  const PublicKey& peer_ = id_.first;
  const Address address_;
  std::map<std::uint64_t, std::unique_ptr<OutgoingMessage>> waiting_;  // by number
  std::unique_ptr<MessageLink> link_;
  struct Closing {
    std::unique_ptr<MessageLink> link;
    Time until{};
  };
  std::vector<Closing> closing_;  // sending their last bytes
  Port link_port_ = Port::http;
  bool arrivals_changed_ = false;  // of messages that wait
  bool link_rejected_ = false;     // the peer takes no messages there: close when it carries nothing
  bool http_pending_ = false;      // a connect is under way
  bool frames_pending_ = false;
  std::optional<Time> fallback_at_;  // while port 7001 has not answered
  Time dial_deadline_{};             // of both ports together
  Time retry_at_{};                  // not before this, after connections that were lost
  int losses_in_row_ = 0;
  Time idle_since_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace axl::bridge
