// Server-sent events: reads a `text/event-stream` in pieces, writes events. WHATWG HTML, section 9.2.
#pragma once

#include <axl/bytes.hpp>
#include <axl/result.hpp>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace axl::http {

struct SseEvent {
  std::string event;          ///< empty: `message`
  std::string data;           ///< lines joined by line feeds
  std::string id;             ///< as written in this event
  std::optional<long> retry;  ///< milliseconds
};

class SseReader {
 public:
  explicit SseReader(std::size_t max_event_bytes) noexcept : max_{max_event_bytes} {}

  /// too_large when one event grows beyond the limit; nothing more can be read then.
  Result<void> feed(ByteSpan bytes);
  /// Call until empty after each feed(). Events without data are passed over, as the standard says, unless they carry
  /// an id or a retry time (then `data` is empty).
  [[nodiscard]] std::optional<SseEvent> next();

 private:
  void take_line(std::string_view line);
  void end_event();

  std::size_t max_;
  std::string line_;            // read so far
  SseEvent event_;              // read so far
  std::deque<SseEvent> ready_;  // whole, for next()
  bool has_data_ = false;       // event_ has a data line
  bool told_ = false;           // event_ has an id or a retry time
  bool begun_ = false;          // the first line, which may begin with a byte order mark, is over
  bool after_cr_ = false;       // a line feed that comes now belongs to the line end before it
  bool failed_ = false;
};

/// The event as it is sent, blank line included. Line breaks in `data` become several data lines.
[[nodiscard]] std::string encode_sse(const SseEvent& event);

}  // namespace axl::http
