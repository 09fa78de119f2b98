// The server's end of one WebSocket, on an exchange that has left HTTP. RFC 6455.
//
// It reads frames, answers Pings and Close, asks a silent client whether it lives, and ends the connection as the
// protocol wants: our Close waits a moment for the client's, and a client that breaks a rule is told which. What is
// written here goes out in whole frames, so control frames come between the fragments of a message. Of Pings that come
// while the client takes no bytes only the last is answered.
//
// Lives on the loop. Only on_closed() may destroy the socket.
#pragma once

#include <axl/time.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/scheduler.hpp"
#include "http/exchange.hpp"
#include "http/websocket_pulse.hpp"
#include "http/websocket_reader.hpp"

namespace axl::http {

class WebSocketEvents {
 public:
  virtual void on_text(std::string_view text) = 0;
  /// A piece of a binary message, valid during the call; `end`: its last, perhaps empty.
  virtual void on_binary(ByteSpan piece, bool end) = 0;
  /// There is room again after writable() was false.
  virtual void on_writable() {}
  /// sent() has reached what watch_sent() named.
  virtual void on_part_sent() {}
  /// Over; nothing can be written any more. `answered`: the client has answered our Close, so it has read everything
  /// before it. The last call.
  virtual void on_closed(bool answered) = 0;

 protected:
  ~WebSocketEvents() = default;
};

class WebSocket final : private ExchangeEvents {
 public:
  struct Limits {
    WebSocketReader::Limits messages = {};
    WebSocketPulse::Config pulse = {};
    Duration close_within{std::chrono::seconds{2}};  ///< the client's answer to our Close
  };

  /// `exchange` is one that refuse_websocket() does not refuse.
  WebSocket(Exchange exchange, const Limits& limits, Scheduler& scheduler, WebSocketEvents& events);
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;
  ~WebSocket();

  /// Answers the handshake. Once, after the constructor.
  void open();

  void send_text(std::string_view text);
  /// A binary message, or its first fragment.
  void send_binary(ByteSpan head, ByteSpan body, bool end);
  /// A further fragment of it.
  void send_more(ByteSpan piece, bool end);
  /// Nothing can be sent after it. on_closed() follows when the client has answered, or does not.
  void close(WebSocketCode code, std::string_view reason);

  /// While held, what the client sends stays where it is; a handler may be called once more for what was read before.
  void hold(bool held);

  [[nodiscard]] bool writable() const noexcept { return exchange_.writable(); }
  [[nodiscard]] std::uint64_t written() const noexcept { return exchange_.written(); }
  [[nodiscard]] std::uint64_t sent() const noexcept { return exchange_.sent(); }
  void watch_sent(std::uint64_t count) { exchange_.watch_sent(count); }
  [[nodiscard]] bool open_for_messages() const noexcept { return state_ == State::open; }

 private:
  enum class State : std::uint8_t {
    open,
    closing,  // our Close is written; the client's is awaited
    over,
  };

  void on_body(Buffer piece) override;
  void on_body_end() override;
  void on_writable() override;
  void on_part_sent() override { events_.on_part_sent(); }
  void on_aborted(const Error& error) override;

  void read();
  bool take(const WebSocketReader::Step& step);
  void answer_ping(ByteSpan payload);
  void on_timer();
  void arm();
  void update_reading();
  void fail(WebSocketCode code, std::string_view reason);
  void end(bool answered);

  Limits limits_;
  Scheduler& scheduler_;
  WebSocketEvents& events_;
  WebSocketReader reader_;
  WebSocketPulse pulse_;
  State state_ = State::open;
  Buffer input_;
  bool held_ = false;
  bool paused_ = false;   // the exchange is
  bool reading_ = false;  // read() is running
  std::optional<std::string> ping_;  // to be answered when there is room
  Time close_by_{};                  // while closing
  std::optional<Time> armed_for_;
  std::unique_ptr<Timer> timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Exchange exchange_;
};

}  // namespace axl::http
