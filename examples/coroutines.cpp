// Coroutines on one loop: two nodes, a service that answers on a session, and a client that gives each question a
// deadline. Needs the static library and Asio (axl::asio).
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/steady_timer.hpp>
#include <axl/asio.hpp>
#include <cstdio>
#include <string>
#include <variant>

using namespace asio::experimental::awaitable_operators;
using namespace std::chrono_literals;
using asio::awaitable;

namespace {

constexpr std::uint16_t kPort = 4000;

/// Answers every question but "wait", until the peer closes.
awaitable<void> answer(axl::AsyncSession session) {
  for (;;) {
    const auto question = co_await session.receive(axl::use_awaitable);
    if (!question) co_return;
    if (question->text() == "wait") continue;
    const auto text = "you asked: " + std::string{question->text()};
    if (!co_await session.send(axl::to_bytes(text), axl::use_awaitable)) co_return;
  }
}

/// One coroutine for each session, until the node stops.
awaitable<void> serve(axl::AsyncAcceptor acceptor) {
  for (;;) {
    auto session = co_await acceptor.accept(axl::use_awaitable);
    if (!session) co_return;
    asio::co_spawn(co_await asio::this_coro::executor, answer(*std::move(session)), asio::detached);
  }
}

/// What has come within `time`; the receive that is cut short takes no message with it.
awaitable<axl::Result<axl::MessageBody>> receive_within(axl::AsyncSession& session, axl::Duration time) {
  asio::steady_timer deadline{co_await asio::this_coro::executor, time};
  auto first = co_await (session.receive(axl::use_awaitable) || deadline.async_wait(axl::use_awaitable));
  if (first.index() != 0) co_return axl::Error{axl::Errc::timed_out, "no answer in time"};
  co_return std::get<0>(std::move(first));
}

awaitable<bool> ask(axl::AsyncNode node, axl::PublicKey peer) {
  auto session = co_await node.connect(peer, kPort, axl::use_awaitable);
  if (!session) co_return false;
  if (!co_await session->send(axl::to_bytes("wait"), axl::use_awaitable)) co_return false;
  const auto none = co_await receive_within(*session, 10ms);
  std::printf("first: %s\n", none ? "an answer" : none.error().text().c_str());
  if (!co_await session->send(axl::to_bytes("what is it?"), axl::use_awaitable)) co_return false;
  const auto one = co_await receive_within(*session, 60s);
  std::printf("then: %s\n", one ? std::string{one->text()}.c_str() : one.error().text().c_str());
  co_return !none && one && (co_await session->close(axl::use_awaitable)).ok();
}

}  // namespace

int main() {
  asio::io_context loop;
  axl::NodeConfig config;
  config.listen = {"tls://127.0.0.1:0"};
  auto alice = axl::create_node(loop, config);
  if (!alice) return 1;
  axl::NodeConfig other;
  other.peers = {{.uri = alice.value()->listeners().at(0)}};
  auto bob = axl::create_node(loop, other);
  if (!bob) return 1;
  auto acceptor = axl::AsyncNode{**alice}.listen(kPort);
  if (!acceptor || !alice.value()->start() || !bob.value()->start()) return 1;

  bool good = false;
  asio::co_spawn(loop, serve(*std::move(acceptor)), asio::detached);
  asio::co_spawn(loop, ask(axl::AsyncNode{**bob}, alice.value()->key()), [&](const std::exception_ptr& thrown, bool asked) {
    good = !thrown && asked;
    loop.stop();
  });
  loop.run();
  return good ? 0 : 1;
}
