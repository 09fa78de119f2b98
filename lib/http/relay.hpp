// Carries exchanges to another server and the answers back: bodies as streams both ways, a chunk leaves as soon as it
// has come, a slow reader slows the writer.
//
// A client that goes cuts the connection to the server; a server that breaks off cuts the client, so a broken answer is
// never taken for a whole one. A client that ends its sending side once its request is complete has gone: nobody can
// tell one that only shut it from one that closed, and most close. For one reader that does not keep up no more is held
// here than keeps its stream busy, and a piece (Stream::enough()).
//
// A request without a body that meets a connection gone stale is sent once more over a fresh one, if it changes nothing
// when done twice (GET, HEAD, DELETE, OPTIONS) or surely was not sent.
//
// Source: bridge, sections 8.3 (rows 8 to 11) and 8.4.
#pragma once

#include <axl/error.hpp>
#include <axl/time.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/scheduler.hpp"
#include "http/exchange.hpp"
#include "http/upstream.hpp"

namespace axl::http {

/// What is sent on in place of the request's own head. Host is the caller's to set; framing headers are not.
struct RelayRequest {
  std::string method;
  std::string target;
  Headers headers;
};

/// What one relayed exchange needs decided. Owned by the relay; any method may destroy the relays and all around them.
/// The last call is on_failed() or on_end(), one of the two, once; never inside carry().
class RelayEvents {
 public:
  RelayEvents() = default;
  RelayEvents(const RelayEvents&) = delete;
  RelayEvents& operator=(const RelayEvents&) = delete;
  virtual ~RelayEvents() = default;

  /// The answer's head. `headers` are those to be sent on: hop-by-hop and framing ones are gone already. Return a limit
  /// to have the body gathered (up to so many bytes; a longer one is passed on as it comes) and shown to on_body().
  virtual std::optional<std::size_t> on_response(const ResponseHead& head, Headers& headers) {
    static_cast<void>(head), static_cast<void>(headers);
    return {};
  }
  /// The gathered body, whole; what is returned is sent in its place. An answer that breaks off before is on_failed().
  virtual Buffer on_body(Headers& headers, Buffer body) {
    static_cast<void>(headers);
    return body;
  }
  /// No answer came and nothing was sent to the client. `exchange` is to be answered; its body may have been read
  /// unless `delivery` is not_sent, in which case `body_untouched` says whether it can still be read.
  virtual void on_failed(Exchange exchange, const Error& error, Delivery delivery, bool body_untouched) = 0;
  /// It is over: all of the answer was given to the client's stream (`whole`), or one side was cut.
  virtual void on_end(bool whole) { static_cast<void>(whole); }
};

struct RelayLimits {
  /// Neither side moves a byte for so long while the request's body is under way or the head of the answer is awaited.
  std::optional<Duration> answer_timeout = {};
  /// The same once the answer has begun. Empty: streams may be silent for ever.
  std::optional<Duration> idle_timeout = {};
};

/// The exchanges under way.
class Relays {
 public:
  /// `most_beyond_first`: a stream that is busy with more than its first 64 KiB may hold more, all of them together no
  /// more than this. A peer that was fast and then stops would else fill memory, one stream after the other.
  explicit Relays(Scheduler& scheduler, std::size_t most_beyond_first = 128UL * 1024 * 1024);
  Relays(const Relays&) = delete;
  Relays& operator=(const Relays&) = delete;
  ~Relays();  ///< cuts all; calls nobody

  void carry(Exchange exchange, std::shared_ptr<Upstream> upstream, RelayRequest request, const RelayLimits& limits,
             std::unique_ptr<RelayEvents> events);
  [[nodiscard]] std::size_t under_way() const noexcept;

 private:
  class Relay;
  friend class Relay;

  /// on_timer() comes then, or earlier.
  void look_at(Time due);
  void on_timer();

  Scheduler& scheduler_;
  const std::size_t most_beyond_first_;
  std::size_t beyond_first_ = 0;  // of what is held, as counted last
  std::map<std::uint64_t, std::unique_ptr<Relay>> relays_;
  std::uint64_t next_ = 1;
  Headers spare_;                 // the memory of an answer's headers
  std::unique_ptr<Timer> timer_;  // of all that have a time-out; made when first needed
  std::optional<Time> armed_;     // set while it runs
  bool* destroyed_ = nullptr;     // set while it calls
};

}  // namespace axl::http
