// One answer of a process to one request over HTTP: a stream of events that a broken connection does not end, or the
// whole as JSON.
//
// Events carry the id STREAM-NUMBER and are kept for a client that comes back with Last-Event-ID, as long as the
// session's bounds allow (the session drops the oldest). Model Context Protocol, Streamable HTTP, resumability.
#pragma once

#include <axl/time.hpp>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "http/exchange.hpp"

namespace axl::services {

class StdioStream final : private http::ExchangeEvents {
 public:
  enum class Form : std::uint8_t {
    events,  ///< text/event-stream
    json,    ///< application/json, once all has come
  };
  class Owner {
   public:
    /// What was written may go on.
    virtual void on_room() = 0;
    /// The client has gone. The stream may be destroyed.
    virtual void on_left(std::uint64_t number) = 0;

   protected:
    ~Owner() = default;
  };

  StdioStream(Owner& owner, std::uint64_t number, Form form) : owner_{owner}, number_{number}, form_{form} {}
  StdioStream(const StdioStream&) = delete;
  StdioStream& operator=(const StdioStream&) = delete;
  ~StdioStream() = default;

  /// From now on this is where it goes; an exchange before it is ended.
  void attach(http::Exchange exchange);
  /// Sends the head of an event stream, unless it has been sent. `prime`: an event without data, so that the client has
  /// an id from the start. `session`: value of Mcp-Session-Id; empty for none.
  void open(std::string_view session, bool prime);
  [[nodiscard]] bool opened() const noexcept { return exchange_ && exchange_->started(); }
  [[nodiscard]] bool attached() const noexcept { return exchange_.has_value(); }
  [[nodiscard]] bool writable() const { return !attached() || form_ == Form::json || exchange_->writable(); }

  /// Takes an event for those who read now and those who come back. Returns its number.
  std::uint64_t add(std::string message);
  /// Sends the kept events after that one; without a number those that were never sent.
  void send_kept(std::optional<std::uint64_t> after);
  /// Forgets the oldest kept event; returns its size.
  std::size_t drop_oldest();
  /// A whole answer instead of a stream that has not been opened.
  void respond(int status, std::string_view session, std::string_view type, std::string_view body);
  /// A comment, which keeps what lies between awake and shows who has gone.
  void keep_alive();
  /// All has been said: ends the answer, or remembers to do so for the client that comes back. For JSON: sends it.
  void finish(std::string_view session);
  /// Breaks the answer off, or says `status` if it has not begun.
  void cut(int status, std::string_view text);

  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
  [[nodiscard]] Form form() const noexcept { return form_; }
  [[nodiscard]] bool done() const noexcept { return done_; }
  /// Nothing is kept, nobody listens, nothing more will come.
  [[nodiscard]] bool over() const noexcept { return done_ && kept_.empty() && !attached(); }

  std::set<std::string> waiting;  ///< keys of the requests that have no response yet
  bool numbered = true;           ///< events have ids: a client may come back
  bool batch = false;             ///< a JSON answer is an array
  bool initializes = false;       ///< answers `initialize`
  bool discovers = false;         ///< answers `server/discover`
  Time since{};                   ///< when it began

 private:
  struct Event {
    std::uint64_t number = 0;
    std::string message;
  };

  void on_writable() override { owner_.on_room(); }
  void on_client_ended() override {}
  void on_aborted(const Error& error) override;
  void write(const Event& event);

  Owner& owner_;
  const std::uint64_t number_;
  const Form form_;
  std::optional<http::Exchange> exchange_;  // while a client listens
  std::deque<Event> kept_;
  std::uint64_t last_ = 0;  // number of the newest event
  std::uint64_t sent_ = 0;  // newest that was given to some client
  bool done_ = false;
};

}  // namespace axl::services
