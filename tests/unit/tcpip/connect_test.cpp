#include <catch2/catch_test_macros.hpp>

#include <algorithm>

#include "network.hpp"

using namespace axl;
using namespace axl::tcpip;
using namespace axl::tcpip::test;
using namespace std::chrono_literals;

namespace {

// What a connect came to; its connection, if any, is kept.
struct Outcome {
  bool called = false;
  std::optional<Error> error;
  std::unique_ptr<Connection> connection;
};

void connect(Host& from, const PublicKey& to, std::uint16_t port, Outcome& outcome, Duration timeout = 10s) {
  from.stack->connect(to, port, timeout, [&outcome](auto result) {
    CHECK_FALSE(outcome.called);
    outcome.called = true;
    if (result) {
      outcome.connection = std::move(*result);
    } else {
      outcome.error = result.error();
    }
  });
  from.stack->run_handlers();
}

}  // namespace

TEST_CASE("tcpip: both ends know each other's full key and the ports", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  auto pair = join(network, client, server, 7001);
  REQUIRE(pair);
  CHECK(pair.client->connection->peer() == server.key);
  CHECK(pair.server->connection->peer() == client.key);
  CHECK(pair.client->connection->remote_port() == 7001);
  CHECK(pair.server->connection->local_port() == 7001);
  CHECK(pair.server->connection->remote_port() == pair.client->connection->local_port());
  CHECK(client.stack->stats().connections == 1);
  CHECK(server.stack->stats().connections == 1);
}

TEST_CASE("tcpip: a port where nobody listens refuses", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  Outcome outcome;
  connect(client, server.key, 7000, outcome);
  REQUIRE(network.run([&] { return outcome.called; }));
  REQUIRE(outcome.error);
  CHECK(outcome.error->is(Errc::refused));
  CHECK(outcome.error->text() == "connection was refused");
  CHECK(network.now.time_since_epoch() < 100ms);
  CHECK(client.stack->stats().connections == 0);
}

TEST_CASE("tcpip: a connect without a session times out, having asked every second", "[tcpip]") {
  Network network;
  auto& client = network.add();
  client.silent = true;
  Outcome outcome;
  connect(client, key_of(99), 7000, outcome, 5s);
  REQUIRE(network.run([&] { return outcome.called; }));
  REQUIRE(outcome.error);
  CHECK(outcome.error->is(Errc::timed_out));
  CHECK(outcome.error->text() == "operation timed out");
  CHECK(network.now.time_since_epoch() == 5s);
  CHECK(client.asked == 5);
  CHECK(client.sent == 0);  // no SYN before the session
  CHECK(client.stack->stats().connections == 0);
  CHECK_FALSE(client.stack->next_tick());
}

TEST_CASE("tcpip: a connect whose SYN is never answered lasts as long as it was told to", "[tcpip]") {
  Network network;
  auto& client = network.add();
  client.sessions.insert(key_of(99));
  Outcome outcome;
  connect(client, key_of(99), 7000, outcome, 60s);
  REQUIRE(network.run([&] { return outcome.called; }, 120s));
  REQUIRE(outcome.error);
  CHECK(outcome.error->is(Errc::timed_out));
  CHECK(network.now.time_since_epoch() >= 60s);
  CHECK(network.now.time_since_epoch() < 61s);
  CHECK(client.sent > 50);  // a SYN a second
  CHECK(client.stack->stats().connections == 0);
}

TEST_CASE("tcpip: the host can end a connect that waits, with its own reason", "[tcpip]") {
  Network network;
  auto& client = network.add();
  client.silent = true;
  Outcome outcome;
  Outcome other;
  connect(client, key_of(99), 7000, outcome);
  connect(client, key_of(98), 7000, other);
  client.stack->on_connect_failed(key_of(99), Error{Errc::key_mismatch, "another key answered"});
  client.stack->run_handlers();
  REQUIRE(outcome.error);
  CHECK(outcome.error->is(Errc::key_mismatch));
  CHECK(outcome.error->text() == "another key answered");
  CHECK_FALSE(other.called);
}

TEST_CASE("tcpip: a thousand connections in sequence find ports and leave nothing", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  std::map<Connection*, std::unique_ptr<Reader>> served;
  REQUIRE(server.stack->listen(7000, [&](std::unique_ptr<Connection> connection) {
    auto reader = std::make_unique<Reader>();
    auto* raw = reader.get();
    auto* id = connection.get();
    reader->then = [raw](ByteSpan data) { raw->connection->write(Buffer::copy_of(data)); };
    reader->at_end = [raw] { raw->connection->close(); };
    reader->take(std::move(connection));
    served.emplace(id, std::move(reader));
  }));
  for (int i = 0; i < 1'000; ++i) {
    Outcome outcome;
    connect(client, server.key, 7000, outcome);
    REQUIRE(network.run([&] { return outcome.called; }));
    REQUIRE(outcome.connection);
    Reader reader;
    reader.take(std::move(outcome.connection));
    reader.connection->write(Buffer::copy_of(random_bytes(1, 100)));
    reader.connection->shutdown_send();
    network.turn(client);
    REQUIRE(network.run([&] { return reader.closed > 0; }));
    CHECK_FALSE(reader.failure);
    CHECK(reader.count == 100);
    std::erase_if(served, [](const auto& entry) { return entry.second->closed > 0; });
  }
  network.run_for(5s);
  served.clear();
  CHECK(client.stack->stats().connections == 0);
  CHECK(server.stack->stats().connections == 0);
  CHECK_FALSE(client.stack->next_tick());
  CHECK_FALSE(server.stack->next_tick());
  CHECK(client.stack->stats().asserts + server.stack->stats().asserts == 0);
}

TEST_CASE("tcpip: two hundred connections at once keep their bytes apart", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  std::vector<std::unique_ptr<Reader>> served;
  REQUIRE(server.stack->listen(7000, [&](std::unique_ptr<Connection> connection) {
    served.push_back(std::make_unique<Reader>());
    auto* raw = served.back().get();
    raw->then = [raw](ByteSpan data) { raw->connection->write(Buffer::copy_of(data)); };
    raw->take(std::move(connection));
  }));
  constexpr std::size_t kCount = 200;
  std::vector<Outcome> outcomes(kCount);
  for (auto& outcome : outcomes) connect(client, server.key, 7000, outcome);
  const auto all_called = [&] { return std::ranges::all_of(outcomes, &Outcome::called); };
  REQUIRE(network.run(all_called));
  std::vector<std::unique_ptr<Reader>> readers;
  for (std::size_t i = 0; i < kCount; ++i) {
    REQUIRE(outcomes[i].connection);
    readers.push_back(std::make_unique<Reader>());
    readers.back()->take(std::move(outcomes[i].connection));
    readers.back()->connection->write(Buffer::copy_of(random_bytes(i, 10'000 + i)));
  }
  const auto all_back = [&] {
    for (std::size_t i = 0; i < kCount; ++i) {
      if (readers[i]->count < 10'000 + i) return false;
    }
    return true;
  };
  REQUIRE(network.run(all_back));
  for (std::size_t i = 0; i < kCount; ++i) CHECK(readers[i]->received == random_bytes(i, 10'000 + i));
}

TEST_CASE("tcpip: a thousand connects to one peer take their turns, without a wait for lost SYNs", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  std::vector<std::unique_ptr<Connection>> served;
  REQUIRE(server.stack->listen(7000, [&](auto connection) { served.push_back(std::move(connection)); }));
  std::vector<Outcome> outcomes(1'000);
  for (auto& outcome : outcomes) connect(client, server.key, 7000, outcome);
  // Some end while others wait behind them.
  Outcome refused;
  connect(client, server.key, 7777, refused);
  const auto began = network.now;
  REQUIRE(network.run([&] {
    return std::ranges::all_of(outcomes, &Outcome::called) && refused.called && served.size() == outcomes.size();
  }));
  CHECK(std::ranges::all_of(outcomes, [](const Outcome& outcome) { return outcome.connection != nullptr; }));
  CHECK(refused.error->is(Errc::refused));
  CHECK(network.now - began < 1s);  // in virtual time: a SYN is sent again after one second
}

TEST_CASE("tcpip: a connect waits for its turn no longer than its time-out", "[tcpip]") {
  Network network;
  auto& client = network.add({.max_opening_per_peer = 2});
  auto& server = network.add();
  network.link.loss = 1;
  client.sessions.insert(server.key);
  std::vector<Outcome> outcomes(5);
  for (auto& outcome : outcomes) connect(client, server.key, 7000, outcome, 2s);
  REQUIRE(network.run([&] { return std::ranges::all_of(outcomes, &Outcome::called); }));
  for (const auto& outcome : outcomes) CHECK(outcome.error->is(Errc::timed_out));
  CHECK(client.stack->stats().connections == 0);
}

TEST_CASE("tcpip: a node connects to itself when its host hands packets back", "[tcpip]") {
  Network network;
  auto& node = network.add();
  auto pair = join(network, node, node);
  REQUIRE(pair);
  CHECK(pair.client->connection->peer() == node.key);
  const auto bytes = random_bytes(5, 500'000);
  pair.client->connection->write(Buffer::copy_of(bytes));
  network.turn(node);
  REQUIRE(network.run([&] { return pair.server->count == bytes.size(); }));
  CHECK(pair.server->received == bytes);
}

TEST_CASE("tcpip: connections beyond the limit are refused here and ignored there", "[tcpip]") {
  Network network;
  auto& client = network.add({.max_connections = 3});
  auto& server = network.add({.max_connections = 2});
  std::vector<std::unique_ptr<Connection>> served;
  REQUIRE(server.stack->listen(7000, [&](auto connection) { served.push_back(std::move(connection)); }));
  std::vector<Outcome> outcomes(4);
  for (auto& outcome : outcomes) connect(client, server.key, 7000, outcome, 3s);
  REQUIRE(outcomes[3].error);
  CHECK(outcomes[3].error->is(Errc::limit_reached));
  REQUIRE(network.run([&] { return std::ranges::all_of(outcomes, &Outcome::called); }));
  CHECK(served.size() == 2);
  CHECK(std::ranges::count_if(outcomes, [](const auto& o) { return o.connection != nullptr; }) == 2);
  CHECK(server.stack->stats().connections == 2);
}

TEST_CASE("tcpip: a port is listened on once, and not after stop_listening", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  CHECK_FALSE(server.stack->listen(0, [](auto) {}));
  REQUIRE(server.stack->listen(7000, [](auto) {}));
  const auto again = server.stack->listen(7000, [](auto) {});
  REQUIRE_FALSE(again);
  CHECK(again.error().is(Errc::already_exists));
  server.stack->stop_listening(7000);
  Outcome outcome;
  connect(client, server.key, 7000, outcome);
  REQUIRE(network.run([&] { return outcome.called; }));
  REQUIRE(outcome.error);
  CHECK(outcome.error->is(Errc::refused));
}

TEST_CASE("tcpip: connects may be opened from handlers", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  std::vector<std::unique_ptr<Reader>> served;
  REQUIRE(server.stack->listen(7000, [&](auto connection) {
    served.push_back(std::make_unique<Reader>());
    served.back()->take(std::move(connection));
  }));
  int chain = 0;
  std::unique_ptr<Connection> last;
  std::function<void(Result<std::unique_ptr<Connection>>)> next = [&](Result<std::unique_ptr<Connection>> result) {
    REQUIRE(result);
    last = std::move(*result);  // the one before goes
    if (++chain < 50) client.stack->connect(server.key, 7000, 5s, next);
  };
  client.stack->connect(server.key, 7000, 5s, next);
  client.stack->run_handlers();
  REQUIRE(network.run([&] { return chain == 50; }));
  CHECK(network.now.time_since_epoch() < 1s);  // none waited for a timer
}

TEST_CASE("tcpip: a connection may be destroyed by its own handlers", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  auto pair = join(network, client, server);
  REQUIRE(pair);
  pair.server->then = [&](ByteSpan) { pair.server.reset(); };
  pair.client->connection->write(Buffer::copy_of(random_bytes(1, 100'000)));
  network.turn(client);
  REQUIRE(network.run([&] { return pair.client->closed > 0; }));
  REQUIRE(pair.client->failure);
  CHECK(pair.client->failure->is(Errc::closed));
  CHECK(server.stack->stats().connections == 0);
}

TEST_CASE("tcpip: a stack may go while connections and connects are alive", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  auto pair = join(network, client, server);
  REQUIRE(pair);
  pair.client->connection->write(Buffer::copy_of(random_bytes(1, 3'000'000)));
  pair.server->connection->pause_reading();
  network.run_for(20ms);
  client.silent = true;
  Outcome outcome;
  connect(client, key_of(77), 7000, outcome);
  const auto sent = client.sent;
  client.stack.reset();
  server.stack.reset();
  network.hosts.clear();
  CHECK_FALSE(outcome.called);
  static_cast<void>(sent);
  auto& connection = *pair.client->connection;
  connection.write(Buffer::copy_of(random_bytes(1, 10)));
  connection.resume_reading();
  connection.shutdown_send();
  connection.close();
  connection.abort();
  CHECK(connection.unsent() == 0);
  CHECK(pair.client->closed == 0);
}

TEST_CASE("tcpip: half-open connections of one peer are few, and go after twenty seconds", "[tcpip]") {
  Network network;
  auto& server = network.add({.max_half_open_per_peer = 4});
  auto& peer = network.add();
  REQUIRE(server.stack->listen(7000, [](auto) {}));
  // SYNs reach the server, its answers reach nobody.
  std::vector<Bytes> syns;
  peer.on_send = [&](ByteSpan packet) { syns.push_back(to_bytes(packet)); };
  peer.sessions.insert(server.key);
  network.link.loss = 1;
  std::vector<Outcome> outcomes(10);
  for (auto& outcome : outcomes) connect(peer, server.key, 7000, outcome, 1s);
  REQUIRE(syns.size() == 10);
  for (const auto& syn : syns) server.stack->input(peer.key, Buffer::copy_of(syn), network.now);
  CHECK(server.stack->stats().connections == 4);
  network.run_for(19'500ms);
  CHECK(server.stack->stats().connections == 4);
  network.run_for(1s);
  CHECK(server.stack->stats().connections == 0);
  CHECK(server.stack->stats().filtered == 0);
}

TEST_CASE("tcpip: half-open connections of all peers together are bounded", "[tcpip]") {
  Network network;
  auto& server = network.add({.max_half_open = 10, .max_half_open_per_peer = 4});
  REQUIRE(server.stack->listen(7000, [](auto) {}));
  network.link.loss = 1;
  for (const std::size_t expected : {4, 8, 10}) {
    auto& peer = network.add();
    peer.sessions.insert(server.key);
    std::vector<Bytes> syns;
    peer.on_send = [&](ByteSpan packet) { syns.push_back(to_bytes(packet)); };
    std::vector<Outcome> outcomes(4);
    for (auto& outcome : outcomes) connect(peer, server.key, 7000, outcome, 100ms);
    for (const auto& syn : syns) server.stack->input(peer.key, Buffer::copy_of(syn), network.now);
    peer.on_send = {};
    REQUIRE(network.run([&] { return std::ranges::all_of(outcomes, &Outcome::called); }));
    CHECK(server.stack->stats().connections == expected);
  }
  network.run_for(21s);
  CHECK(server.stack->stats().connections == 0);
}
