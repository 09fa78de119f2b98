// Client and server of ours, joined.
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <random>

#include "http/client_connection.hpp"
#include "server_rig.hpp"

using namespace axl;
using namespace axl::test;
using http::ClientConnection;
using http::Delivery;
using http::Exchange;

namespace {

Buffer random_body(std::mt19937_64& random) {
  static constexpr std::array<std::size_t, 6> kLimits{1, 100, 2000, 20'000, 200'000, 1 << 20};
  const auto kind = random() % 100;  // mostly small, now and then a large one
  const auto limit = kLimits[kind < 40 ? 1 : kind < 70 ? 2 : kind < 90 ? 3 : kind < 98 ? 4 : 5];
  Buffer body{random() % (limit + 1), Buffer::kHeadroom * (random() % 2)};
  const auto first = static_cast<std::uint8_t>(random());
  for (std::size_t i = 0; i < body.size(); ++i) body.data()[i] = static_cast<std::byte>(first + i * 7 + i / 251);
  return body;
}

std::uint64_t sum_of(ByteSpan bytes) {
  std::uint64_t sum = 14695981039346656037ULL;
  for (const auto byte : bytes) sum = (sum ^ static_cast<std::uint64_t>(byte)) * 1099511628211ULL;
  return sum;
}

// Answers with the body it got, whole or in pieces, sometimes later.
class Echo {
 public:
  explicit Echo(std::uint64_t seed) : random_{seed} {}

  void operator()(Exchange exchange) {
    std::move(exchange).collect({.max_bytes = 2 << 20}, [this](Exchange answer, Buffer body) {
      if (random_() % 3 == 0) {
        late_.emplace_back(std::move(answer), std::move(body));
      } else {
        give(std::move(answer), std::move(body));
      }
    });
  }
  bool run_late() {
    if (late_.empty()) return false;
    auto [answer, body] = std::move(late_.front());
    late_.pop_front();
    give(std::move(answer), std::move(body));
    return true;
  }

 private:
  void give(Exchange answer, Buffer body) {
    const http::Headers headers{{"X-Sum", std::to_string(sum_of(body))}};
    switch (random_() % 3) {
      case 0: answer.respond(200, headers, std::move(body)); break;
      case 1: stream(answer, headers, body, body.size()); break;
      default: stream(answer, headers, body, std::nullopt);
    }
  }
  void stream(Exchange& answer, const http::Headers& headers, Buffer& body, std::optional<std::uint64_t> length) {
    answer.start(200, headers, length);
    while (!body.empty()) {
      const auto size = std::min<std::size_t>(body.size(), 1 + random_() % 50'000);
      answer.write(Buffer::copy_of(body.span().first(size)));
      body.drop_front(size);
    }
    answer.finish();
  }

  std::mt19937_64 random_;
  std::deque<std::pair<Exchange, Buffer>> late_;
};

}  // namespace

TEST_CASE("http: ten thousand random requests come back unchanged and in order", "[http]") {
  const std::uint64_t seed = 7001;
  INFO("seed " << seed);
  std::mt19937_64 random{seed};
  Echo echo{seed};
  ServerRig rig{[&echo](Exchange exchange) { echo(std::move(exchange)); }};
  int sent = 0;
  int answered = 0;
  while (sent < 10'000) {
    Pipe pipe{{.seed = random(), .max_piece = std::size_t{1} << (6 + random() % 12)}};
    ClientConnection client{pipe.first(), {.pipeline = 1 + random() % 8}, rig.executor, rig.now};
    rig.server->accept(pipe.second(), {}, rig.now);
    const auto run = [&] {
      while (rig.executor.run_one() || pipe.step() || echo.run_late()) {
      }
    };
    int next = 0;
    int expected = 0;
    for (int i = 0; i < 400; ++i) {
      auto body = random_body(random);
      const auto sum = sum_of(body);
      const auto size = body.size();
      const auto id = client.send({.method = "POST", .target = "/", .headers = {{"Host", "h"}}}, std::move(body),
                                  {.max_bytes = 2 << 20}, [&, size, sum, number = next++](auto response, Delivery how) {
                                    REQUIRE(response.ok());
                                    if (number != expected++) FAIL("out of order");
                                    if (response->body.size() != size || sum_of(response->body) != sum) FAIL("changed");
                                    if (response->head.headers.get("X-Sum") != std::to_string(sum))
                                      FAIL("changed on the way");
                                    if (how != Delivery::answered) FAIL("not answered");
                                    ++answered;
                                  });
      REQUIRE(id.ok());
      ++sent;
      if (random() % 20 == 0) run();
    }
    run();
    REQUIRE(client.in_flight() == 0);
    client.close();
    run();
  }
  rig.run();
  CHECK(answered == sent);
  CHECK(rig.server->connections() == 0);
}

TEST_CASE("http: a refused body leaves the pipelined answers before it standing", "[http]") {
  ServerRig rig{[](Exchange exchange) {
    std::move(exchange).collect({.max_bytes = 1000}, [](Exchange answer, Buffer) { answer.respond(202, {}, {}); });
  }};
  Pipe pipe{{.max_piece = 5000}};
  ClientConnection client{pipe.first(), {}, rig.executor, rig.now};
  rig.server->accept(pipe.second(), {}, rig.now);
  std::vector<std::pair<int, Delivery>> outcomes;
  for (const std::size_t size : {10U, 20U, 3'000'000U, 30U}) {
    REQUIRE(client
                .send({.method = "POST", .target = "/", .headers = {{"Host", "h"}}}, Buffer{size}, {},
                      [&](auto response, Delivery how) {
                        outcomes.emplace_back(response ? response->head.status : 0, how);
                      })
                .ok());
  }
  while (rig.executor.run_one() || pipe.step()) {
  }
  REQUIRE(outcomes.size() == 4);
  CHECK(outcomes[0] == std::pair{202, Delivery::answered});
  CHECK(outcomes[1] == std::pair{202, Delivery::answered});
  CHECK(outcomes[2] == std::pair{413, Delivery::answered});
  CHECK(outcomes[3] == std::pair{0, Delivery::not_sent});
}
