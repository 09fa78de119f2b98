#include "http/client_pool.hpp"

#include <catch2/catch_test_macros.hpp>

#include "relay_rig.hpp"

using namespace axl;
using namespace axl::test;
using http::ClientPool;
using http::Delivery;
using http::Exchange;
using http::Lease;

namespace {

struct Rig {
  std::shared_ptr<ClientPool> make(http::PoolLimits limits = {}, std::shared_ptr<http::IdleConnections> idle = {}) {
    return std::make_shared<ClientPool>(
        [this](Duration timeout, http::StreamDialHandler done) {
          ++dials;
          last_timeout = timeout;
          dialing.push_back(std::move(done));
          if (!held) finish_dials();
        },
        limits, loop, std::move(idle));
  }
  void finish_dials() {
    loop.executor().post([this] {
      for (const auto& done : std::exchange(dialing, {})) {
        if (dial_error) {
          done(*dial_error);
          continue;
        }
        auto [ours, theirs] = http::make_pipe(loop.executor());
        server.accept(std::move(theirs), {}, loop.now());
        done(std::move(ours));
      }
    });
  }
  /// Gets a lease now.
  std::unique_ptr<Lease> lease(ClientPool& pool, bool fresh = false) {
    std::unique_ptr<Lease> got;
    const auto waiting = pool.acquire({}, fresh, [&](Result<std::unique_ptr<Lease>> result) {
      if (result) {
        got = *std::move(result);
      } else {
        error = result.error();
      }
    });
    CHECK(got == nullptr);
    loop.run();
    return got;
  }
  void ask(Lease& from, int expected = 200) {
    int status = 0;
    REQUIRE(
        from.connection()
            .send({.method = "GET", .target = "/", .headers = {{"Host", "h"}}}, {}, {},
                  [&](Result<http::Response> response, Delivery) { status = response ? response->head.status : -1; })
            .ok());
    loop.run();
    CHECK(status == expected);
  }

  VirtualLoop loop;
  int dials = 0;
  bool held = false;
  std::optional<Error> dial_error;
  std::optional<Error> error;
  Duration last_timeout{};
  std::vector<http::StreamDialHandler> dialing;
  std::function<void(Exchange)> handler = [](Exchange exchange) { exchange.respond(200, {}, {}); };
  http::Server server{{}, loop.executor(), [this](Exchange exchange) { handler(std::move(exchange)); }};
};

}  // namespace

TEST_CASE("pool: a connection carries one request after the other, a fresh one is new", "[http]") {
  Rig rig;
  const auto pool = rig.make();
  for (int i = 0; i < 3; ++i) {
    const auto lease = rig.lease(*pool);
    REQUIRE(lease);
    CHECK(lease->reused() == (i > 0));
    rig.ask(*lease);
  }
  CHECK(rig.dials == 1);
  const auto fresh = rig.lease(*pool, true);
  CHECK_FALSE(fresh->reused());
  CHECK(rig.dials == 2);
  const auto other = rig.lease(*pool);
  CHECK(other->reused());
  CHECK(pool->connections() == 2);
  CHECK(pool->idle() == 0);
}

TEST_CASE("pool: the bound on idle connections holds over all pools, the longest idle one goes", "[http]") {
  Rig rig;
  const auto idle = std::make_shared<http::IdleConnections>(3);
  const auto first = rig.make({}, idle);
  const auto second = rig.make({}, idle);
  std::vector<std::unique_ptr<Lease>> leases;
  for (int i = 0; i < 2; ++i) leases.push_back(rig.lease(*first));
  for (int i = 0; i < 2; ++i) leases.push_back(rig.lease(*second));
  for (auto& lease : leases) {
    lease.reset();
    rig.loop.advance(1s);
  }
  CHECK(idle->size() == 3);
  CHECK(first->idle() == 1);
  CHECK(second->idle() == 2);
  CHECK(rig.server.connections() == 3);
  const auto none = std::make_shared<http::IdleConnections>(0);
  const auto third = rig.make({}, none);
  rig.ask(*rig.lease(*third));
  CHECK(third->connections() == 0);
}

TEST_CASE("pool: an idle connection closes after its time, and then no timer runs", "[http]") {
  Rig rig;
  const auto pool = rig.make({.idle_timeout = 10s});
  CHECK(rig.loop.timers() == 0);
  rig.ask(*rig.lease(*pool));
  rig.loop.advance(9s);
  rig.ask(*rig.lease(*pool));
  rig.loop.advance(9s);
  CHECK(pool->idle() == 1);
  rig.loop.advance(2s);
  CHECK(pool->idle() == 0);
  CHECK(rig.server.connections() == 0);
  CHECK(rig.loop.timers() == 0);
  CHECK(rig.dials == 1);
}

TEST_CASE("pool: at its limit an idle connection makes room, else the limit is told", "[http]") {
  Rig rig;
  const auto pool = rig.make({.connections = 2});
  const auto first = rig.lease(*pool);
  auto second = rig.lease(*pool);
  CHECK_FALSE(rig.lease(*pool));
  CHECK(rig.error->is(Errc::limit_reached));
  second.reset();
  CHECK(pool->idle() == 1);
  const auto third = rig.lease(*pool, true);
  REQUIRE(third);
  CHECK(pool->connections() == 2);
}

TEST_CASE("pool: dialling may fail, and who waits may go meanwhile", "[http]") {
  Rig rig;
  const auto pool = rig.make({.dial_timeout = 7s});
  rig.dial_error = Error{Errc::refused, "no"};
  CHECK_FALSE(rig.lease(*pool));
  CHECK(rig.error->is(Errc::refused));
  CHECK(rig.last_timeout == 7s);
  CHECK(pool->connections() == 0);
  rig.dial_error.reset();
  rig.held = true;
  int calls = 0;
  auto early = pool->acquire({}, false, [&](auto) { ++calls; });
  early.reset();
  auto waiting = pool->acquire({}, false, [&](auto) { ++calls; });
  rig.loop.run();
  CHECK(rig.dials == 2);
  waiting.reset();
  rig.finish_dials();
  rig.loop.run();
  CHECK(calls == 0);
  CHECK(pool->idle() == 1);
}

TEST_CASE("pool: an unfinished request cuts its connection, a closed one is not kept", "[http]") {
  Rig rig;
  const auto pool = rig.make();
  std::optional<Exchange> kept;
  rig.handler = [&](Exchange exchange) { kept = std::move(exchange); };
  auto lease = rig.lease(*pool);
  REQUIRE(lease->connection()
              .send({.method = "GET", .target = "/", .headers = {{"Host", "h"}}}, {}, {}, [](auto, auto) {})
              .ok());
  rig.loop.run();
  REQUIRE(kept);
  lease.reset();
  rig.loop.run();
  CHECK_FALSE(kept->connected());
  CHECK(pool->connections() == 0);
  rig.handler = [](Exchange exchange) { exchange.respond(200, {{"Connection", "close"}}, {}); };
  rig.ask(*rig.lease(*pool));
  rig.loop.run();
  CHECK(pool->connections() == 0);
}

TEST_CASE("pool: a server that closes an idle connection is noticed", "[http]") {
  Rig rig;
  const auto pool = rig.make();
  rig.ask(*rig.lease(*pool));
  CHECK(pool->idle() == 1);
  rig.server.drain();
  rig.loop.run();
  CHECK(pool->idle() == 0);
}

TEST_CASE("pool: destroyed, it fails who waits, later; leases live on", "[http]") {
  Rig rig;
  auto pool = rig.make();
  const auto lease = rig.lease(*pool);
  rig.ask(*rig.lease(*pool));
  rig.held = true;
  std::optional<Error> first;
  std::optional<Error> second;
  const auto dialling = pool->acquire({}, true, [&](auto result) { first = result.error(); });
  rig.loop.run();
  const auto posted = pool->acquire({}, true, [&](auto result) { second = result.error(); });
  pool.reset();
  CHECK_FALSE(first);
  rig.loop.run();
  REQUIRE((first && second));
  CHECK(first->is(Errc::closed));
  CHECK(second->is(Errc::closed));
  rig.finish_dials();  // nobody wants it any more
  rig.loop.run();
  rig.ask(*lease);
  CHECK(rig.server.connections() == 1);
}

TEST_CASE("pool: a silent server is timed while a lease is out", "[http]") {
  Rig rig;
  http::PoolLimits limits;
  limits.client.silence_timeout = 8s;
  const auto pool = rig.make(limits);
  rig.loop.advance(100s);
  std::optional<Exchange> kept;
  rig.handler = [&](Exchange exchange) { kept = std::move(exchange); };
  auto lease = rig.lease(*pool);
  std::optional<Error> failed;
  REQUIRE(lease->connection()
              .send({.method = "GET", .target = "/", .headers = {{"Host", "h"}}}, {}, {},
                    [&](Result<http::Response> response, Delivery) {
                      failed = response.error();
                      lease.reset();
                    })
              .ok());
  rig.loop.advance(7s);
  CHECK_FALSE(failed);
  rig.loop.advance(3s);
  REQUIRE(failed);
  CHECK(failed->is(Errc::timed_out));
  CHECK(pool->connections() == 0);
  rig.loop.advance(10s);
  CHECK(rig.loop.timers() == 0);
}
