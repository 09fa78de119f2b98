#include <catch2/catch_test_macros.hpp>

#include "network.hpp"

using namespace axl;
using namespace axl::tcpip;
using namespace axl::tcpip::test;
using namespace std::chrono_literals;

namespace {
void open_gate(Network& network, Host& host) {
  host.blocked = false;
  host.stack->on_output_ready(network.now);
  host.stack->run_handlers();
}
}  // namespace

TEST_CASE("tcpip: a blocked way freezes the connection, and then it goes on at full speed", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  auto pair = join(network, client, server);
  REQUIRE(pair);
  const auto bytes = random_bytes(1, 6'000'000);
  Writer writer{*pair.client, bytes};
  REQUIRE(network.run([&] {
    writer.go();
    return pair.server->count > 1'000'000;
  }));
  client.blocked = true;
  network.run_for(100ms);
  server.blocked = true;
  const auto stopped_at = pair.server->count;
  const auto refused = client.refused;
  network.run_for(10s);
  CHECK(pair.server->count == stopped_at);
  CHECK(client.refused - refused <= 10);  // one trial a second
  network.run_for(1h);                    // longer than any retry would last
  CHECK(pair.client->closed == 0);
  open_gate(network, server);
  open_gate(network, client);
  const auto started = network.now;
  REQUIRE(network.run([&] {
    writer.go();
    return pair.server->count == bytes.size();
  }));
  CHECK(pair.server->received == bytes);
  CHECK(network.now - started < 200ms);  // the congestion window had not collapsed
}

TEST_CASE("tcpip: acknowledgements that could not leave are made up for", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  auto pair = join(network, client, server);
  REQUIRE(pair);
  server.blocked = true;
  pair.client->connection->write(Buffer::copy_of(random_bytes(1, 1'000)));
  network.turn(client);
  network.run_for(100ms);
  CHECK(pair.client->connection->unsent() == 1'000);
  open_gate(network, server);
  const auto started = network.now;
  REQUIRE(network.run([&] { return pair.client->connection->unsent() == 0; }));
  CHECK(network.now - started <= 2 * network.link.delay);
}

TEST_CASE("tcpip: packets are offered again after on_output_ready, else once a second", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  auto pair = join(network, client, server);
  REQUIRE(pair);
  network.run_for(1s);
  client.blocked = true;
  pair.client->connection->write(Buffer::copy_of(random_bytes(1, 1'000)));
  network.turn(client);
  CHECK(client.refused == 1);
  network.run_for(500ms);
  CHECK(client.refused == 1);
  client.blocked = false;
  network.run_for(300ms);
  CHECK(pair.server->count == 0);
  SECTION("the host says so") {
    client.stack->on_output_ready(network.now);
    REQUIRE(network.run([&] { return pair.server->count == 1'000; }, 2ms));
  }
  SECTION("the host says nothing") {
    REQUIRE(network.run([&] { return pair.server->count == 1'000; }, 300ms));
  }
}

TEST_CASE("tcpip: all connections with a peer move again, each in its turn", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  std::vector<Pair> pairs;
  for (int i = 0; i < 5; ++i) {
    pairs.push_back(join(network, client, server));
    REQUIRE(pairs.back());
    pairs.back().client->connection->write(Buffer::copy_of(random_bytes(1, 1'000'000)));
  }
  client.blocked = true;
  network.turn(client);
  network.run_for(5s);
  open_gate(network, client);
  REQUIRE(network.run([&] {
    for (const auto& pair : pairs) {
      if (pair.server->count != 1'000'000) return false;
    }
    return true;
  }));
}

TEST_CASE("tcpip: a connect over a blocked way waits for it", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  std::unique_ptr<Connection> accepted;
  REQUIRE(server.stack->listen(7000, [&](auto connection) { accepted = std::move(connection); }));
  client.sessions.insert(server.key);
  client.blocked = true;
  std::unique_ptr<Connection> connected;
  client.stack->connect(server.key, 7000, 60s, [&](auto result) {
    REQUIRE(result);
    connected = std::move(*result);
  });
  client.stack->run_handlers();
  network.run_for(30s);
  CHECK(client.sent == 0);
  open_gate(network, client);
  REQUIRE(network.run([&] { return connected && accepted; }, 100ms));
}

TEST_CASE("tcpip: a host may call back out of send_packet", "[tcpip]") {
  // A node whose packets to itself come back at once, from inside.
  class Loop final : public StackHost {
   public:
    bool send_packet(const PublicKey& dest, Buffer& packet) override {
      stack->input(dest, std::move(packet), Time{});
      stack->on_output_ready(Time{});
      return true;
    }
    void open_session(const PublicKey& key) override {
      up = true;
      stack->on_session_up(key, Time{});
    }
    bool session_is_up(const PublicKey&) override { return up; }
    bool up = false;
    Stack* stack = nullptr;
  };
  Loop loop;
  crypto::SeededRng rng{1};
  Stack stack{{}, key_of(1), rng, loop, {}, Time{}};
  loop.stack = &stack;
  Reader server;
  Reader client;
  REQUIRE(stack.listen(7000, [&](auto connection) { server.take(std::move(connection)); }));
  stack.connect(key_of(1), 7000, 5s, [&](auto result) {
    REQUIRE(result);
    client.take(std::move(*result));
    client.connection->write(Buffer::copy_of(random_bytes(1, 1'000'000)));
    client.connection->shutdown_send();
  });
  for (int i = 0; i < 1'000 && !server.ended; ++i) stack.run_handlers();
  CHECK(server.ended);
  CHECK(server.received == random_bytes(1, 1'000'000));
  CHECK(stack.stats().asserts == 0);
}

TEST_CASE("tcpip: when the way opens for a moment, what is small does not wait for bulk", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  auto bulk = join(network, client, server, 7000);
  auto small = join(network, client, server, 7001);
  REQUIRE(bulk);
  REQUIRE(small);
  network.run_for(1s);
  bulk.client->connection->write(Buffer::copy_of(random_bytes(1, 4'000'000)));
  client.on_send = [&](ByteSpan) { client.blocked = true; };  // room for one packet each time
  open_gate(network, client);
  for (int i = 0; i < 5; ++i) {
    const auto before = small.server->count;
    small.client->connection->write(Buffer::copy_of(random_bytes(2, 500)));
    network.turn(client);
    open_gate(network, client);
    REQUIRE(client.blocked);
    network.run_for(100ms);
    CHECK(small.server->count == before + 500);
  }
  CHECK(bulk.server->count < 4'000'000);
}

TEST_CASE("tcpip: bulk moves also while what is small would take all the room", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  auto bulk = join(network, client, server, 7000);
  auto small = join(network, client, server, 7001);
  REQUIRE(bulk);
  REQUIRE(small);
  network.run_for(1s);
  client.on_send = [&](ByteSpan) { client.blocked = true; };
  client.blocked = true;
  bulk.client->connection->write(Buffer::copy_of(random_bytes(1, 4'000'000)));
  for (int i = 0; i < 40; ++i) {
    small.client->connection->write(Buffer::copy_of(random_bytes(2, 500)));
    network.turn(client);
    open_gate(network, client);
    network.run_for(100ms);
  }
  CHECK(bulk.server->count > 0);
  CHECK(small.server->count > 500 * 30);
}
