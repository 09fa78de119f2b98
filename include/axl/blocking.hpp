// A node and its sessions for threads that wait: each call returns when it is done, or when `timeout` has passed
// (timed_out).
//
// For nodes with a thread of their own, or on a loop that another thread runs. On the loop itself and in poll mode, where
// the wait would have no end, a call fails at once with not_supported. What came too late stays for the next call.
#pragma once

#include <axl/api.hpp>
#include <axl/bytes.hpp>
#include <axl/key.hpp>
#include <axl/message.hpp>
#include <axl/node.hpp>
#include <axl/pull.hpp>
#include <axl/result.hpp>
#include <axl/router.hpp>
#include <axl/session.hpp>
#include <axl/time.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace axl {

/// As a timeout: waits until the node stops.
inline constexpr Duration kForever = Duration::max();

/// A session, as messages or as bytes. One thread may receive and others write; each direction by one kind of call. Its
/// end sends what is queued, and closes.
class AXL_API BlockingSession {
 public:
  BlockingSession() = default;  ///< no conversation; valid() is false
  /// A session that has handlers of nobody else.
  explicit BlockingSession(Session session);
  explicit BlockingSession(std::shared_ptr<pull::Flow> flow) noexcept : flow_{std::move(flow)} {}

  [[nodiscard]] bool valid() const noexcept { return static_cast<bool>(flow_); }
  [[nodiscard]] const PublicKey& peer() const;
  [[nodiscard]] std::uint16_t local_port() const;
  [[nodiscard]] std::uint16_t remote_port() const;

  /// The next message. After the last one: ended. The first call says how long a message may be.
  [[nodiscard]] Result<MessageBody> receive(Duration timeout = kForever, std::size_t max_size = pull::Flow::kMaxMessage);
  /// What has come, at least one byte. After the last one: ended.
  [[nodiscard]] Result<Bytes> read(std::size_t max_size = 65'536, Duration timeout = kForever);
  /// Queues a message, and returns when the session takes more. After timed_out it is still queued.
  Result<void> send(MessageBody body, Duration timeout = kForever);
  Result<void> write(Bytes data, Duration timeout = kForever);
  /// Returns when the peer's TCP has all that was written.
  Result<void> drain(Duration timeout = kForever);
  /// Sends what is queued and closes both directions; returns when that is done.
  Result<void> close(Duration timeout = kForever);
  void finish();  ///< ends our direction after what is queued
  void abort();   ///< drops what is queued and ends at once

 private:
  pull::Owner<pull::Flow> flow_;
};

/// Sessions that peers open to a port; its end stops listening.
class AXL_API BlockingAcceptor {
 public:
  explicit BlockingAcceptor(std::shared_ptr<pull::Port> port) noexcept : port_{std::move(port)} {}

  [[nodiscard]] Result<BlockingSession> accept(Duration timeout = kForever);

 private:
  pull::Owner<pull::Port> port_;
};

/// A view of a node, which must outlive it.
class AXL_API BlockingNode {
 public:
  explicit BlockingNode(Node& node) noexcept : node_{&node} {}

  [[nodiscard]] Result<BlockingSession> connect(const PublicKey& peer, std::uint16_t port, Duration timeout = kForever);
  [[nodiscard]] Result<BlockingAcceptor> listen(std::uint16_t port);
  /// After timed_out nothing is known of the message.
  Result<SendReport> send(const PublicKey& peer, MessageBody body, SendOptions options = {},
                          Duration timeout = kForever);
  [[nodiscard]] Result<Duration> ping(const PublicKey& peer, Duration timeout);
  /// The oldest message of the router's queue that is selected, as soon as there is one.
  [[nodiscard]] Result<Message> receive(const Router::Selection& wanted = {}, Duration timeout = kForever);

 private:
  Node* node_;
};

}  // namespace axl
