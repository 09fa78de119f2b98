#include <catch2/catch_test_macros.hpp>

#include "network.hpp"

using namespace axl;
using namespace axl::tcpip;
using namespace axl::tcpip::test;
using namespace std::chrono_literals;

namespace {

// Counts RST segments that a host sends.
void count_resets(Host& host, int& resets) {
  host.on_send = [&resets](ByteSpan packet) {
    if (packet.size() > 53 && packet[6] == std::byte{6} && (packet[53] & std::byte{4}) != std::byte{0}) ++resets;
  };
}

}  // namespace

TEST_CASE("tcpip: after shutdown_send the other direction goes on, and both ends close in order", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  int resets = 0;
  count_resets(client, resets);
  count_resets(server, resets);
  auto pair = join(network, client, server);
  REQUIRE(pair);
  const auto request = random_bytes(1, 300'000);
  const auto reply = random_bytes(2, 400'000);
  pair.client->connection->write(Buffer::copy_of(request));
  pair.client->connection->shutdown_send();
  network.turn(client);
  REQUIRE(network.run([&] { return pair.server->ended; }));
  CHECK(pair.server->received == request);
  CHECK(pair.server->closed == 0);
  network.run_for(150s);  // half closed for long, and kept
  CHECK(pair.server->closed == 0);
  CHECK(pair.client->closed == 0);
  pair.server->connection->write(Buffer::copy_of(reply));
  pair.server->connection->shutdown_send();
  network.turn(server);
  REQUIRE(network.run([&] { return pair.client->closed == 1 && pair.server->closed == 1; }));
  CHECK(pair.client->received == reply);
  CHECK(pair.client->ended);
  CHECK_FALSE(pair.client->failure);
  CHECK_FALSE(pair.server->failure);
  CHECK(resets == 0);
}

TEST_CASE("tcpip: both ends closing at once is orderly", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  auto pair = join(network, client, server);
  REQUIRE(pair);
  network.run_for(1s);
  pair.client->connection->close();
  pair.server->connection->close();
  network.turn(client);
  network.turn(server);
  const auto started = network.now;
  REQUIRE(network.run([&] { return pair.client->closed == 1 && pair.server->closed == 1; }));
  CHECK(network.now - started < 100ms);
  CHECK_FALSE(pair.client->failure);
  CHECK_FALSE(pair.server->failure);
  network.run_for(3s);
  CAPTURE((*client.stack->next_tick() - network.now).count(), client.stack->stats().connections,
          server.stack->stats().connections);
  CHECK_FALSE(client.stack->next_tick());
}

TEST_CASE("tcpip: close delivers what is queued although bytes are unread, and sends no reset", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  int resets = 0;
  count_resets(client, resets);
  count_resets(server, resets);
  auto pair = join(network, client, server);
  REQUIRE(pair);
  // The client never reads, the server has filled its window: stock lwIP would reset here.
  pair.client->connection->pause_reading();
  pair.server->connection->write(Buffer::copy_of(random_bytes(1, 1'000'000)));
  network.turn(server);
  network.run_for(1s);
  const auto message = random_bytes(2, 2'000'000);
  pair.client->connection->write(Buffer::copy_of(message));
  pair.client->connection->close();
  network.turn(client);
  REQUIRE(network.run([&] { return pair.server->ended; }));
  CHECK(pair.server->received == message);
  REQUIRE(network.run([&] { return pair.client->closed == 1; }));
  CHECK_FALSE(pair.client->failure);
  CHECK(pair.client->count == 0);
  // The server's own bytes were taken and thrown away, so that it comes to its end as well.
  pair.server->connection->close();
  network.turn(server);
  REQUIRE(network.run([&] { return pair.server->closed == 1; }));
  CHECK_FALSE(pair.server->failure);
  CHECK(resets == 0);
  network.run_for(5s);
  CHECK(client.stack->stats().connections == 0);
  CHECK(server.stack->stats().connections == 0);
}

TEST_CASE("tcpip: a connection destroyed after close still delivers", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  network.link = {.delay = 5ms, .loss = 0.05};
  auto pair = join(network, client, server);
  REQUIRE(pair);
  const auto message = random_bytes(2, 2'000'000);
  pair.client->connection->write(Buffer::copy_of(message));
  pair.client->connection->close();
  pair.client.reset();
  network.turn(client);
  REQUIRE(network.run([&] { return pair.server->ended; }));
  CHECK(pair.server->received == message);
  pair.server->connection->close();
  network.turn(server);
  network.run_for(10s);
  CHECK(client.stack->stats().connections == 0);
}

TEST_CASE("tcpip: a close that cannot deliver gives up after the linger time", "[tcpip]") {
  Network network;
  auto& client = network.add({.linger = 5s});
  auto& server = network.add();
  auto pair = join(network, client, server);
  REQUIRE(pair);
  network.link.loss = 1;
  pair.client->connection->write(Buffer::copy_of(random_bytes(2, 1'000)));
  pair.client->connection->close();
  network.turn(client);
  const auto started = network.now;
  REQUIRE(network.run([&] { return pair.client->closed == 1; }));
  CHECK(network.now - started > 4'900ms);
  CHECK(network.now - started <= 5s);
  REQUIRE(pair.client->failure);
  CHECK(pair.client->failure->is(Errc::timed_out));
  CHECK(client.stack->stats().connections == 0);
}

TEST_CASE("tcpip: a peer that never closes is left after the linger time", "[tcpip]") {
  Network network;
  auto& client = network.add({.linger = 5s});
  auto& server = network.add();
  auto pair = join(network, client, server);
  REQUIRE(pair);
  pair.client->connection->close();
  network.turn(client);
  REQUIRE(network.run([&] { return pair.client->closed == 1; }, 1s));  // for its owner it is closed at once
  CHECK_FALSE(pair.client->failure);
  network.run_for(6s);
  CHECK(client.stack->stats().connections == 0);
  CHECK(pair.server->closed == 1);
  CHECK(pair.server->failure);
}

TEST_CASE("tcpip: abort resets the peer, which still reads what had come", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  auto pair = join(network, client, server);
  REQUIRE(pair);
  pair.server->connection->pause_reading();
  pair.client->connection->write(Buffer::copy_of(random_bytes(2, 1'000)));
  network.turn(client);
  network.run_for(100ms);
  pair.client->connection->abort();
  network.turn(client);
  CHECK(pair.client->closed == 1);
  network.run_for(100ms);
  CHECK(pair.server->closed == 0);
  pair.server->connection->resume_reading();
  network.turn(server);
  CHECK(pair.server->received == random_bytes(2, 1'000));
  CHECK(pair.server->closed == 1);
  REQUIRE(pair.server->failure);
  CHECK(pair.server->failure->text() == "connection was reset by the peer");
  CHECK(client.stack->stats().connections == 0);
  CHECK(server.stack->stats().connections == 0);
}

TEST_CASE("tcpip: a reset that cannot leave at once leaves when there is room", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  auto pair = join(network, client, server);
  REQUIRE(pair);
  network.run_for(1s);
  client.blocked = true;
  pair.client->connection->abort();
  network.turn(client);
  network.run_for(1s);
  CHECK(pair.server->closed == 0);
  client.blocked = false;
  client.stack->on_output_ready(network.now);
  REQUIRE(network.run([&] { return pair.server->closed == 1; }, 1s));
}

TEST_CASE("tcpip: a dead peer is noticed on an idle connection", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  auto pair = join(network, client, server);
  REQUIRE(pair);
  network.run_for(300s);
  CHECK(pair.client->closed == 0);  // a live one answers
  network.link.loss = 1;
  REQUIRE(network.run([&] { return pair.client->closed == 1; }, 200s));
  REQUIRE(pair.client->failure);
  CHECK(pair.client->failure->is(Errc::timed_out));
}

TEST_CASE("tcpip: TIME_WAIT is short and its list is bounded", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  std::vector<std::unique_ptr<Reader>> served;
  REQUIRE(server.stack->listen(7000, [&](auto connection) {
    served.push_back(std::make_unique<Reader>());
    auto* raw = served.back().get();
    raw->at_end = [raw] { raw->connection->close(); };
    raw->take(std::move(connection));
  }));
  std::vector<std::unique_ptr<Reader>> readers;
  constexpr std::size_t kCount = 600;
  std::size_t most = 0;
  for (std::size_t i = 0; i < kCount; ++i) {
    client.stack->connect(server.key, 7000, 5s, [&](auto result) {
      REQUIRE(result);
      readers.push_back(std::make_unique<Reader>());
      readers.back()->take(std::move(*result));
      readers.back()->connection->close();
    });
    client.stack->run_handlers();
    network.run_for(1ms);
    most = std::max(most, client.stack->stats().time_wait);
  }
  REQUIRE(network.run([&] { return served.size() == kCount && client.stack->stats().connections == 0; }));
  CHECK(most > 200);
  CHECK(most < 256 + 30);  // trimmed at every tick
  network.run_for(3s);
  CHECK(client.stack->stats().time_wait == 0);
  CHECK_FALSE(client.stack->next_tick());
}
