// Sends messages to peers: a few channels for each that is being talked to.
//
// A channel speaks HTTP on the peer's port 7001 (receipts, safe repetition) or, with an old peer, frames on port 7000.
// It sends in the order of calls. Messages without a topic have one channel, and topics share the others by their
// names, so that a large message holds up its own topic and few others: only messages of one topic keep an order among
// them. An old peer knows no topics and gets all on one channel. What was surely not taken by the peer is tried again
// until its time is up; what may have been is tried again only where the message's id makes that safe.
//
// Source: bridge, sections 2, 3.2, 8.4 and 9 (rows 1 and 2).
#pragma once

#include <axl/config.hpp>
#include <axl/message.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "bridge/host.hpp"
#include "bridge/old_peers.hpp"
#include "bridge/outbox.hpp"
#include "bridge/outgoing.hpp"
#include "core/logger.hpp"

namespace axl::bridge {

class Inbox;
class PeerChannel;

class Messenger {
 public:
  struct Limits {
    std::size_t messages = 65'536;             ///< of all peers, waiting or without receipt
    std::size_t bytes = 1024UL * 1024 * 1024;  ///< the same
    std::size_t idle_channels = 64;            ///< connections kept open without work
    Duration idle_timeout{std::chrono::seconds{60}};
  };

  /// Messages to ourselves go to `inbox` directly.
  Messenger(const NodeConfig& config, const Limits& limits, Host& host, Inbox& inbox, Logger logger);
  Messenger(const Messenger&) = delete;
  Messenger& operator=(const Messenger&) = delete;
  ~Messenger();  ///< drops what is under way; calls no handler

  /// A peer and a lane to it: 0 for messages without a topic.
  using ChannelId = std::pair<PublicKey, unsigned>;

  /// `destination` may be partial. `handler` is called once, never inside this call. `may_have_arrived`: an earlier
  /// call may have delivered this message, so it goes only where its id makes a repetition safe.
  void send(const PublicKey& destination, MessageBody body, SendOptions options, SendHandler handler,
            bool may_have_arrived = false);

  /// The same for a body that is still coming, if it can go on to the peer right now: a connection is open and has
  /// nothing else to do. False: nothing was done, and it has to be sent when it is complete.
  [[nodiscard]] bool send_arriving(const PublicKey& destination, const MessageBody& body,
                                   const std::shared_ptr<Arrival>& arrival, const SendOptions& options,
                                   SendHandler handler);

  /// Messages whose handler has not been called.
  [[nodiscard]] std::size_t under_way() const noexcept { return messages_; }
  /// Closes every connection that has nothing to do.
  void close_idle();
  /// What is sent with `retry_for` waits there.
  [[nodiscard]] Outbox& outbox() noexcept { return outbox_; }
  /// For all who reach peers.
  [[nodiscard]] const std::shared_ptr<OldPeers>& old_peers() const noexcept { return old_peers_; }

  // For channels.
  [[nodiscard]] const NodeConfig& config() const noexcept { return config_; }
  [[nodiscard]] const Limits& limits() const noexcept { return limits_; }
  [[nodiscard]] Host& host() noexcept { return host_; }
  [[nodiscard]] const Logger& logger() const noexcept { return logger_; }
  void finished(std::size_t body_size) noexcept;
  /// Looks at this channel again on the next turn of the loop.
  void wake(const ChannelId& channel);

 private:
  [[nodiscard]] unsigned lane_of(const PublicKey& peer, std::string_view topic) const;
  [[nodiscard]] std::unique_ptr<OutgoingMessage> make_message(MessageBody body, SendOptions options,
                                                              SendHandler handler);
  [[nodiscard]] bool has_room(std::size_t size) const noexcept;
  void send_to_ourselves(MessageBody body, SendOptions options, SendHandler handler);
  void later(std::function<void()> task);
  void run_woken();
  void on_tick();
  void arm();
  void trim();

  const NodeConfig& config_;
  Limits limits_;
  Host& host_;
  Inbox& inbox_;
  Logger logger_;
  std::map<ChannelId, std::unique_ptr<PeerChannel>> channels_;
  std::shared_ptr<OldPeers> old_peers_ = std::make_shared<OldPeers>();
  Outbox outbox_;
  std::vector<ChannelId> woken_;
  std::size_t messages_ = 0;
  std::size_t bytes_ = 0;
  std::uint64_t next_message_ = 1;
  std::unique_ptr<Timer> timer_;
  bool armed_ = false;
  bool busy_tick_ = false;  // armed for soon
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace axl::bridge
