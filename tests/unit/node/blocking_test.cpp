// Calls that wait, from threads of their own.
#include <algorithm>
#include <atomic>
#include <axl/blocking.hpp>
#include <catch2/catch_test_macros.hpp>
#include <thread>
#include <vector>

#include "node_fixture.hpp"

using namespace axl;
using namespace axl::test;
using namespace std::chrono_literals;

namespace {

constexpr std::uint16_t kPort = 4000;

struct Pair {
  std::unique_ptr<Node> alice = make_node(listening());
  std::unique_ptr<Node> bob = make_node(dialling(*alice));

  Pair() {
    REQUIRE(alice->start());
    REQUIRE(bob->start());
  }
};

}  // namespace

TEST_CASE("blocking: a session is opened, carries messages and bytes, and is closed", "[blocking]") {
  Pair pair;
  auto acceptor = BlockingNode{*pair.alice}.listen(kPort);
  REQUIRE(acceptor);
  auto client = BlockingNode{*pair.bob}.connect(pair.alice->key(), kPort);
  REQUIRE(client);
  auto server = acceptor->accept();
  REQUIRE(server);
  CHECK(server->peer() == pair.bob->key());
  REQUIRE(client->send(to_bytes("a message")));
  const auto message = server->receive();
  REQUIRE(message);
  CHECK(message->text() == "a message");
  REQUIRE(server->write(Bytes(100'000)));
  server->finish();
  std::size_t count = 0;
  for (;;) {
    const auto data = client->read(10'000);
    if (!data) {
      CHECK(data.error().is(Errc::ended));
      break;
    }
    count += data->size();
  }
  CHECK(count == 100'000);
  CHECK(client->drain());
  CHECK(client->close());
  CHECK(server->receive().error().is(Errc::ended));
  CHECK(server->close());
}

TEST_CASE("blocking: what comes after a timeout is for the next call", "[blocking]") {
  Pair pair;
  auto acceptor = BlockingNode{*pair.alice}.listen(kPort);
  REQUIRE(acceptor);
  CHECK(acceptor->accept(0s).error().is(Errc::timed_out));
  BlockingNode bob{*pair.bob};
  BlockingNode alice{*pair.alice};
  auto client = bob.connect(pair.alice->key(), kPort);
  REQUIRE(client);
  auto server = acceptor->accept();
  REQUIRE(server);
  CHECK(server->receive(1ms).error().is(Errc::timed_out));
  CHECK(alice.receive({}, 1ms).error().is(Errc::timed_out));
  std::size_t got = 0;
  std::thread sender{[&] {
    for (auto i = 0; i < 50; ++i) {
      static_cast<void>(client->send(to_bytes(std::to_string(i))));
      static_cast<void>(bob.send(pair.alice->key(), to_bytes(std::to_string(i))));
    }
  }};
  while (got < 50) {
    const auto message = server->receive(100us);
    if (message) CHECK(message->text() == std::to_string(got++));
  }
  for (got = 0; got < 50;) {
    const auto message = alice.receive({}, 100us);
    if (message) CHECK(message->body.text() == std::to_string(got++));
  }
  sender.join();
  // What is confirmed is confirmed by the loop, a little later.
  const auto queue = [&] {
    Awaited<Router::QueueStats> stats;
    pair.alice->post([&] { stats.set(pair.alice->router().queue_stats()); });
    return stats.get();
  };
  CHECK(queue().messages == 0);
}

TEST_CASE("blocking: on the loop, in poll mode and before the start a call says that it would never end", "[blocking]") {
  Pair pair;
  Awaited<Errc> on_loop;
  pair.bob->post([&] {
    const auto failed = BlockingNode{*pair.bob}.receive();
    on_loop.set(failed.error().is(Errc::not_supported) ? Errc::not_supported : Errc::internal);
  });
  CHECK(on_loop.get() == Errc::not_supported);
  const auto polled = make_node(listening(RunMode::poll));
  REQUIRE(polled->start());
  CHECK(BlockingNode{*polled}.receive({}, 1h).error().is(Errc::not_supported));
  CHECK(BlockingNode{*polled}.ping(pair.bob->key(), 1h).error().is(Errc::not_supported));
  const auto idle = make_node();
  CHECK(BlockingNode{*idle}.connect(pair.bob->key(), kPort).error().is(Errc::not_supported));
}

TEST_CASE("blocking: a node that stops ends the calls that wait for it", "[blocking]") {
  for (auto round = 0; round < 5; ++round) {
    Pair pair;
    BlockingNode alice{*pair.alice};
    auto acceptor = alice.listen(kPort);
    REQUIRE(acceptor);
    auto client = BlockingNode{*pair.bob}.connect(pair.alice->key(), kPort);
    REQUIRE(client);
    auto server = acceptor->accept();
    REQUIRE(server);
    const auto nobody = PrivateKey::generate().public_key();
    std::vector<std::thread> threads;
    std::atomic<int> begun{0};
    std::atomic<int> closed{0};
    const auto wait = [&](auto call) {
      threads.emplace_back([call, &begun, &closed]() mutable {
        ++begun;
        const auto result = call();
        if (!result && result.error().is(Errc::closed)) ++closed;
      });
    };
    wait([&] { return alice.receive(); });
    wait([&] { return acceptor->accept(); });
    wait([&] { return server->receive(); });
    wait([&] { return server->write(Bytes(30'000'000)); });  // which nobody reads
    wait([&] { return alice.connect(nobody, kPort); });
    wait([&] { return alice.send(nobody, Bytes(10)); });
    wait([&] { return alice.ping(nobody, 1h); });
    while (begun < 7) std::this_thread::yield();
    pair.alice->stop();
    for (auto& thread : threads) thread.join();
    CHECK(closed == 7);
    // And it goes on ending them.
    CHECK(alice.receive().error().is(Errc::closed));
    CHECK(server->receive().error().is(Errc::closed));
    CHECK(server->drain().error().is(Errc::closed));
    CHECK(alice.listen(kPort + 1).error().is(Errc::closed));
  }
}

TEST_CASE("blocking: a session object that is destroyed, or holds nothing, ends its calls", "[blocking]") {
  BlockingSession empty;
  CHECK_FALSE(empty.valid());
  CHECK(empty.receive().error().is(Errc::closed));
  CHECK(BlockingSession{Session{}}.read().error().is(Errc::closed));
  Pair pair;
  auto acceptor = BlockingNode{*pair.alice}.listen(kPort);
  REQUIRE(acceptor);
  auto client = connect_and_wait(*pair.bob, pair.alice->key(), kPort);
  REQUIRE(client);
  // A session of the other form; what comes before it is wrapped is not missed.
  auto server = acceptor->accept();
  REQUIRE(server);
  REQUIRE(server->send(to_bytes("early")));
  server->finish();
  BlockingSession wrapped{*std::move(client)};
  const auto early = wrapped.receive();
  REQUIRE(early);
  CHECK(early->text() == "early");
  CHECK(wrapped.receive().error().is(Errc::ended));
  wrapped = BlockingSession{};
  CHECK(server->receive().error().is(Errc::ended));
}

TEST_CASE("blocking: a session of a node that has gone says so", "[blocking]") {
  Pair pair;
  auto acceptor = BlockingNode{*pair.alice}.listen(kPort);
  REQUIRE(acceptor);
  auto client = connect_and_wait(*pair.bob, pair.alice->key(), kPort);
  REQUIRE(client);
  pair.bob.reset();
  BlockingSession late{*std::move(client)};
  CHECK(late.receive().error().is(Errc::closed));
  CHECK(late.close().error().is(Errc::closed));
}

TEST_CASE("blocking: of a reader and a writer on threads of their own each gets everything, whatever the pieces", "[blocking]") {
  Pair pair;
  auto acceptor = BlockingNode{*pair.alice}.listen(kPort);
  REQUIRE(acceptor);
  auto client = BlockingNode{*pair.bob}.connect(pair.alice->key(), kPort);
  REQUIRE(client);
  auto server = acceptor->accept();
  REQUIRE(server);
  constexpr std::size_t kSize = 4'000'000;
  std::thread writer{[&] {
    std::size_t sent = 0;
    for (std::size_t piece = 1; sent < kSize; piece = piece * 3 % 70'001) {
      Bytes data(std::min(piece, kSize - sent));
      for (auto& byte : data) byte = static_cast<std::byte>(sent++ % 251);
      if (!client->write(std::move(data))) return;
    }
    client->finish();
  }};
  std::size_t got = 0;
  bool right = true;
  for (std::size_t piece = 1;; piece = piece * 5 % 60'013) {
    const auto data = server->read(piece);
    if (!data) break;
    CHECK(data->size() <= piece);
    for (const auto byte : *data) right = right && byte == static_cast<std::byte>(got++ % 251);
  }
  writer.join();
  CHECK(got == kSize);
  CHECK(right);
}
