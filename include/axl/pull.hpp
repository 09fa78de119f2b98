// What has come waits until it is asked for, one piece at a time: the ground that the coroutines of axl/asio.hpp and the
// calls of axl/blocking.hpp stand on. For other event loops it may be used as it is.
//
// Nothing is lost by a wait that is given up: what came stays for the next one. Of what a session or a port brings,
// little is read ahead; then the peer is slowed down.
//
// Everything here may be called from any thread.
#pragma once

#include <axl/api.hpp>
#include <axl/bytes.hpp>
#include <axl/key.hpp>
#include <axl/message.hpp>
#include <axl/node.hpp>
#include <axl/result.hpp>
#include <axl/router.hpp>
#include <axl/session.hpp>
#include <axl/time.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace axl::pull {

using Ready = std::function<void()>;

/// One thing that has been asked for: wait() once, then, when it is ready or given up, take() or give_up() once.
template <class T>
class Source {
 public:
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;

  /// `ready` is called at most once, on any thread, maybe inside this call; it must not block. It is called too when
  /// the node stops, or what should have brought something is shut.
  virtual void wait(Ready ready) = 0;
  /// What came, or why nothing will; would_block before `ready`.
  [[nodiscard]] virtual Result<T> take() = 0;
  /// Instead of take(): nothing is wanted any more, and `ready` is dropped.
  virtual void give_up() = 0;
};

template <class T>
using SourceOf = std::shared_ptr<Source<T>>;

/// A session, as messages or as bytes. One who waits for them at a time: a second is told already_exists.
class Flow {
 public:
  static constexpr std::size_t kMaxMessage = 16'777'216;  ///< where nothing else is said

  Flow() = default;
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;
  virtual ~Flow() = default;

  [[nodiscard]] virtual const PublicKey& peer() const = 0;
  [[nodiscard]] virtual std::uint16_t local_port() const = 0;
  [[nodiscard]] virtual std::uint16_t remote_port() const = 0;

  /// The next message of at most `max_size` bytes (the first call says how many). After the last one: ended.
  [[nodiscard]] virtual SourceOf<MessageBody> message(std::size_t max_size) = 0;
  /// What has come, at least one byte and at most `max_size`. After the last one: ended.
  [[nodiscard]] virtual SourceOf<Bytes> bytes(std::size_t max_size) = 0;
  /// Queues at once, and waits until the session takes more. Giving that up does not take back what is queued.
  [[nodiscard]] virtual SourceOf<void> send(MessageBody body) = 0;
  [[nodiscard]] virtual SourceOf<void> write(Bytes data) = 0;
  /// The peer's TCP has all that was written.
  [[nodiscard]] virtual SourceOf<void> drained() = 0;
  /// Closes at once, and waits until both sides have all that was on its way.
  [[nodiscard]] virtual SourceOf<void> close() = 0;
  virtual void finish() = 0;  ///< as Session::finish
  virtual void abort() = 0;   ///< as Session::abort
  /// Whoever waits is told closed, and the session is closed.
  virtual void shut() = 0;
  /// Whether this thread may wait for the loop: an error on the loop itself, or where nobody else turns it.
  [[nodiscard]] virtual Result<void> may_block() const = 0;
};

/// Sessions that peers open to a port. At most kBacklog wait to be taken; more are refused.
class Port {
 public:
  static constexpr std::size_t kBacklog = 64;

  Port() = default;
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  virtual ~Port() = default;

  /// One who waits at a time: a second is told already_exists.
  [[nodiscard]] virtual SourceOf<std::shared_ptr<Flow>> accept() = 0;
  /// Listens no more; whoever waits is told closed.
  virtual void shut() = 0;
  [[nodiscard]] virtual Result<void> may_block() const = 0;
};

/// Holds a flow or a port, and shuts it in the end.
template <class T>
class Owner {
 public:
  Owner() = default;
  explicit Owner(std::shared_ptr<T> held) noexcept : held_{std::move(held)} {}
  Owner(Owner&&) noexcept = default;
  Owner& operator=(Owner&& other) noexcept {
    Owner{std::move(other)}.held_.swap(held_);
    return *this;
  }
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;
  ~Owner() {
    if (held_) held_->shut();
  }

  explicit operator bool() const noexcept { return held_ != nullptr; }
  T* operator->() const noexcept { return held_.get(); }
  [[nodiscard]] const std::shared_ptr<T>& shared() const noexcept { return held_; }

 private:
  std::shared_ptr<T> held_;
};

/// For a session that has handlers of nobody else. Not null.
[[nodiscard]] AXL_API std::shared_ptr<Flow> make_flow(Session session);
/// As Node::listen.
[[nodiscard]] AXL_API Result<std::shared_ptr<Port>> listen(Node& node, std::uint16_t port);

/// As the methods of Node. To give up a connect closes the session; to give up a send leaves open what becomes of it.
[[nodiscard]] AXL_API SourceOf<std::shared_ptr<Flow>> connect(Node& node, const PublicKey& peer, std::uint16_t port);
[[nodiscard]] AXL_API SourceOf<SendReport> send(Node& node, const PublicKey& peer, MessageBody body, SendOptions options);
[[nodiscard]] AXL_API SourceOf<Duration> ping(Node& node, const PublicKey& peer, Duration timeout);
/// The oldest message of the router's queue that is selected, as soon as there is one. Any number may wait; whoever
/// waits longest comes first.
[[nodiscard]] AXL_API SourceOf<Message> receive(Node& node, const Router::Selection& wanted);

/// As Flow::may_block.
[[nodiscard]] AXL_API Result<void> may_block(Node& node);

}  // namespace axl::pull
