// One request and its answer, as a handler sees them. It may be kept and answered later.
//
// The body of the request is not read before the handler asks for it: in pieces (read_body), or as one buffer
// (collect). The answer is given whole (respond) or in pieces (start, write, finish), and may come before the body
// has been read: the rest is then read and thrown away. Once the connection is gone every call does nothing. An exchange
// may also end HTTP on its connection (switch_protocols) and carry another protocol's bytes both ways from there on.
//
// Events, and the next request of the connection, never come inside a call of this class. Lives on the loop.
#pragma once

#include <axl/error.hpp>
#include <axl/key.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "core/buffer.hpp"
#include "http/body_collector.hpp"
#include "http/message.hpp"

namespace axl::http {

class Exchange;
struct ExchangeState;
struct StatusCounts;

/// Who is at the other end of a connection.
struct Client {
  std::optional<PublicKey> key = {};  ///< of the overlay session that carries the connection; empty on the local side
  bool trusted = true;                ///< may use the reserved part of the connection limits
};

/// Hears of one exchange. Any method may destroy the exchange, its server, or both.
class ExchangeEvents {
 public:
  virtual void on_body(Buffer piece) { static_cast<void>(piece); }
  /// Where the next bytes of a body of known length are to be put: they then come as on_body_placed(). Empty: as
  /// on_body().
  [[nodiscard]] virtual MutableByteSpan body_place() { return {}; }
  /// The first `size` bytes of that place have come.
  virtual void on_body_placed(std::size_t size) { static_cast<void>(size); }
  virtual void on_body_end() {}
  /// The stream has room again after writable() was false.
  virtual void on_writable() {}
  /// sent() has reached what watch_sent() named.
  virtual void on_part_sent() {}
  /// The client sends no more: it has gone, or it only shut its sending side. An answer may still reach it.
  virtual void on_client_ended() {}
  /// The stream holds no byte of the finished answer any more. The last call.
  virtual void on_sent() {}
  /// The connection is gone, or the request's body is broken. The last call.
  virtual void on_aborted(const Error& error) = 0;

 protected:
  ~ExchangeEvents() = default;
};

/// Takes over an exchange whose whole body has come.
using BodyHandler = std::function<void(Exchange exchange, Buffer body)>;
/// Called once: true when the stream holds no byte of the answer any more, false when the connection was lost before;
/// false, inside the call, if it was lost already.
using SentHandler = std::function<void(bool sent)>;

class Exchange {
 public:
  Exchange() = default;                                              ///< of no request
  explicit Exchange(std::shared_ptr<ExchangeState> state) noexcept;  ///< for connections
  Exchange(Exchange&& other) noexcept = default;
  Exchange& operator=(Exchange&& other) noexcept;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  /// Unanswered: answers 500. Begun and not finished: cuts the connection, so that the client sees a broken answer.
  ~Exchange() {
    if (state_) release();
  }

  [[nodiscard]] const RequestHead& request() const noexcept;
  [[nodiscard]] const Client& client() const noexcept;
  /// The connection is still there.
  [[nodiscard]] bool connected() const noexcept;
  /// The client sends no more; see on_client_ended().
  [[nodiscard]] bool client_ended() const noexcept;

  /// A line that the answer gets besides its own, whoever gives it; before it begins.
  void add_header(FieldName name, std::string_view value);

  /// The answer is counted there, whoever gives it; `counts` must outlive the server. Null: nowhere.
  void count_answer(StatusCounts* counts) noexcept;

  /// `events` must live until it is replaced, its last call, or the end of this object.
  void set_events(ExchangeEvents* events) noexcept;

  /// From now on the body comes as on_body() and on_body_end(). Answers an `Expect: 100-continue`.
  void read_body();
  /// The body, if its length is known, will be taken as it comes: see Stream::expect().
  void expect_body();
  void pause_reading();
  void resume_reading();
  /// The whole body, without waiting for it: empty unless a body of known length, at most `most`, has come in full. Then
  /// it counts as read.
  [[nodiscard]] std::optional<Buffer> take_body(std::size_t most);
  /// Gathers the body, then hands it and the exchange to `handler`. A body over the limit is answered 413, one that
  /// finds no budget 503 with Retry-After, a broken one 400; then, and when the client goes, `handler` is not called.
  void collect(BodyLimits limits, BodyHandler handler) &&;

  /// The whole answer. To HEAD the body is not sent; its length is, or the headers' Content-Length if `body` is empty.
  void respond(int status, const Headers& headers, Buffer body, SentHandler sent = {});
  /// text/plain, with a line feed behind `text`.
  void respond_error(int status, std::string_view text, Headers headers = {});
  /// An answer in pieces. Without `length`: chunked, and to an HTTP/1.0 client up to the end of the connection.
  void start(int status, const Headers& headers, std::optional<std::uint64_t> length = {});
  void write(Buffer piece);
  /// An answer that is shorter than its announced length is cut, like abort().
  void finish(SentHandler sent = {});
  /// Answers 101 and leaves HTTP: what the client sends from here on comes as on_body(), its end as on_body_end();
  /// write() sends bytes as they are, and finish() ends the connection when they have left. The connection counts as
  /// this request's until then, and no time-out of a silent client runs. For HTTP/1.1 requests without a body.
  void switch_protocols(const Headers& headers);
  /// Cuts the connection.
  void abort();

  [[nodiscard]] bool started() const noexcept;
  [[nodiscard]] bool finished() const noexcept;
  /// Counts of this connection: bytes written, and those of them that the stream holds no more.
  [[nodiscard]] std::uint64_t written() const noexcept;
  [[nodiscard]] std::uint64_t sent() const noexcept;
  /// on_part_sent() comes once sent() has reached `count`; replaces an earlier count. Not after finish().
  void watch_sent(std::uint64_t count);
  /// Bytes of answers that wait in the stream.
  [[nodiscard]] std::size_t unsent() const noexcept;
  /// More than keeps the stream busy waits in it: what is written now only waits too.
  [[nodiscard]] bool busy() const noexcept;
  /// False: wait for on_writable() before writing more.
  [[nodiscard]] bool writable() const noexcept;

 private:
  void release();

  std::shared_ptr<ExchangeState> state_;
};

/// Headers of a plain-text answer made by the node itself.
[[nodiscard]] Headers text_headers();
/// Headers of server-sent events of the node's own: nobody on the way keeps them, or holds them back.
[[nodiscard]] Headers event_stream_headers();

}  // namespace axl::http
