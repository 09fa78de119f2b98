// `/recv/stream`: messages as server-sent events, for as long as the client listens.
//
// Each event is one message: `id` is its id, `data` one line of JSON with `from`, `topic`, `size` and the body in
// base64. A message is gone, or leased to the client if it asked for that, once its event has left for the client in
// full; what is still on its way when the connection ends goes back to its place. A client that reads slowly is given
// messages only as it takes them. A comment every fifteen seconds shows that the stream lives.
//
// Source: bridge, section 9, row 3.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "bridge/inbox.hpp"
#include "bridge/recv_request.hpp"
#include "http/exchange.hpp"

namespace axl::bridge {

class RecvStream final : private http::ExchangeEvents {
 public:
  /// `ended` is called once, when it is over, and may destroy this object.
  RecvStream(http::Exchange exchange, RecvRequest request, Inbox& inbox, Scheduler& scheduler, bool legacy_peer_id,
             std::function<void()> ended);
  RecvStream(const RecvStream&) = delete;
  RecvStream& operator=(const RecvStream&) = delete;
  ~RecvStream();

  /// Once, after the constructor.
  void start();
  /// Ends it after the event under way.
  void finish();

 private:
  struct OnItsWay {
    router::EntryId entry{};
    std::uint64_t end = 0;  // of its event, in what the connection has written
  };

  void go_on();
  bool begin_next();
  bool write_body();
  void settle(bool all);
  void keep_alive();
  void write(std::string_view text);

  void on_writable() override { go_on(); }
  void on_part_sent() override;
  void on_client_ended() override { finish(); }
  void on_sent() override;
  void on_aborted(const Error& error) override;

  RecvRequest request_;
  Inbox& inbox_;
  Scheduler& scheduler_;
  bool legacy_peer_id_;
  std::function<void()> ended_;
  std::optional<router::ReaderId> waiting_;
  std::optional<router::EntryId> taken_;  // the message whose event is being written
  MessageBody body_;                      // its body
  std::size_t written_ = 0;               // of it
  std::deque<OnItsWay> on_its_way_;
  bool finishing_ = false;
  std::unique_ptr<Timer> timer_;
  http::Exchange exchange_;
};

}  // namespace axl::bridge
