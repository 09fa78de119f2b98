// The messages that one `/ws` gives its client.
//
// A message is gone, or leased if the client confirms, once it has left for the client in full. What has not when the
// connection ends goes back to its place, and so does what the client had in lease: it can be confirmed on another
// connection as long as nobody else has been given it. A client that confirms holds a bounded number of messages at a
// time, so it takes no more than it can work off and the others get the rest.
//
// Source: bridge, section 9, rows 3 and 5.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bridge/inbox.hpp"
#include "bridge/recv_request.hpp"
#include "http/websocket.hpp"

namespace axl::bridge {

class WsFeed {
 public:
  /// On its way to the client or leased to it, at most.
  static constexpr std::size_t kWindow = 256;

  /// `changed` is called, never inside a call, when first_end() or busy() may say something else.
  WsFeed(http::WebSocket& socket, RecvRequest request, Inbox& inbox, Scheduler& scheduler, bool legacy_peer_id,
         std::function<void()> changed);
  WsFeed(const WsFeed&) = delete;
  WsFeed& operator=(const WsFeed&) = delete;
  ~WsFeed();

  /// Writes while the connection takes bytes and there are messages.
  void go_on();
  /// Begins no further message.
  void stop();
  /// A message is half written.
  [[nodiscard]] bool busy() const noexcept { return taken_.has_value(); }

  /// Everything written up to there has left.
  void settle(std::uint64_t sent);
  /// Where the first message that is on its way ends.
  [[nodiscard]] std::optional<std::uint64_t> first_end() const;

  [[nodiscard]] router::ReceiveQueue::Confirmed confirm(std::string_view id, const std::optional<PublicKey>& sender);

 private:
  struct Given {
    router::EntryId entry{};
    std::string id;
    PublicKey sender;
    std::uint64_t end = 0;  // in what the connection has written
    Time leased_until{};
  };

  bool begin_next();
  bool write_body();
  void on_lease_end();
  void arm();

  http::WebSocket& socket_;
  RecvRequest request_;
  Inbox& inbox_;
  Scheduler& scheduler_;
  bool legacy_peer_id_;
  std::function<void()> changed_;
  std::optional<router::ReaderId> waiting_;
  std::optional<Given> taken_;  // the message that is being written
  MessageBody body_;            // its body
  std::size_t written_ = 0;     // of it
  std::deque<Given> on_its_way_;
  std::deque<Given> leased_;  // by the end of the lease
  bool stopped_ = false;
  std::unique_ptr<Timer> timer_;  // of the first lease to end
};

}  // namespace axl::bridge
