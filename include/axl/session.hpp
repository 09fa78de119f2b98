// A conversation with one peer: encrypted end to end, ordered, nothing lost while it is up, and the other side is a
// key that has proved itself.
//
// Use it for bytes (write, on_data) or for messages (send_message, on_message: each is 4 length bytes, big-endian, then
// the body; bridge, section 4), not for both in one direction.
//
// Methods may be called from any thread. Handlers run on the node's loop and may call any method of the session, its
// destruction included; set them before the handler that gave you the session returns, then nothing is missed.
#pragma once

#include <axl/api.hpp>
#include <axl/bytes.hpp>
#include <axl/key.hpp>
#include <axl/message.hpp>
#include <axl/result.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace axl {

namespace node {
class SessionState;
}

class AXL_API Session {
 public:
  using DataHandler = std::function<void(Bytes data)>;
  using MessageHandler = std::function<void(MessageBody body)>;
  using EventHandler = std::function<void()>;
  /// `error` is null after an orderly close by both sides.
  using ClosedHandler = std::function<void(const Error* error)>;

  Session() = default;  ///< no conversation; valid() is false
  explicit Session(std::shared_ptr<node::SessionState> state) noexcept;
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  /// close(); no handler is called any more, and one that runs on another thread is waited for.
  ~Session();

  [[nodiscard]] bool valid() const noexcept { return state_ != nullptr; }
  [[nodiscard]] const PublicKey& peer() const;  ///< the peer's full key
  [[nodiscard]] std::uint16_t local_port() const;
  [[nodiscard]] std::uint16_t remote_port() const;

  /// Queues bytes; would_block when 64 MiB are pending already, closed after finish() or an end of the session.
  Result<void> write(Bytes data);
  /// The same of bytes that others share: not copied, but kept until they have left.
  Result<void> write(MessageBody data);
  /// Queues one message of at most 2^32 - 1 bytes. A large body is not copied: it is shared until it has left.
  Result<void> send_message(MessageBody body);
  /// Bytes queued that the peer's TCP has not acknowledged.
  [[nodiscard]] std::size_t pending() const;
  /// True while a fair writer would wait for on_writable.
  [[nodiscard]] bool congested() const;

  void on_data(DataHandler handler);
  /// Messages of at most `max_size` bytes; a longer one ends the session with too_large.
  void on_message(MessageHandler handler, std::size_t max_size = 16'777'216);
  void on_writable(EventHandler handler);  ///< congested() has become false
  void on_drained(EventHandler handler);   ///< pending() has become zero: the peer's TCP has it all
  void on_end(EventHandler handler);       ///< the peer has finished sending; our direction is still open
  void on_closed(ClosedHandler handler);   ///< the last event; told also to a handler that comes after it

  void pause();  ///< take nothing more from the peer, which is slowed down
  void resume();
  void finish();  ///< end our direction after what is queued; receiving goes on
  void close();   ///< send what is queued, then end both directions
  void abort();   ///< drop what is queued and end at once

  /// For the library's own parts.
  [[nodiscard]] const std::shared_ptr<node::SessionState>& state() const noexcept { return state_; }

 private:
  std::shared_ptr<node::SessionState> state_;
};

}  // namespace axl
