#include <catch2/catch_test_macros.hpp>

#include "network.hpp"

using namespace axl;
using namespace axl::tcpip;
using namespace axl::tcpip::test;
using namespace std::chrono_literals;

TEST_CASE("tcpip: a reader that does not read costs one window", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  auto pair = join(network, client, server);
  REQUIRE(pair);
  pair.server->connection->pause_reading();
  const auto bytes = random_bytes(1, 4'000'000);
  pair.client->connection->write(Buffer::copy_of(bytes));
  network.turn(client);
  network.run_for(20s);
  const auto taken = bytes.size() - pair.client->connection->unsent();
  CHECK(taken >= 64 * 1024);
  CHECK(taken <= 80 * 1024);
  // Nothing is lost by the wait, however long.
  network.run_for(600s);
  CHECK(pair.client->closed == 0);
  pair.server->connection->resume_reading();
  network.turn(server);
  REQUIRE(network.run([&] { return pair.server->count == bytes.size(); }));
  CHECK(pair.server->received == bytes);
}

TEST_CASE("tcpip: the window grows for a fast reader until it fills a long path", "[tcpip]") {
  Network network;
  network.link.delay = 25ms;  // a round trip of 50 ms
  auto& client = network.add();
  auto& server = network.add();
  auto pair = join(network, client, server);
  REQUIRE(pair);
  pair.server->keep = false;
  const auto bytes = random_bytes(1, 8'000'000);
  Writer writer{*pair.client, bytes};
  const auto started = network.now;
  // 128 KiB a round trip would take three seconds.
  REQUIRE(network.run([&] {
    writer.go();
    return pair.server->count == bytes.size();
  }));
  CHECK(network.now - started < 800ms);
  CHECK(pair.client->connection->high_mark() > 1024 * 1024);
  // Once it is open, six megabytes fit into one round trip.
  pair.server->count = 0;
  Writer again{*pair.client, bytes};
  const auto second = network.now;
  REQUIRE(network.run([&] {
    again.go();
    return pair.server->count == bytes.size();
  }));
  CHECK(network.now - second < 250ms);
}

TEST_CASE("tcpip: the window stays small for a conversation of small messages", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  auto pair = join(network, client, server);
  REQUIRE(pair);
  pair.server->then = [&](ByteSpan data) { pair.server->connection->write(Buffer::copy_of(data)); };
  pair.client->then = [&](ByteSpan data) {
    if (pair.client->count < 2'000'000) pair.client->connection->write(Buffer::copy_of(data));
  };
  pair.client->connection->write(Buffer::copy_of(random_bytes(1, 1'000)));
  network.turn(client);
  REQUIRE(network.run([&] { return pair.client->count >= 2'000'000; }));
  pair.server->connection->pause_reading();
  pair.client->connection->write(Buffer::copy_of(random_bytes(1, 4'000'000)));
  network.turn(client);
  network.run_for(5s);
  CHECK(4'000'000 - pair.client->connection->unsent() <= 80 * 1024);
}

TEST_CASE("tcpip: where the path is short, what a reader takes at first is no reason to offer more", "[tcpip]") {
  for (const auto& [taken, most] : {std::pair{1'000'000U, 80U}, std::pair{40'000'000U, 160U}}) {
    const auto before = taken;  // a lambda has no use of the name above in clang 14
    Network network;
    network.link.delay = 100us;
    auto& client = network.add();
    auto& server = network.add();
    auto pair = join(network, client, server);
    REQUIRE(pair);
    pair.server->keep = false;
    const auto bytes = random_bytes(1, before);
    Writer writer{*pair.client, bytes};
    REQUIRE(network.run([&] {
      writer.go();
      return pair.server->count == before;
    }));
    pair.server->connection->pause_reading();
    pair.client->connection->write(Buffer::copy_of(random_bytes(2, 4'000'000)));
    network.turn(client);
    network.run_for(5s);
    CHECK(4'000'000 - pair.client->connection->unsent() <= most * 1024);
  }
}

namespace {

// What the peer may send while the reader stands still.
std::size_t window_of(Network& network, Host& sender, Pair& pair) {
  pair.server->connection->pause_reading();
  pair.client->connection->write(Buffer::copy_of(random_bytes(2, 4'000'000)));
  network.turn(sender);
  network.run_for(5s);
  return 4'000'000 - pair.client->connection->unsent();
}

// How long a body takes whose reader says its size when the first of it is there; all of it arrives.
Duration time_of_expected(Network& network, Host& sender, Pair& pair, std::size_t size) {
  pair.server->then = [&](ByteSpan data) {
    if (pair.server->count == data.size()) pair.server->connection->expect(size);
  };
  pair.client->connection->write(Buffer::copy_of(random_bytes(1, size)));
  const auto started = network.now;
  network.turn(sender);
  REQUIRE(network.run([&] { return pair.server->count == size; }));
  pair.server->then = {};
  return network.now - started;
}

}  // namespace

TEST_CASE("tcpip: what a reader expects comes without waiting for it, and no more than that", "[tcpip]") {
  Network network;
  network.link.delay = 25ms;
  auto& client = network.add();
  auto& server = network.add();
  auto pair = join(network, client, server);
  REQUIRE(pair);
  constexpr std::size_t kSize = 1'000'000;
  CHECK(time_of_expected(network, client, pair, kSize) < 250ms);  // three round trips and a half while the sender's own window opens
  CHECK(pair.server->received == random_bytes(1, kSize));
  // The next one, soon after, goes in one round trip; much later the window is an ordinary one again.
  const auto next = network.now;
  pair.client->connection->write(Buffer::copy_of(random_bytes(2, kSize - 100'000)));
  network.turn(client);
  REQUIRE(network.run([&] { return pair.server->count == 2 * kSize - 100'000; }));
  CHECK(network.now - next < 60ms);
  network.run_for(1s);
  for (int i = 0; i < 20; ++i) {
    const auto already = pair.server->count;
    pair.client->connection->write(Buffer::copy_of(random_bytes(3, 50'000)));
    network.turn(client);
    REQUIRE(network.run([&] { return pair.server->count == already + 50'000; }));
  }
  const auto before = pair.server->count;
  CHECK(window_of(network, client, pair) <= 160 * 1024);
  CHECK(pair.server->count == before);
}

TEST_CASE("tcpip: on a long path the window grows beyond what is lent", "[tcpip]") {
  Network network;
  network.link.delay = 25ms;
  auto& client = network.add();
  auto& server = network.add();
  auto pair = join(network, client, server);
  REQUIRE(pair);
  pair.server->keep = false;
  constexpr std::size_t kSize = 15'000'000;
  CHECK(time_of_expected(network, client, pair, kSize) < 600ms);  // with a megabyte a round trip it would be more than 750 ms
}

TEST_CASE("tcpip: a reader that expects much and then stands still is offered no more", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  auto pair = join(network, client, server);
  REQUIRE(pair);
  pair.server->connection->expect(1'000'000);
  CHECK(window_of(network, client, pair) <= 1'000'000);  // for five seconds
  pair.server->connection->resume_reading();
  network.turn(server);
  REQUIRE(network.run([&] { return pair.server->count >= 2'000'000; }));
  const auto before = pair.server->count;
  pair.server->connection->pause_reading();
  network.run_for(5s);
  CHECK(pair.client->connection->unsent() >= 4'000'000 - before - 512 * 1024);  // what it may have grown to since
}

TEST_CASE("tcpip: larger windows are lent within bounds, and come back with the connection", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add({.max_lent = 500'000, .max_lent_per_peer = 400'000});
  for (int round = 0; round < 2; ++round) {  // what the first took is there again
    auto first = join(network, client, server, 7001);
    auto second = join(network, client, server, 7002);
    REQUIRE(first);
    REQUIRE(second);
    first.server->connection->expect(380'000);
    second.server->connection->expect(380'000);
    const auto large = window_of(network, client, first);
    CHECK(large > 340'000);
    CHECK(large <= 380'000);
    CHECK(window_of(network, client, second) <= 400'000 - (380'000 - 80 * 1024) + 80 * 1024);
    auto& other = network.add();
    auto third = join(network, other, server, 7003);
    REQUIRE(third);
    third.server->connection->expect(380'000);
    CHECK(window_of(network, other, third) <= 100'000 + 80 * 1024);
    for (auto* pair : {&first, &second, &third}) pair->server->connection->abort();
    network.turn(server);
    network.run_for(1s);
    for (const auto port : {7001, 7002, 7003}) server.stack->stop_listening(static_cast<std::uint16_t>(port));
  }
}

TEST_CASE("tcpip: a window that was plenty grows when the path has become longer", "[tcpip]") {
  Network network;
  network.link.delay = 100us;
  auto& client = network.add();
  auto& server = network.add();
  auto pair = join(network, client, server);
  REQUIRE(pair);
  pair.server->keep = false;
  const auto bytes = random_bytes(1, 8'000'000);
  const auto carry = [&] {
    const auto started = network.now;
    const auto before = pair.server->count;
    pair.server->connection->write(Buffer::copy_of(random_bytes(1, 100)));  // as a request goes before an answer
    network.turn(server);
    Writer writer{*pair.client, bytes};
    REQUIRE(network.run([&] {
      writer.go();
      return pair.server->count - before == bytes.size();
    }));
    return network.now - started;
  };
  carry();
  network.link.delay = 25ms;
  network.run_for(60s);
  CHECK(carry() < 1500ms);  // a window of 128 KiB would take three seconds
  CHECK(carry() < 500ms);
}

TEST_CASE("tcpip: a writer is told how much keeps the connection busy", "[tcpip]") {
  Network network;
  network.link.delay = 25ms;
  auto& client = network.add();
  auto& server = network.add();
  auto pair = join(network, client, server);
  REQUIRE(pair);
  pair.server->keep = false;
  auto& connection = *pair.client->connection;
  CHECK(connection.enough() == 64 * 1024);
  const auto bytes = random_bytes(1, 16'000'000);
  std::size_t written = 0;
  const auto started = network.now;
  REQUIRE(network.run([&] {  // a writer that holds no more than that
    while (written < bytes.size() && connection.unsent() <= connection.enough()) {
      const auto count = std::min<std::size_t>(64'000, bytes.size() - written);
      connection.write(Buffer::copy_of(ByteSpan{bytes}.subspan(written, count)));
      written += count;
    }
    network.turn(client);
    return pair.server->count == bytes.size();
  }));
  CHECK(network.now - started < 1s);  // and fills the path all the same
  CHECK(connection.enough() > 1024 * 1024);
  pair.server->connection->pause_reading();
  connection.write(Buffer::copy_of(random_bytes(2, 16'000'000)));
  network.turn(client);
  network.run_for(5s);
  CHECK(connection.enough() == 64 * 1024);  // the reader takes nothing: no more is needed
}

TEST_CASE("tcpip: the window does not grow beyond the configured one", "[tcpip]") {
  Network network;
  network.link.delay = 25ms;
  auto& client = network.add();
  auto& server = network.add({.initial_window = 128 * 1024, .max_window = 256 * 1024});
  auto pair = join(network, client, server);
  REQUIRE(pair);
  const auto bytes = random_bytes(1, 8'000'000);
  Writer writer{*pair.client, bytes};
  const auto started = network.now;
  REQUIRE(network.run([&] {
    writer.go();
    return pair.server->count == bytes.size();
  }));
  CHECK(network.now - started > 50ms * (8'000'000 / (256 * 1024)));
}

TEST_CASE("tcpip: a reader that was fast and stops is offered less again", "[tcpip]") {
  Network network;
  network.link.delay = 20ms;
  auto& client = network.add();
  auto& server = network.add();
  auto pair = join(network, client, server);
  REQUIRE(pair);
  pair.server->keep = false;
  const auto bytes = random_bytes(1, 20'000'000);
  Writer writer{*pair.client, bytes};
  REQUIRE(network.run([&] {
    writer.go();
    return writer.done() && pair.client->connection->unsent() == 0;
  }));
  pair.server->connection->pause_reading();
  pair.client->connection->write(Buffer::copy_of(bytes));
  network.turn(client);
  network.run_for(3s);
  const auto first_stop = bytes.size() - pair.client->connection->unsent();
  CHECK(first_stop > 1024 * 1024);
  CHECK(first_stop <= 8 * 1024 * 1024);
  // It takes what lay there, and stops at once.
  pair.server->then = [&](ByteSpan) {
    if (pair.server->count >= 20'000'000 + first_stop) pair.server->connection->pause_reading();
  };
  pair.server->connection->resume_reading();
  network.turn(server);
  network.run_for(3s);
  const auto second_stop = bytes.size() - pair.client->connection->unsent();
  CHECK(second_stop - first_stop <= 256 * 1024);
  pair.server->then = nullptr;
  pair.server->connection->resume_reading();
  network.turn(server);
  REQUIRE(network.run([&] { return pair.server->count == 40'000'000; }));
}

TEST_CASE("tcpip: a lost packet stalls a stream for a third of a second, not more", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  auto pair = join(network, client, server);
  REQUIRE(pair);
  const auto warm = random_bytes(1, 2'000'000);
  Writer writer{*pair.client, warm};
  REQUIRE(network.run([&] {
    writer.go();
    return writer.done() && pair.client->connection->unsent() == 0;
  }));
  network.run_for(1s);
  network.link.loss = 1;
  pair.client->connection->write(Buffer::copy_of(random_bytes(2, 100)));
  network.turn(client);
  const auto started = network.now;
  network.link.loss = 0;
  REQUIRE(network.run([&] { return pair.server->count == warm.size() + 100; }));
  CHECK(network.now - started >= 250ms);  // the floor: below lies TCP, where loss is delay
  CHECK(network.now - started <= 400ms);
}
