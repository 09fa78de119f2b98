#include <catch2/catch_test_macros.hpp>
#include <random>

#include "http/server.hpp"
#include "server_rig.hpp"

using namespace axl;
using namespace axl::test;
using http::Exchange;

namespace {

const std::string kGet = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

PublicKey key(std::uint8_t number) {
  std::array<std::byte, PublicKey::kSize> bytes{};
  bytes[0] = std::byte{number};
  return PublicKey{bytes};
}

}  // namespace

TEST_CASE("time-out: a head that does not end in ten seconds is 408", "[http]") {
  ServerRig rig{echo};
  auto& client = rig.connect();
  rig.advance(60s);  // nothing sent: only the idle limit counts
  CHECK_FALSE(client.ended);
  client.send("GEE");
  rig.run();
  CHECK(client.take().starts_with("HTTP/1.1 400"));
  client.stream->close();
  rig.run();

  auto& slow = rig.connect();
  slow.send("GET / HTTP/1.1\r\nX: ");
  rig.advance(9500ms);
  CHECK(slow.take().empty());
  slow.send("y");
  rig.advance(1500ms);
  CHECK(slow.take().starts_with("HTTP/1.1 408 Request Timeout\r\n"));
  CHECK(slow.ended);
  rig.advance(10s);  // the client never closes its side
  CHECK(rig.server->connections() == 0);
}

TEST_CASE("time-out: an idle connection is closed after two minutes, a used one later", "[http]") {
  ServerRig rig{echo};
  auto& client = rig.connect();
  rig.advance(100s);
  client.send(kGet);
  rig.run();
  CHECK(body_of(client.take()) == "GET / ");
  rig.advance(119s);
  CHECK_FALSE(client.ended);
  rig.advance(3s);
  CHECK(client.ended);
  CHECK(rig.server->connections() == 0);
  CHECK_FALSE(rig.server->next_tick());
}

TEST_CASE("time-out: a body that stops is 408", "[http]") {
  ServerRig rig{echo};
  auto& client = rig.connect();
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  rig.advance(50s);
  client.send("d");
  rig.advance(50s);
  CHECK(client.take().empty());
  rig.advance(12s);
  CHECK(client.take().starts_with("HTTP/1.1 408 "));
}

TEST_CASE("time-out: a client that takes no bytes is given up, a slow one is not", "[http]") {
  ServerRig rig{[](Exchange exchange) { exchange.respond(200, {}, Buffer{200'000}); }};
  auto& slow = rig.connect({.max_piece = 1000});
  auto& dead = rig.connect();
  dead.stream->pause_reading();
  slow.send(kGet);
  dead.send(kGet);
  rig.run();
  slow.stream->pause_reading();
  CHECK(slow.total > 0);
  rig.advance(115s);
  CHECK_FALSE(dead.closed);
  rig.advance(10s);
  CHECK(dead.reset);
}

TEST_CASE("limit: over the number of connections the first request gets 503, and an idle one makes room", "[http]") {
  std::vector<Exchange> kept;
  http::ServerLimits limits;
  limits.connections = 3;
  limits.refusals = 2;
  ServerRig rig{[&](Exchange exchange) { kept.push_back(std::move(exchange)); }, limits};
  for (int i = 0; i < 3; ++i) rig.connect().send(kGet);
  rig.run();
  CHECK(kept.size() == 3);
  auto& over = rig.connect();
  over.send(kGet);
  rig.run();
  const auto refused = over.take();
  CHECK(refused.starts_with("HTTP/1.1 503 "));
  CHECK(refused.find("\r\nRetry-After: 1\r\n") != std::string::npos);
  CHECK(over.ended);
  CHECK(rig.server->refused() == 1);
  over.stream->close();
  rig.run();

  kept[0].respond(200, {}, {});
  rig.run();
  rig.advance(2s);
  auto& late = rig.connect();
  late.send(kGet);
  rig.run();
  CHECK(kept.size() == 4);
  CHECK(rig.clients[0]->ended);

  for (int i = 0; i < 5; ++i) rig.connect();  // say nothing: two wait for their 503, the others are closed
  rig.run();
  CHECK(rig.server->connections() <= 3 + 2 + 1);
}

TEST_CASE("limit: one key cannot take all, strangers cannot take the reserved part", "[http]") {
  std::vector<Exchange> kept;
  http::ServerLimits limits;
  limits.connections = 10;
  limits.connections_per_key = 4;
  limits.reserved = 5;
  ServerRig rig{[&](Exchange exchange) { kept.push_back(std::move(exchange)); }, limits};
  const auto connect = [&](std::uint8_t number, bool trusted) {
    auto& client = rig.connect({}, {.key = key(number), .trusted = trusted});
    client.send(kGet);
    rig.run();
    return client.take().starts_with("HTTP/1.1 503 ");
  };
  for (int i = 0; i < 4; ++i) CHECK_FALSE(connect(1, false));
  CHECK(connect(1, false));
  CHECK_FALSE(connect(2, false));
  CHECK(connect(3, false));
  for (int i = 0; i < 4; ++i) CHECK_FALSE(connect(4, true));
  CHECK(connect(4, true));
  CHECK_FALSE(connect(5, true));
  CHECK(connect(6, true));
}

TEST_CASE("limit: large answers wait for their readers up to a bound for each key, and one for all", "[http]") {
  http::ServerLimits limits;
  limits.unsent_per_key = 300'000;
  limits.unsent = 500'000;
  std::size_t size = 200'000;
  bool in_pieces = false;
  ServerRig rig{[&](Exchange exchange) {
                  auto body = Buffer::copy_of(as_bytes(std::string(size, 'x')));
                  if (!in_pieces) return exchange.respond(200, {}, std::move(body));
                  exchange.start(200, {});
                  exchange.write(std::move(body));
                  exchange.finish();
                },
                limits};
  const auto ask = [&](std::uint8_t number) -> RawClient& {
    auto& client = rig.connect({}, {.key = key(number)});
    client.stream->pause_reading();
    client.send(kGet);
    rig.run();
    return client;
  };
  const auto status = [&](RawClient& client) {
    client.stream->resume_reading();
    rig.run();
    const auto answer = client.take();
    return answer.substr(0, answer.find("\r\n")) + (client.total > size ? " whole" : "");
  };
  auto& first = ask(1);
  auto& over_share = ask(1);
  auto& other = ask(2);
  auto& over_all = ask(3);
  CHECK(status(over_share) == "HTTP/1.1 503 Service Unavailable");
  CHECK(status(over_all) == "HTTP/1.1 503 Service Unavailable");
  CHECK(status(first) == "HTTP/1.1 200 OK whole");
  CHECK(status(other) == "HTTP/1.1 200 OK whole");

  size = 600'000;  // larger than both, but nothing waits
  CHECK(status(ask(1)) == "HTTP/1.1 200 OK whole");

  size = 200'000;
  in_pieces = true;
  auto& stream = ask(4);
  auto& cut = ask(4);
  CHECK(status(cut) == "HTTP/1.1 200 OK");
  CHECK(cut.ended);
  CHECK(status(stream) == "HTTP/1.1 200 OK whole");
}

TEST_CASE("events: a server that goes amid a body gives its bytes back, whoever owns their budget", "[http]") {
  http::ByteBudget budget{1'000'000};
  ServerRig rig{[&](Exchange exchange) {
    auto share = std::make_shared<http::BudgetShare>(budget, 1'000'000, true);
    const http::BodyLimits limits{.budget = share.get()};
    std::move(exchange).collect(limits, [share](Exchange, Buffer) {});
  }};
  rig.connect().send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc");
  rig.run();
  CHECK(budget.used() == 3);
  rig.server.reset();
  CHECK(budget.used() == 0);
}

TEST_CASE("events: a server destroyed by its own handler calls nobody any more", "[http]") {
  std::unique_ptr<ServerRig> rig;
  rig = std::make_unique<ServerRig>([&](Exchange) { rig->server.reset(); });
  auto& client = rig->connect();
  client.send(kGet + kGet);
  rig->run();
  CHECK(client.reset);
}

TEST_CASE("events: a server may go in the body's handler, on the sent event, and with exchanges kept", "[http]") {
  for (const int when : {0, 1, 2}) {
    Exchange kept;
    std::unique_ptr<ServerRig> rig;
    rig = std::make_unique<ServerRig>([&, when](Exchange exchange) {
      std::move(exchange).collect({}, [&, when](Exchange answer, Buffer) {
        if (when == 0) {
          rig->server.reset();
        } else if (when == 1) {
          answer.respond(200, {}, {}, [&](bool) { rig->server.reset(); });
        } else {
          kept = std::move(answer);
        }
      });
    });
    auto& client = rig->connect();
    client.send(kGet + kGet);
    rig->run();
    rig->server.reset();
    CHECK_FALSE(kept.connected());
    kept.respond(200, {}, {});
    rig->run();
  }
}

TEST_CASE("fuzz: random bytes and random ends never break the server", "[http]") {
  const std::uint64_t seed = 9002;
  INFO("seed " << seed);
  std::mt19937_64 random{seed};
  const std::string valid =
      "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
      "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\nExpect: 100-continue\r\n\r\n1234567"
      "GET /c HTTP/1.0\r\nConnection: keep-alive\r\n\r\nHEAD /d HTTP/1.1\r\nHost: x\r\n\r\n";
  std::vector<Exchange> kept;
  ServerRig rig{[&](Exchange exchange) {
    switch (random() % 6) {
      case 0: kept.push_back(std::move(exchange)); break;
      case 1: exchange.respond_error(404, "no"); break;
      case 2: break;
      case 3:
        exchange.start(200, {});
        exchange.write(Buffer{random() % 30'000});
        if (random() % 2 == 0) exchange.finish();
        break;
      default: echo(std::move(exchange));
    }
  }};
  for (int round = 0; round < 5000; ++round) {
    auto input = valid;
    for (auto changes = random() % 4; changes > 0; --changes) {
      const auto at = random() % input.size();
      switch (random() % 3) {
        case 0: input[at] = static_cast<char>(random()); break;
        case 1: input.erase(at, 1 + random() % 20); break;
        default: input.insert(at, 1 + random() % 3, "\r\n :0;,a"[random() % 8]);
      }
    }
    auto& client = rig.connect({.seed = random(), .max_piece = 1 + random() % 200, .high_mark = 2000, .low_mark = 500});
    client.send(input);
    for (auto steps = random() % 40; steps > 0; --steps) client.pipe.step();
    switch (random() % 4) {
      case 0: client.vanish(); break;
      case 1: client.stream->shutdown_send(); break;
      case 2: client.pipe.break_off(); break;
      default: client.stream->close();
    }
    rig.run();
    if (kept.size() > 3) {
      for (auto& exchange : kept) exchange.respond(200, {}, {});
      kept.clear();
    }
    rig.run();
    rig.clients.clear();
    if (round % 100 == 0) rig.advance(200s);
  }
  kept.clear();
  rig.run();
  rig.advance(300s);
  CHECK(rig.server->connections() == 0);
}
