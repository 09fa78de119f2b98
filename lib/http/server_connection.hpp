// The server's end of one HTTP/1.1 connection: reads requests, hands them out one at a time, writes their answers.
//
// The next request is read only when the answer before it is finished and most of what was written has left, so
// pipelined requests cost memory for one at a time and a slow reader slows itself down. While a handler withholds
// reading, nothing is read and no time-out of the client runs.
//
// Time is that of the last on_tick(): time-outs come up to two ticks late, never early. Lives on the loop.
#pragma once

#include <axl/time.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "core/stream.hpp"
#include "http/exchange.hpp"
#include "http/parser.hpp"

namespace axl::http {

struct ConnectionLimits {
  Parser::Limits head = {};
  Duration header_timeout{std::chrono::seconds{10}};  ///< from a head's first byte to its last
  Duration idle_timeout{std::chrono::seconds{120}};   ///< between requests
  Duration body_timeout{std::chrono::seconds{60}};    ///< without a byte of a body that we want
  Duration write_timeout{std::chrono::seconds{120}};  ///< without a byte leaving while some wait
  Duration linger_timeout{std::chrono::seconds{2}};   ///< after our last word, without a byte from the client
  Duration linger_total{std::chrono::seconds{30}};
  /// So much of a body that nobody wants is read and thrown away before the connection is given up.
  std::uint64_t discard_bytes = 64 * 1024 * 1024;
  std::string server = {};  ///< value of the Server header; empty for none
};

class ServerConnection;

class ConnectionOwner {
 public:
  /// May destroy the connection.
  virtual void on_request(ServerConnection& connection, Exchange exchange) = 0;
  /// Call process() soon, but not inside this call.
  virtual void on_ready(ServerConnection& connection) = 0;
  /// May so many bytes more wait for this connection's client to take them?
  [[nodiscard]] virtual bool may_wait(const ServerConnection& connection, std::size_t bytes) const = 0;
  /// Over. Destroy it, inside this call or later.
  virtual void on_gone(ServerConnection& connection) = 0;

 protected:
  ~ConnectionOwner() = default;
};

class ServerConnection final : private StreamHandler {
 public:
  /// `limits` must outlive the connection.
  ServerConnection(std::uint64_t id, std::unique_ptr<Stream> stream, Client client, const ConnectionLimits& limits,
                   ConnectionOwner& owner, Time now);
  ServerConnection(const ServerConnection&) = delete;
  ServerConnection& operator=(const ServerConnection&) = delete;
  ~ServerConnection();  ///< aborts the stream; calls no handler

  /// Begins to read. May destroy this object.
  void open();
  void on_tick(Time now);
  /// Does what there is to do. May destroy this object.
  void process();
  /// Closes after the answer under way, or now if there is none. May destroy this object.
  void drain();

  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
  [[nodiscard]] const Client& client() const noexcept { return client_; }
  /// Neither a request nor a part of one is under way, and nothing waits to be sent.
  [[nodiscard]] bool idle() const noexcept;
  [[nodiscard]] Time idle_since() const noexcept { return last_read_; }
  /// A request is being answered.
  [[nodiscard]] bool answering() const noexcept { return exchange_ != nullptr; }

  // For Exchange.
  void body_wanted(ExchangeState& state);
  void collect(ExchangeState& state);
  void expect_body(const ExchangeState& state);
  [[nodiscard]] std::optional<Buffer> take_whole_body(ExchangeState& state, std::size_t most);
  void respond(ExchangeState& state, int status, const Headers& headers, Buffer body, SentHandler sent);
  void start(ExchangeState& state, int status, const Headers& headers, std::optional<std::uint64_t> length);
  void write(ExchangeState& state, Buffer piece);
  void finish(ExchangeState& state, SentHandler sent);
  void switch_protocols(ExchangeState& state, const Headers& headers);
  void cut(Error error);
  [[nodiscard]] std::uint64_t written() const noexcept { return written_; }
  [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }
  void sent_watched() { schedule(); }
  [[nodiscard]] std::size_t unsent() const noexcept { return stream_->unsent() + out_.size(); }
  [[nodiscard]] bool busy() const noexcept { return unsent() > stream_->enough(); }
  [[nodiscard]] bool has_room() const noexcept { return unsent() <= stream_->high_mark(); }

 private:
  enum class Phase : std::uint8_t {
    open,
    lingering,  // our last word is written; the client's rest is thrown away
    closing,    // the stream is sending what it has, then closes
    gone,       // no stream any more
  };

  void on_data(Buffer data) override;
  MutableByteSpan place() override;
  void on_placed(std::size_t size) override;
  void on_end() override;
  void on_writable() override;
  void on_drained() override;
  void on_closed(const Error* error) override;

  // One thing each; true if there may be more to do. The last thing they do may destroy this object.
  bool step();
  bool step_head();
  bool step_body();
  bool step_placed_body();
  bool step_raw();
  bool step_events();
  bool step_gone();
  bool notify_sent();
  void note_sent();
  void run();
  bool update_reading();
  void schedule();

  void begin_exchange();
  void end_exchange();
  void retire_exchange();
  void hand_over_body();
  void refuse(const ParseError& error);
  void refuse_body(ExchangeState& state, BodyCollector::Verdict verdict);
  void break_body(int status, std::string_view why);
  void check_timeouts();
  void linger();
  void close();
  void give_up(Error error);

  // The writing half.
  void begin_answer(ExchangeState& state, int status, const Headers& headers, std::optional<std::uint64_t> length,
                    Buffer body);
  [[nodiscard]] bool may_keep_alive(const ExchangeState& state, int status) const noexcept;
  void finish_answer(ExchangeState& state, SentHandler sent);
  void send(Buffer data);
  bool flush();

  std::uint64_t id_;
  std::unique_ptr<Stream> stream_;
  Client client_;
  const ConnectionLimits& limits_;
  ConnectionOwner& owner_;
  Parser parser_;
  Buffer input_;                                         // received, not yet read
  MutableByteSpan place_;                                // where the stream may put what comes next
  MutableByteSpan placed_;                               // received there, not yet read
  Buffer out_;                                           // small answers on their way to one write
  std::shared_ptr<ExchangeState> exchange_;              // the request under way
  std::shared_ptr<ExchangeState> broken_;                // its handler has yet to hear of the end
  std::shared_ptr<ExchangeState> spare_;                 // the last one: its memory is the next one's
  std::deque<std::shared_ptr<ExchangeState>> awaiting_;  // finished answers whose handlers want to hear on_sent()

  Phase phase_ = Phase::open;
  bool reading_ = true;     // the stream is not paused
  bool ended_ = false;      // the client sends no more
  bool keep_alive_ = true;  // another request may follow the one under way
  bool draining_ = false;
  bool processing_ = false;
  bool scheduled_ = false;
  bool* destroyed_ = nullptr;   // set while processing
  std::optional<Error> error_;  // why it is gone
  std::uint64_t written_ = 0;
  std::uint64_t sent_ = 0;       // of these, what has surely left the stream
  std::uint64_t sent_soon_ = 0;  // the same, to be believed when this turn has passed
  std::uint64_t discarded_ = 0;  // of the unwanted rest

  Time now_;
  Time last_read_;
  Time head_started_;
  Time lingering_since_{};
  Time last_sent_;               // when bytes last left
  std::uint64_t sent_seen_ = 0;  // how many had left then
};

}  // namespace axl::http
