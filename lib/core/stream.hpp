// An ordered byte stream with one other end: a kernel socket, TLS on one, or a TCP connection inside the overlay.
// HTTP and message framing run on this and do not know which.
//
// Lives on one loop. A handler's method may call any method of its stream, and may destroy it.
#pragma once

#include <axl/error.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/buffer.hpp"

namespace axl {

class StreamHandler {
 public:
  /// Bytes have come; never empty. Not called between pause_reading() and resume_reading().
  virtual void on_data(Buffer data) = 0;
  /// Where the next bytes are to be put, if they have a place already: they then come as on_placed(), in the same call
  /// of the stream that has asked. Empty: as on_data(). Streams need not ask.
  [[nodiscard]] virtual MutableByteSpan place() { return {}; }
  /// The first `size` bytes of that place have come; never none.
  virtual void on_placed(std::size_t size) { static_cast<void>(size); }
  /// The other end will send no more. Writing may go on.
  virtual void on_end() = 0;
  /// unsent() has fallen below the stream's low mark after it had been above high_mark(); or far below enough(), where
  /// that changes.
  virtual void on_writable() {}
  /// unsent() has become zero: for a connection inside the overlay, the peer's TCP has acknowledged every byte.
  virtual void on_drained() {}
  /// The stream is gone; `error` is null after an orderly close. The last call.
  virtual void on_closed(const Error* error) = 0;

 protected:
  ~StreamHandler() = default;
};

class Stream {
 public:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;  ///< aborts what is still open; calls no handler

  /// Who hears of this stream; null for nobody. What came before a handler was set is kept and delivered then.
  virtual void set_handler(StreamHandler* handler) = 0;
  /// Queues bytes behind those queued before. Always takes them; the caller watches unsent() and on_writable().
  virtual void write(Buffer data) = 0;
  /// Bytes written that this stream still holds: not yet in the kernel, or not yet acknowledged by the overlay peer.
  [[nodiscard]] virtual std::size_t unsent() const = 0;
  /// Of all bytes written here, how many the other end's TCP has acknowledged; kept when the stream is gone. Empty
  /// where nobody tells (kernel sockets).
  [[nodiscard]] virtual std::optional<std::uint64_t> acknowledged() const { return {}; }
  /// Of all bytes written here, how many may have left this node; the others have not. Kept when the stream is gone, and
  /// final after abort(). Empty where nobody tells.
  [[nodiscard]] virtual std::optional<std::uint64_t> begun() const { return {}; }
  /// Above this many unsent() bytes a writer should wait for on_writable().
  [[nodiscard]] virtual std::size_t high_mark() const = 0;
  /// So many unsent() bytes keep the stream busy; more would only wait here. Less than high_mark(), and what it is may
  /// change: inside the overlay it follows what the path and the peer's reader take.
  [[nodiscard]] virtual std::size_t enough() const { return kEnough; }
  static constexpr std::size_t kEnough = 32 * 1024;
  /// While paused, received bytes stay where they are and the other end is slowed down.
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;
  /// The reader knows that about `bytes` more belong together, and will take them as they come: the other end need not
  /// wait for the reader in between. A hint; the latest one counts.
  virtual void expect(std::size_t bytes) { static_cast<void>(bytes); }
  /// Ends our direction after what is queued; receiving goes on.
  virtual void shutdown_send() = 0;
  /// Sends what is queued, then closes both directions without losing any of it.
  virtual void close() = 0;
  /// Drops everything and closes at once.
  virtual void abort() = 0;
};

}  // namespace axl
