// `GET /pubsub/{topic}`: messages of a topic as server-sent events, for as long as the client listens.
//
// Each event is one message: `id` is its id, `data` one line of JSON with the body in base64, as `/recv/stream` has it.
// A client that reads slowly is given messages only as it takes them; of those that its feed no longer has, an event
// `dropped` tells how many they were. A comment every fifteen seconds shows that the stream lives.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "core/scheduler.hpp"
#include "http/exchange.hpp"
#include "patterns/feed.hpp"

namespace axl::patterns {

class FeedStream final : private http::ExchangeEvents {
 public:
  /// Begins with the message `next` of the feed. `ended` is called once, when it is over, and may destroy this object.
  FeedStream(http::Exchange exchange, const Feed& feed, std::uint64_t next, Scheduler& scheduler,
             std::function<void()> ended);
  FeedStream(const FeedStream&) = delete;
  FeedStream& operator=(const FeedStream&) = delete;
  ~FeedStream() = default;

  /// Once, after the constructor. `forgotten`: what the client has missed, nobody knows any more.
  void start(bool forgotten);
  /// Writes while the connection takes bytes and there are messages.
  void go_on();
  /// Ends it after the event under way.
  void finish();

 private:
  void begin_next();
  bool write_body();
  void keep_alive();
  void write(std::string_view text);

  void on_writable() override { go_on(); }
  void on_client_ended() override { finish(); }
  void on_sent() override { end(); }
  void on_aborted(const Error&) override { end(); }
  void end();

  const Feed& feed_;
  std::uint64_t next_;
  Scheduler& scheduler_;
  std::function<void()> ended_;
  bool writing_ = false;  // an event is begun
  MessageBody body_;      // its body
  std::size_t written_ = 0;
  bool finishing_ = false;
  std::unique_ptr<Timer> timer_;
  http::Exchange exchange_;
};

}  // namespace axl::patterns
