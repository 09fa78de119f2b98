// The client's end of one HTTP/1.1 connection: keeps it alive, pipelines requests, hands out their answers in order.
//
// When a request fails, Delivery says what the peer can know of it, so that a caller can tell "surely not sent" from
// "nobody knows". Requests wait here, not in the stream, until the stream has room and fewer than `pipeline` answers
// are outstanding: what has waited is surely not sent.
//
// Events never come inside a call of this class. Lives on the loop. Time is that of the last on_tick().
#pragma once

#include <axl/result.hpp>
#include <axl/time.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>

#include "core/executor.hpp"
#include "core/stream.hpp"
#include "http/body_collector.hpp"
#include "http/message.hpp"
#include "http/parser.hpp"

namespace axl::http {

enum class Delivery : std::uint8_t {
  not_sent,    ///< nothing was given to the stream, or the peer reads no more, or it reset before taking any of it
  incomplete,  ///< the end was never given to the stream: no complete request can have arrived
  unknown,     ///< all was given to the stream, no complete answer came
  answered,    ///< an answer came
};

/// Hears of one request's answer. Any method may destroy the connection.
class ResponseEvents {
 public:
  /// The final head; those with status 1xx are passed over.
  virtual void on_response(const ResponseHead& head) = 0;
  virtual void on_body(Buffer piece) = 0;
  /// The last call, if all went well.
  virtual void on_complete() = 0;
  /// The last call, if not. The answer may have begun.
  virtual void on_failed(const Error& error, Delivery delivery) = 0;
  /// There is room for more of the request's body, after writable() was false.
  virtual void on_writable() {}

 protected:
  ~ResponseEvents() = default;
};

struct Response {
  ResponseHead head;
  Buffer body;
};
/// Called once.
using ResponseHandler = std::function<void(Result<Response> response, Delivery delivery)>;

struct Request {
  std::string_view method = "GET";
  std::string_view target = "/";
  Headers headers = {};  ///< Host is the caller's; framing headers are written by the connection
};

enum class RequestId : std::uint64_t {};

struct ClientLimits {
  Parser::Limits head{.head_bytes = 64 * 1024, .head_lines = 1024};
  std::size_t pipeline = 64;   ///< requests under way in the stream; 1: no pipelining
  std::size_t waiting = 4096;  ///< requests that wait here behind them
  /// Requests are outstanding and no byte moves in either direction, while we want to read. Empty: no time-out.
  std::optional<Duration> silence_timeout = {};
};

class ClientConnection final : private StreamHandler {
 public:
  /// Called when the connection has become idle, or can take no more requests: look at in_flight() and usable(). May
  /// destroy it.
  using ChangeHandler = std::function<void()>;

  /// `executor` must outlive the connection.
  ClientConnection(std::unique_ptr<Stream> stream, ClientLimits limits, Executor& executor, Time now);
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;
  ~ClientConnection();  ///< aborts the stream; calls no handler

  void on_change(ChangeHandler handler);

  /// A request with a whole body; errors: closed, limit_reached, invalid_argument (method or target).
  Result<RequestId> send(const Request& request, Buffer body, ResponseEvents& events);
  /// The same, with the answer gathered within `limits`.
  Result<RequestId> send(const Request& request, Buffer body, BodyLimits limits, ResponseHandler handler);
  /// A request whose body comes in pieces: chunked without `length`. Others wait behind its end.
  Result<RequestId> begin(const Request& request, std::optional<std::uint64_t> length, ResponseEvents& events);
  void write(RequestId id, Buffer piece);
  void finish(RequestId id);
  /// False: wait for on_writable(). More waits in the stream than keeps it busy, or than `most`.
  [[nodiscard]] bool writable(RequestId id, std::size_t most = std::numeric_limits<std::size_t>::max());

  /// The answer of that request is not read further; later ones wait behind it.
  void pause_reading(RequestId id);
  void resume_reading(RequestId id);
  /// No more events for that request. Closes the connection if the request is alone on it or not complete; otherwise
  /// its answer will be read and thrown away.
  void cancel(RequestId id);

  void on_tick(Time now);
  /// Sends what is queued, then closes. Requests without an answer fail.
  void close();

  [[nodiscard]] bool usable() const noexcept { return phase_ == Phase::open && !last_answer_ && !ended_; }
  [[nodiscard]] std::size_t in_flight() const noexcept { return requests_.size(); }
  [[nodiscard]] Time idle_since() const noexcept { return idle_since_; }
  [[nodiscard]] std::size_t unsent() const noexcept { return stream_->unsent(); }

 private:
  enum class Phase : std::uint8_t { open, closing, gone };
  struct Pending;

  void on_data(Buffer data) override;
  void on_end() override;
  void on_writable() override;
  void on_drained() override;
  void on_closed(const Error* error) override;

  Result<RequestId> queue(const Request& request, Buffer body, bool streamed, std::optional<std::uint64_t> length,
                          ResponseEvents* events, BodyLimits limits, ResponseHandler handler);
  [[nodiscard]] Pending* find(RequestId id) noexcept;
  void schedule();
  void process();
  bool step();
  bool step_answer();
  bool take_answer(const Parser::Step& read);
  bool complete_front();
  bool fail_front();
  [[nodiscard]] bool has_left(const Pending& request) const;
  void give_to_stream();
  void hand_to_stream(Pending& request);
  bool tell_writable();
  bool update_reading();
  void fail(Error error);

  std::unique_ptr<Stream> stream_;
  ClientLimits limits_;
  Executor& executor_;
  Parser parser_;
  Buffer input_;
  std::deque<std::unique_ptr<Pending>> requests_;  // in the order of their answers
  std::uint64_t written_ = 0;                      // bytes given to the stream, ever
  std::size_t given_ = 0;                          // so many of them, from the front, have been given to the stream
  std::uint64_t next_id_ = 1;
  std::shared_ptr<ChangeHandler> change_;

  Phase phase_ = Phase::open;
  bool reading_ = true;
  bool ended_ = false;        // the peer sends no more
  bool reset_ = false;        // the peer has broken the connection off
  bool last_answer_ = false;  // the peer has said that it reads no request after this one
  bool changed_ = false;      // change_ is to be called
  bool processing_ = false;
  bool scheduled_ = false;
  bool* destroyed_ = nullptr;
  int informational_ = 0;  // heads with status 1xx before the one awaited
  std::optional<Error> error_;

  Time now_;
  Time idle_since_;
  Time last_progress_;
  std::size_t unsent_seen_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace axl::http
