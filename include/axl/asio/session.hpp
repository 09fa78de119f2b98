// A session for completion tokens, and the sessions that peers open to a port. Destroying either ends what is under way
// on it with the error `closed`.
#pragma once

#include <axl/asio/operation.hpp>
#include <axl/bytes.hpp>
#include <axl/key.hpp>
#include <axl/message.hpp>
#include <axl/node.hpp>
#include <axl/pull.hpp>
#include <axl/session.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

namespace axl {

/// Of the loop that turns `node`.
[[nodiscard]] asio::io_context::executor_type executor_of(Node& node);

/// Messages or bytes, each direction by one kind of call. One receive or read at a time: a second fails with
/// already_exists.
class AsyncSession {
 public:
  using executor_type = asio::io_context::executor_type;

  /// A session that has handlers of nobody else.
  AsyncSession(Node& node, Session session) : AsyncSession{executor_of(node), pull::make_flow(std::move(session))} {}
  AsyncSession(const executor_type& loop, std::shared_ptr<pull::Flow> flow) : loop_{loop}, flow_{std::move(flow)} {}

  /// The node's loop: where handlers run that have no executor of their own.
  [[nodiscard]] executor_type get_executor() const noexcept { return loop_; }
  [[nodiscard]] const PublicKey& peer() const { return flow_->peer(); }
  [[nodiscard]] std::uint16_t local_port() const { return flow_->local_port(); }
  [[nodiscard]] std::uint16_t remote_port() const { return flow_->remote_port(); }

  /// Result<MessageBody>: the next message. After the last one: ended. The first call says how long a message may be.
  template <class Token = asio::use_awaitable_t<>>
  auto receive(std::size_t max_size, Token&& token = {}) {
    return detail::run<MessageBody, MessageBody>(loop_, std::forward<Token>(token),
                                                 [flow = flow_.shared(), max_size] { return flow->message(max_size); });
  }
  template <class Token = asio::use_awaitable_t<>>
    requires(!std::is_convertible_v<Token, std::size_t>)
  auto receive(Token&& token = {}) {
    return receive(pull::Flow::kMaxMessage, std::forward<Token>(token));
  }

  /// Result<Bytes>: what has come, at least one byte. After the last one: ended.
  template <class Token = asio::use_awaitable_t<>>
  auto read(std::size_t max_size, Token&& token = {}) {
    return detail::run<Bytes, Bytes>(loop_, std::forward<Token>(token),
                                     [flow = flow_.shared(), max_size] { return flow->bytes(max_size); });
  }

  /// Result<void>: queues a message, and is done when the session takes more. Cancelled, it is queued all the same.
  template <class Token = asio::use_awaitable_t<>>
  auto send(MessageBody body, Token&& token = {}) {
    return detail::run<void, void>(loop_, std::forward<Token>(token), [flow = flow_.shared(), body = std::move(body)]() mutable {
      return flow->send(std::move(body));
    });
  }
  template <class Token = asio::use_awaitable_t<>>
  auto write(Bytes data, Token&& token = {}) {
    return detail::run<void, void>(loop_, std::forward<Token>(token), [flow = flow_.shared(), data = std::move(data)]() mutable {
      return flow->write(std::move(data));
    });
  }

  /// Result<void>: the peer's TCP has all that was written.
  template <class Token = asio::use_awaitable_t<>>
  auto drained(Token&& token = {}) {
    return detail::run<void, void>(loop_, std::forward<Token>(token), [flow = flow_.shared()] { return flow->drained(); });
  }
  /// Result<void>: sends what is queued, and is done when both directions are closed.
  template <class Token = asio::use_awaitable_t<>>
  auto close(Token&& token = {}) {
    return detail::run<void, void>(loop_, std::forward<Token>(token), [flow = flow_.shared()] { return flow->close(); });
  }

  void finish() { flow_->finish(); }  ///< ends our direction after what is queued
  void abort() { flow_->abort(); }    ///< drops what is queued and ends at once

 private:
  executor_type loop_;
  pull::Owner<pull::Flow> flow_;
};

class AsyncAcceptor {
 public:
  using executor_type = asio::io_context::executor_type;

  AsyncAcceptor(const executor_type& loop, std::shared_ptr<pull::Port> port) : loop_{loop}, port_{std::move(port)} {}

  [[nodiscard]] executor_type get_executor() const noexcept { return loop_; }

  /// Result<AsyncSession>: the next session that a peer has opened. One accept at a time: a second fails with
  /// already_exists.
  template <class Token = asio::use_awaitable_t<>>
  auto accept(Token&& token = {}) {
    return detail::run<AsyncSession, std::shared_ptr<pull::Flow>>(loop_, std::forward<Token>(token),
                                                                  [port = port_.shared()] { return port->accept(); });
  }

 private:
  executor_type loop_;
  pull::Owner<pull::Port> port_;
};

}  // namespace axl
