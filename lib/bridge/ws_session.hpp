// One WebSocket of `/ws`: messages to its client, messages from it, and its commands.
//
// Text from the client is a command in JSON: {"ack":"ID"}, with "from":"KEY" where ids of several senders are the same.
// Each is answered: {"acked":"ID","status":204}, 404 or 409, or 400 to what is no command. Answers that the client does
// not take count: beyond a bound nothing more is read.
//
// Source: bridge, section 9, rows 3 and 5.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "bridge/host.hpp"
#include "bridge/ws_feed.hpp"
#include "bridge/ws_sends.hpp"
#include "http/websocket.hpp"

namespace axl::bridge {

class WsSession final : private http::WebSocketEvents {
 public:
  struct Parts {
    Messenger& messenger;
    Inbox& inbox;
    Host& host;
    BodyGate& gate;  // of bodies that the client sends
    bool legacy_peer_id = false;
  };

  /// `wanted`: what the client is given; empty: nothing. `ended` is called once, when it is over, and may destroy this
  /// object.
  WsSession(http::Exchange exchange, std::optional<RecvRequest> wanted, const Parts& parts,
            std::function<void()> ended);
  WsSession(const WsSession&) = delete;
  WsSession& operator=(const WsSession&) = delete;
  ~WsSession() = default;

  /// Once, after the constructor.
  void start();
  /// Takes and gives no further message; closes with 1001 when those under way are through, or after a while.
  void finish();

 private:
  void on_text(std::string_view text) override;
  void on_binary(ByteSpan piece, bool end) override;
  void on_writable() override;
  void on_part_sent() override;
  void on_closed(bool answered) override;

  void command(std::string_view text);
  void acknowledge(std::string_view id, const std::optional<PublicKey>& sender);
  void answer(std::string_view text);
  void update();
  void close();

  Host& host_;
  std::function<void()> ended_;
  http::WebSocket socket_;
  std::optional<WsFeed> feed_;
  Inbox& inbox_;
  WsSends sends_;
  std::deque<std::uint64_t> answers_;  // where those that have not left end
  bool finishing_ = false;
  std::unique_ptr<Timer> timer_;  // of the end while finishing
};

}  // namespace axl::bridge
