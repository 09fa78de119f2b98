// A request on its way, from the queue to the end of its answer. For the client connection's sources.
#pragma once

#include <list>
#include <optional>
#include <utility>

#include "http/client_connection.hpp"

namespace axl::http {

/// A few buffers in order; the first one needs no memory besides its own.
class Pieces {
 public:
  [[nodiscard]] bool empty() const noexcept { return first_.empty(); }
  /// Not of an empty one.
  void push_back(Buffer piece) {
    if (first_.empty()) {
      first_ = std::move(piece);
    } else {
      rest_.push_back(std::move(piece));
    }
  }
  /// Of all that is held, the first; empty when nothing is.
  [[nodiscard]] Buffer pop_front() {
    auto front = std::move(first_);
    first_ = Buffer{};
    if (!rest_.empty()) {
      first_ = std::move(rest_.front());
      rest_.pop_front();
    }
    return front;
  }

 private:
  Buffer first_;
  std::list<Buffer> rest_;
};

struct ClientConnection::Pending {
  RequestId id{};
  bool is_head = false;
  bool streamed = false;  // the body comes by write()
  bool chunked = false;
  std::uint64_t length_left = 0;
  Pieces unsent;              // head and body, until the stream has room
  std::uint64_t begins = 0;   // bytes given to the stream before its first one
  std::uint64_t ends = 0;     // and before the first one behind it, when complete
  bool complete = false;      // its end has been given to the stream
  bool finished = false;      // finish() has been called, or the body was whole
  bool wants_writable = false;
  std::size_t writable_at = 0;  // when the stream holds no more than this

  bool paused = false;
  bool head_seen = false;
  bool answer_ended = false;
  bool answered = false;  // failed over its answer, not for the lack of one
  ResponseEvents* events = nullptr;
  ResponseHandler handler;
  BodyLimits limits;
  std::optional<BodyCollector> collector;
  Response response;
};

}  // namespace axl::http
