// The node's operations as coroutines, on a loop of the test's own and beside nodes with a thread.
#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/experimental/parallel_group.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_future.hpp>
#include <axl/asio.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <source_location>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "node_fixture.hpp"

using namespace axl;
using namespace axl::test;
using namespace std::chrono_literals;
using asio::awaitable;

namespace {

constexpr std::uint16_t kPort = 4000;

Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  std::uint32_t state = 12345;
  for (auto& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<std::byte>(state >> 24U);
  }
  return bytes;
}

/// Two nodes, on the test's loop or with threads of their own; run() runs a coroutine to its end.
struct World {
  asio::io_context loop;
  std::unique_ptr<Node> alice;
  std::unique_ptr<Node> bob;

  explicit World(bool own_threads) {
    const auto make = [&](NodeConfig config) {
      return own_threads ? make_node(std::move(config)) : create_node(loop, std::move(config)).value();
    };
    alice = make(listening());
    bob = make(dialling(*alice));
    REQUIRE(alice->start());
    REQUIRE(bob->start());
  }

  void run(awaitable<void> task) {
    std::exception_ptr failure;
    asio::co_spawn(loop, std::move(task), [&](std::exception_ptr thrown) {
      failure = thrown;
      loop.stop();
    });
    loop.run();
    loop.restart();
    if (failure) std::rethrow_exception(failure);
  }
};

/// Bob's session to Alice's port, from both sides.
struct Ends {
  AsyncSession client;
  AsyncSession server;
};

awaitable<Ends> open(World& world, AsyncAcceptor& acceptor) {
  AsyncNode bob{*world.bob};
  auto client = co_await bob.connect(world.alice->key(), kPort, axl::use_awaitable);
  REQUIRE(client);
  auto server = co_await acceptor.accept(axl::use_awaitable);
  REQUIRE(server);
  co_return Ends{*std::move(client), *std::move(server)};
}

awaitable<void> wait_for_posted(std::size_t rounds = 3) {
  for (std::size_t round = 0; round < rounds; ++round) {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  }
}

std::string text(const Result<MessageBody>& body) { return body ? std::string{body->text()} : body.error().text(); }

// The macros of Catch2 name their expression twice, and GCC 12 awaits both: what is awaited is looked at here.
using Where = std::source_location;
template <class T>
void good(const Result<T>& result, Where where = Where::current()) {
  INFO("line " << where.line() << ": " << (result ? "" : result.error().text()));
  REQUIRE(result);
}
template <class T>
void fails(const Result<T>& result, Errc with, Where where = Where::current()) {
  INFO("line " << where.line() << ": " << (result ? "" : result.error().text()));
  REQUIRE_FALSE(result);
  CHECK(result.error().is(with));
}
void brings(const Result<MessageBody>& body, std::string_view wanted, Where where = Where::current()) {
  INFO("line " << where.line());
  CHECK(text(body) == wanted);
}
void won(std::size_t index, std::size_t wanted, Where where = Where::current()) {
  INFO("line " << where.line());
  CHECK(index == wanted);
}

}  // namespace

TEST_CASE("coroutines: a session is opened, carries messages and bytes, drains and is closed", "[coroutine]") {
  World world{GENERATE(false, true)};
  world.run([&]() -> awaitable<void> {
    AsyncNode alice{*world.alice};
    auto acceptor = alice.listen(kPort);
    REQUIRE(acceptor);
    const auto thread = std::this_thread::get_id();
    auto [client, server] = co_await open(world, *acceptor);
    CHECK(std::this_thread::get_id() == thread);
    CHECK(server.peer() == world.bob->key());
    for (const std::size_t size : {0U, 1U, 1'000U, 100'000U, 3'000'000U}) {
      good(co_await client.send(pattern(size)));
      const auto got = co_await server.receive();
      REQUIRE(got);
      CHECK(to_bytes(*got) == pattern(size));
      CHECK(std::this_thread::get_id() == thread);
    }
    good(co_await server.write(pattern(100'000)));
    Bytes collected;
    while (collected.size() < 100'000) {
      const auto data = co_await client.read(30'000);
      REQUIRE(data);
      CHECK(data->size() <= 30'000);
      collected.insert(collected.end(), data->begin(), data->end());
    }
    CHECK(collected == pattern(100'000));
    good(co_await client.drained());
    server.finish();
    fails(co_await client.read(1), Errc::ended);
    good(co_await client.close());
    fails(co_await server.receive(), Errc::ended);
    good(co_await server.close());
    fails(co_await client.send(Bytes(1)), Errc::closed);
    fails(co_await client.read(1), Errc::closed);
  }());
}

TEST_CASE("coroutines: messages are sent with a receipt, selected from the queue, and a key is pinged", "[coroutine]") {
  World world{GENERATE(false, true)};
  world.run([&]() -> awaitable<void> {
    AsyncNode alice{*world.alice};
    AsyncNode bob{*world.bob};
    const auto key = world.alice->key();
    const auto report = co_await bob.send(key, to_bytes("plain"), axl::use_awaitable);
    REQUIRE(report);
    CHECK(report->delivery == Delivery::queued);
    // Named, for GCC 12 copies a braced temporary of an awaited expression byte by byte.
    const SendOptions options{.id = {}, .topic = "t"};
    const Router::Selection wanted{.topic = "t"};
    good(co_await bob.send(key, to_bytes("of a topic"), options, axl::use_awaitable));
    const auto topic = co_await alice.receive(wanted, axl::use_awaitable);
    REQUIRE(topic);
    CHECK(topic->body.text() == "of a topic");
    const auto plain = co_await alice.receive();
    REQUIRE(plain);
    CHECK(plain->body.text() == "plain");
    CHECK(plain->sender == world.bob->key());
    good(co_await bob.ping(key, 30s));
    fails(co_await bob.connect(key, 4999), Errc::refused);
  }());
  CHECK(world.alice->statistics().queue.messages == 0);
}

TEST_CASE("coroutines: a wait that loses against a timer takes nothing with it", "[coroutine]") {
  using namespace asio::experimental::awaitable_operators;
  World world{GENERATE(false, true)};
  world.run([&]() -> awaitable<void> {
    AsyncNode alice{*world.alice};
    AsyncNode bob{*world.bob};
    auto acceptor = alice.listen(kPort);
    REQUIRE(acceptor);
    asio::steady_timer timer{co_await asio::this_coro::executor};
    const auto at_once = [&] {
      timer.expires_after(0s);
      return timer.async_wait(axl::use_awaitable);
    };
    won((co_await (acceptor->accept() || at_once())).index(), 1);
    auto [client, server] = co_await open(world, *acceptor);
    won((co_await (server.receive() || at_once())).index(), 1);
    won((co_await (alice.receive() || at_once())).index(), 1);
    good(co_await client.send(to_bytes("first")));
    good(co_await client.send(to_bytes("second")));
    good(co_await bob.send(world.alice->key(), to_bytes("queued")));
    // Whichever wins each time, every message comes once and in order.
    std::vector<std::string> got;
    while (got.size() < 2) {
      auto one = co_await (server.receive() || at_once());
      if (one.index() == 0) got.push_back(text(std::get<0>(one)));
    }
    CHECK(got == std::vector<std::string>{"first", "second"});
    for (;;) {
      auto one = co_await (alice.receive() || at_once());
      if (one.index() != 0) continue;
      REQUIRE(std::get<0>(one));
      CHECK(std::get<0>(one)->body.text() == "queued");
      break;
    }
  }());
}

TEST_CASE("coroutines: what has come when a receive is cancelled stays for the next", "[coroutine]") {
  World world{false};
  world.run([&]() -> awaitable<void> {
    AsyncNode alice{*world.alice};
    auto acceptor = alice.listen(kPort);
    REQUIRE(acceptor);
    auto [client, server] = co_await open(world, *acceptor);
    // The completion is on its way when the signal comes.
    good(co_await client.send(to_bytes("kept")));
    good(co_await server.receive(axl::use_awaitable));
    good(co_await client.send(to_bytes("kept too")));
    good(co_await client.drained());
    asio::cancellation_signal signal;
    std::string outcome;
    server.receive(asio::bind_cancellation_slot(signal.slot(), asio::bind_executor(world.loop, [&](auto result) {
                                                  outcome = text(result);
                                                })));
    CHECK(outcome.empty());
    signal.emit(asio::cancellation_type::partial);
    co_await wait_for_posted();
    CHECK(outcome == "the operation was cancelled");
    brings(co_await server.receive(), "kept too");
  }());
}

TEST_CASE("coroutines: of a parallel group only the winner takes something", "[coroutine]") {
  World world{GENERATE(false, true)};
  world.run([&]() -> awaitable<void> {
    AsyncNode alice{*world.alice};
    auto acceptor = alice.listen(kPort);
    REQUIRE(acceptor);
    auto [client, server] = co_await open(world, *acceptor);
    AsyncNode bob{*world.bob};
    good(co_await client.send(to_bytes("of the session")));
    good(co_await bob.send(world.alice->key(), to_bytes("of the queue")));
    // Both are there. One of the two wins, and the other is still to be had.
    const auto on_loop = [&](auto begin) {
      return [&world, begin](auto token) { return begin(asio::bind_executor(world.loop, std::move(token))); };
    };
    auto [order, first, second] = co_await asio::experimental::make_parallel_group(
                                      on_loop([&](auto token) { return server.receive(std::move(token)); }),
                                      on_loop([&](auto token) { return alice.receive(std::move(token)); }))
                                      .async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    REQUIRE((first.ok() || second.ok()));
    if (!first) first = co_await server.receive();
    brings(first, "of the session");
    if (!second) second = co_await alice.receive();
    good(second);
    CHECK(second->body.text() == "of the queue");
  }());
}

TEST_CASE("coroutines: every operation can be cancelled", "[coroutine]") {
  World world{GENERATE(false, true)};
  world.run([&]() -> awaitable<void> {
    AsyncNode alice{*world.alice};
    AsyncNode bob{*world.bob};
    auto acceptor = alice.listen(kPort);
    REQUIRE(acceptor);
    auto [client, server] = co_await open(world, *acceptor);
    const auto nobody = PrivateKey::generate().public_key();
    std::vector<std::unique_ptr<asio::cancellation_signal>> signals;
    std::size_t cancelled = 0;
    const auto token = [&] {
      signals.push_back(std::make_unique<asio::cancellation_signal>());
      return asio::bind_cancellation_slot(signals.back()->slot(), asio::bind_executor(world.loop, [&](auto result) {
                                            if (!result && result.error().is(Errc::cancelled)) ++cancelled;
                                          }));
    };
    bob.connect(nobody, kPort, token());
    bob.send(nobody, Bytes(10), token());
    bob.ping(nobody, 1h, token());
    bob.receive(token());
    acceptor->accept(token());
    client.receive(token());
    client.drained(token());
    for (const auto& signal : signals) signal->emit(asio::cancellation_type::terminal);
    while (cancelled + 1 < signals.size()) co_await wait_for_posted();
    // Nothing was written: that one may have been done before.
    CHECK(cancelled + 1 >= signals.size());
    signals.clear();
    cancelled = 0;
    // The server does not read, so this waits for as long as nobody cancels it.
    client.write(Bytes(30'000'000), token());
    client.close(token());
    for (const auto& signal : signals) signal->emit(asio::cancellation_type::terminal);
    while (cancelled < 2) co_await wait_for_posted();
  }());
}

TEST_CASE("coroutines: a second receive, and another kind of one, are refused", "[coroutine]") {
  World world{false};
  world.run([&]() -> awaitable<void> {
    AsyncNode alice{*world.alice};
    auto acceptor = alice.listen(kPort);
    REQUIRE(acceptor);
    auto [client, server] = co_await open(world, *acceptor);
    auto first = server.receive(asio::use_future);
    fails(co_await server.receive(), Errc::already_exists);
    fails(co_await server.read(1), Errc::invalid_argument);
    good(co_await client.send(to_bytes("one")));
    good(co_await client.send(to_bytes("two")));
    const auto second = co_await server.receive();
    CHECK(text(second) != "one");
    co_await client.drained();
    while (first.wait_for(0s) != std::future_status::ready) co_await wait_for_posted();
    CHECK(text(first.get()) == "one");
    brings(co_await server.receive(), "two");
  }());
}

TEST_CASE("coroutines: a reader that stops slows its peer down, and little is read ahead", "[coroutine]") {
  World world{GENERATE(false, true)};
  world.run([&]() -> awaitable<void> {
    AsyncNode alice{*world.alice};
    auto acceptor = alice.listen(kPort);
    REQUIRE(acceptor);
    auto [client, server] = co_await open(world, *acceptor);
    constexpr std::size_t kMessages = 200;
    bool all_sent = false;
    asio::co_spawn(
        world.loop,
        [&]() -> awaitable<void> {
          for (std::size_t i = 0; i < kMessages; ++i) {
            auto body = pattern(100'000);
            body[0] = static_cast<std::byte>(i);
            if (!co_await client.send(std::move(body))) co_return;
          }
          all_sent = true;
        },
        asio::detached);
    good(co_await server.receive());
    for (auto i = 0; i < 1'000; ++i) co_await wait_for_posted();
    CHECK_FALSE(all_sent);
    for (std::size_t i = 1; i < kMessages; ++i) {
      const auto body = co_await server.receive();
      REQUIRE(body);
      REQUIRE(body->data()[0] == static_cast<std::byte>(i));
    }
    while (!all_sent) co_await wait_for_posted();
  }());
}

TEST_CASE("coroutines: destroying a session or an acceptor ends what waits on it", "[coroutine]") {
  World world{GENERATE(false, true)};
  world.run([&]() -> awaitable<void> {
    AsyncNode alice{*world.alice};
    auto acceptor = std::make_optional(alice.listen(kPort).value());
    auto ends = std::make_optional(co_await open(world, *acceptor));
    std::vector<std::string> errors;
    const auto token = [&] {
      return asio::bind_executor(world.loop, [&](auto result) {
        errors.push_back(result ? "none" : result.error().code().message());
      });
    };
    acceptor->accept(token());
    ends->server.receive(token());
    ends->client.read(10, token());
    acceptor.reset();
    ends.reset();
    while (errors.size() < 3) co_await wait_for_posted();
    CHECK(errors == std::vector<std::string>{"closed", "closed", "closed"});
    // The port is free again.
    CHECK(alice.listen(kPort));
  }());
}

TEST_CASE("coroutines: a node that stops ends everything that waits for it", "[coroutine]") {
  World world{GENERATE(false, true)};
  world.run([&]() -> awaitable<void> {
    AsyncNode alice{*world.alice};
    AsyncNode bob{*world.bob};
    auto acceptor = alice.listen(kPort);
    REQUIRE(acceptor);
    auto [client, server] = co_await open(world, *acceptor);
    const auto nobody = PrivateKey::generate().public_key();
    std::vector<std::string> errors;
    const auto token = [&] {
      return asio::bind_executor(world.loop, [&](auto result) {
        errors.push_back(result ? "none" : result.error().code().message());
      });
    };
    alice.connect(nobody, kPort, token());
    alice.send(nobody, Bytes(10), token());
    alice.ping(nobody, 1h, token());
    alice.receive(token());
    acceptor->accept(token());
    server.receive(token());
    server.write(Bytes(30'000'000), token());  // which nobody reads
    server.drained(token());
    world.alice.reset();
    while (errors.size() < 8) co_await wait_for_posted();
    CHECK(errors == std::vector<std::string>(8, "closed"));
    fails(co_await server.receive(), Errc::closed);
    fails(co_await acceptor->accept(), Errc::closed);
  }());
}

TEST_CASE("coroutines: a loop that goes before what it waits for is no harm", "[coroutine]") {
  const auto alice = make_node(listening());
  const auto bob = make_node(dialling(*alice));
  REQUIRE(alice->start());
  REQUIRE(bob->start());
  auto loop = std::make_unique<asio::io_context>();
  AsyncNode node{*bob};
  bool connected = false;
  asio::co_spawn(
      *loop,
      [&]() -> awaitable<void> {
        AsyncNode server{*alice};
        auto acceptor = server.listen(kPort).value();
        auto session = co_await node.connect(alice->key(), kPort);
        connected = session.ok();
        auto never = co_await session->receive();
      },
      asio::detached);
  while (!connected) loop->run_one();
  // What was under way is ended by the sessions' end, while the loop still is there.
  alice->stop();
  bob->stop();
  loop.reset();
  CHECK(connected);
}

TEST_CASE("coroutines: without an executor a handler runs on the node's loop; futures work as well", "[coroutine]") {
  const auto alice = make_node(listening());
  const auto bob = make_node(dialling(*alice));
  REQUIRE(alice->start());
  REQUIRE(bob->start());
  AsyncNode node{*bob};
  CHECK(node.ping(alice->key(), 30s, asio::use_future).get());
  Awaited<std::pair<bool, std::thread::id>> pinged;
  Awaited<std::thread::id> loop;
  bob->post([&] { loop.set(std::this_thread::get_id()); });
  node.ping(alice->key(), 30s, [&](Result<Duration> result) { pinged.set({result.ok(), std::this_thread::get_id()}); });
  CHECK(pinged.get() == std::pair{true, loop.get()});
}
