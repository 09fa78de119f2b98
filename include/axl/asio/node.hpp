// A node for completion tokens.
#pragma once

#include <axl/asio/operation.hpp>
#include <axl/asio/session.hpp>
#include <axl/key.hpp>
#include <axl/message.hpp>
#include <axl/node.hpp>
#include <axl/pull.hpp>
#include <axl/result.hpp>
#include <axl/router.hpp>
#include <axl/time.hpp>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

namespace axl {

/// A view of a node, which must outlive it. The node may run on your io_context (create_node) or have a thread of its own.
class AsyncNode {
 public:
  using executor_type = asio::io_context::executor_type;

  explicit AsyncNode(Node& node) : node_{&node}, loop_{executor_of(node)} {}

  [[nodiscard]] Node& node() const noexcept { return *node_; }
  /// The node's loop: where handlers run that have no executor of their own.
  [[nodiscard]] executor_type get_executor() const noexcept { return loop_; }

  /// Result<AsyncSession>: as Node::connect.
  template <class Token = asio::use_awaitable_t<>>
  auto connect(const PublicKey& peer, std::uint16_t port, Token&& token = {}) {
    return detail::run<AsyncSession, std::shared_ptr<pull::Flow>>(
        loop_, std::forward<Token>(token), [node = node_, peer, port] { return pull::connect(*node, peer, port); });
  }

  /// As Node::listen.
  [[nodiscard]] Result<AsyncAcceptor> listen(std::uint16_t port) {
    auto listening = pull::listen(*node_, port);
    if (!listening) return listening.error();
    return AsyncAcceptor{loop_, *std::move(listening)};
  }

  /// Result<SendReport>: as Node::send. Cancelled, the message may or may not arrive.
  template <class Token = asio::use_awaitable_t<>>
  auto send(const PublicKey& peer, MessageBody body, SendOptions options, Token&& token = {}) {
    return detail::run<SendReport, SendReport>(
        loop_, std::forward<Token>(token),
        [node = node_, peer, body = std::move(body), options = std::move(options)]() mutable {
          return pull::send(*node, peer, std::move(body), std::move(options));
        });
  }
  template <class Token = asio::use_awaitable_t<>>
    requires(!std::is_convertible_v<Token, SendOptions>)
  auto send(const PublicKey& peer, MessageBody body, Token&& token = {}) {
    return send(peer, std::move(body), SendOptions{}, std::forward<Token>(token));
  }

  /// Result<Duration>: as Node::ping.
  template <class Token = asio::use_awaitable_t<>>
  auto ping(const PublicKey& peer, Duration timeout, Token&& token = {}) {
    return detail::run<Duration, Duration>(loop_, std::forward<Token>(token), [node = node_, peer, timeout] {
      return pull::ping(*node, peer, timeout);
    });
  }

  /// Result<Message>: the oldest message of the router's queue that is selected, as soon as there is one. Whoever waits
  /// longest comes first, readers of the local HTTP API included.
  template <class Token = asio::use_awaitable_t<>>
  auto receive(Router::Selection wanted, Token&& token = {}) {
    return detail::run<Message, Message>(
        loop_, std::forward<Token>(token),
        [node = node_, wanted = std::move(wanted)] { return pull::receive(*node, wanted); });
  }
  template <class Token = asio::use_awaitable_t<>>
    requires(!std::is_convertible_v<Token, Router::Selection>)
  auto receive(Token&& token = {}) {
    return receive(Router::Selection{}, std::forward<Token>(token));
  }

 private:
  Node* node_;
  executor_type loop_;
};

}  // namespace axl
