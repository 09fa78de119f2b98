#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "network.hpp"

using namespace axl;
using namespace axl::tcpip;
using namespace axl::tcpip::test;
using namespace std::chrono_literals;

namespace {

// Both directions at once, each to its last byte.
void exchange(Network& network, Pair& pair, std::size_t size, Duration limit = 120s, std::size_t piece = 64 * 1024) {
  const auto to_server = random_bytes(11, size);
  const auto to_client = random_bytes(12, size);
  Writer up{*pair.client, to_server};
  Writer down{*pair.server, to_client};
  const auto done = [&] {
    up.go(piece);
    down.go(piece);
    return up.done() && down.done() && pair.server->count == size && pair.client->count == size;
  };
  REQUIRE(network.run(done, limit));
  CHECK(pair.server->received == to_server);
  CHECK(pair.client->received == to_client);
}

}  // namespace

TEST_CASE("tcpip: bytes arrive unchanged in both directions, whatever the two MTUs", "[tcpip]") {
  const auto left = GENERATE(std::size_t{1'280}, std::size_t{16'200}, std::size_t{65'535});
  const auto right = GENERATE(std::size_t{1'280}, std::size_t{16'200}, std::size_t{65'535});
  CAPTURE(left, right);
  Network network;
  auto& client = network.add({.mtu = left});
  auto& server = network.add({.mtu = right});
  auto pair = join(network, client, server);
  REQUIRE(pair);
  exchange(network, pair, 3'000'000);
  CHECK(std::max(client.largest, server.largest) <= std::min(left, right));
  CHECK(network.run([&] { return pair.client->connection->unsent() + pair.server->connection->unsent() == 0; }));
  CHECK(client.stack->stats().asserts == 0);
  CHECK(server.stack->stats().asserts == 0);
  CHECK(client.stack->stats().filtered == 0);
}

TEST_CASE("tcpip: bytes arrive unchanged over a link that loses and reorders", "[tcpip]") {
  const auto seed = GENERATE(1U, 2U, 3U);
  const auto mtu = GENERATE(std::size_t{1'280}, std::size_t{16'200});
  CAPTURE(seed, mtu);
  Network network{seed};
  auto& client = network.add({.mtu = mtu});
  auto& server = network.add({.mtu = mtu});
  network.link = {.delay = 5ms, .loss = 0.02, .late = 0.02};
  auto pair = join(network, client, server);
  REQUIRE(pair);
  exchange(network, pair, 1'500'000, 600s);
  CHECK(network.lost > 0);
  CHECK(client.stack->stats().asserts == 0);
  CHECK(server.stack->stats().asserts == 0);
}

TEST_CASE("tcpip: writes of a few bytes each arrive in order", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  auto pair = join(network, client, server);
  REQUIRE(pair);
  const auto packets = client.sent;
  exchange(network, pair, 50'000, 60s, 7);
  // Joined: far fewer packets than the seven thousand writes.
  CHECK(client.sent - packets < 200);
}

TEST_CASE("tcpip: an empty write sends nothing", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  auto pair = join(network, client, server);
  REQUIRE(pair);
  network.run_for(1s);
  const auto packets = client.sent;
  pair.client->connection->write(Buffer{});
  network.run_for(1s);
  CHECK(client.sent == packets);
  CHECK(pair.client->connection->unsent() == 0);
  CHECK(pair.server->count == 0);
}

TEST_CASE("tcpip: a small request and its reply need one packet each", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  auto pair = join(network, client, server);
  REQUIRE(pair);
  network.run_for(1s);
  pair.server->then = [&](ByteSpan data) { pair.server->connection->write(Buffer::copy_of(data)); };
  const auto before = client.sent + server.sent;
  const auto started = network.now;
  constexpr std::size_t kRounds = 10;
  std::size_t rounds = 0;
  pair.client->then = [&](ByteSpan data) {
    if (++rounds < kRounds) pair.client->connection->write(Buffer::copy_of(data));
  };
  pair.client->connection->write(Buffer::copy_of(random_bytes(1, 64)));
  network.turn(client);
  REQUIRE(network.run([&] { return rounds == kRounds; }));
  CHECK(client.sent + server.sent - before == 2 * kRounds);
  CHECK(network.now - started == kRounds * 2 * network.link.delay);  // no acknowledgement was waited for
}

TEST_CASE("tcpip: the writer hears when it may go on and when all is acknowledged", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  auto pair = join(network, client, server);
  REQUIRE(pair);
  auto& connection = *pair.client->connection;
  const auto mark = connection.high_mark();
  CHECK(mark >= 256 * 1024);
  connection.write(Buffer::copy_of(random_bytes(1, mark + 1)));
  CHECK(connection.unsent() == mark + 1);
  CHECK(pair.client->writable == 0);
  REQUIRE(network.run([&] { return pair.client->drained > 0; }));
  CHECK(pair.client->writable == 2);  // below that mark, and below what keeps it busy
  CHECK(pair.client->drained == 1);
  CHECK(connection.unsent() == 0);
  CHECK(pair.server->count == mark + 1);
  // And not when it had never been above the mark.
  connection.write(Buffer::copy_of(random_bytes(1, 1000)));
  REQUIRE(network.run([&] { return pair.client->drained == 2; }));
  CHECK(pair.client->writable == 2);
}

TEST_CASE("tcpip: an idle connection needs no tick but one a second", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  CHECK_FALSE(client.stack->next_tick());
  auto pair = join(network, client, server);
  REQUIRE(pair);
  network.run_for(1s);
  const auto next = client.stack->next_tick();
  REQUIRE(next);
  network.run_for(*next - network.now + 1ms);
  REQUIRE(client.stack->next_tick());
  CHECK(*client.stack->next_tick() - *next >= 1s);
}

TEST_CASE("tcpip: the host is told when a connection is used outside of its turn, and not in it", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  auto pair = join(network, client, server);
  REQUIRE(pair);
  network.run_for(1s);

  auto before = client.told;
  pair.client->connection->write(Buffer::copy_of(as_bytes("a")));
  pair.client->connection->write(Buffer::copy_of(as_bytes("b")));
  CHECK(client.told == before + 1);
  CHECK(client.stack->next_tick() <= network.now);

  before = server.told;
  pair.server->then = [&](ByteSpan data) { pair.server->connection->write(Buffer::copy_of(data)); };
  REQUIRE(network.run([&] { return pair.client->count == 2; }));
  CHECK(server.told == before);
}
