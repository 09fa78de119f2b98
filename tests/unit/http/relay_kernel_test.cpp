// The relay between kernel sockets, on loopback.
#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <catch2/catch_test_macros.hpp>

#include "http/client_pool.hpp"
#include "http/relay.hpp"
#include "http/server.hpp"
#include "net/listener.hpp"
#include "net/steady_clock.hpp"
#include "net/tcp_stream.hpp"
#include "net/timer.hpp"

using namespace axl;
using http::ClientConnection;
using http::Delivery;
using http::Exchange;

namespace {

class Loop final : public Scheduler, public Executor {
 public:
  void post(std::function<void()> task) override { asio::post(context, std::move(task)); }
  [[nodiscard]] bool on_loop() const noexcept override { return true; }
  [[nodiscard]] Time now() const override { return net::SteadyClock{}.now(); }
  [[nodiscard]] std::unique_ptr<Timer> make_timer(std::function<void()> fire) override {
    return std::make_unique<LoopTimer>(context, std::move(fire));
  }
  [[nodiscard]] Executor& executor() override { return *this; }
  [[nodiscard]] Rng& rng() override { return rng_; }
  asio::io_context context{1};

 private:
  class LoopTimer final : public Timer {
   public:
    LoopTimer(asio::io_context& context, std::function<void()> fire)
        : timer_{context, net::SteadyClock{}, std::move(fire)} {}
    void arm(Time at) override { timer_.arm(at); }
    void cancel() override { timer_.disarm(); }

   private:
    net::Timer timer_;
  };
  class NoRng final : public Rng {
    void fill(MutableByteSpan out) override { std::fill(out.begin(), out.end(), std::byte{}); }
  };
  NoRng rng_;
};

class Events final : public http::RelayEvents {
  void on_failed(Exchange exchange, const Error& error, Delivery /*how*/, bool /*untouched*/) override {
    exchange.respond_error(502, error.text());
  }
};

struct Rig {
  explicit Rig(http::RequestHandler handler) : back{{}, loop, std::move(handler)} {
    back_listener = listen(back);
    front_listener = listen(front);
  }
  std::unique_ptr<net::Listener> listen(http::Server& server) {
    auto opened = net::Listener::open(loop.context, "127.0.0.1", 0, {}, [&server](net::Accepted accepted) {
      server.accept(std::move(accepted.stream), {}, Time{});
    });
    REQUIRE(opened.ok());
    return *std::move(opened);
  }
  std::unique_ptr<Stream> dial(const net::Listener& to) {
    net::Socket socket{loop.context};
    asio::error_code failed;
    socket.connect(asio::ip::tcp::endpoint{asio::ip::address_v4::loopback(), to.local().port()}, failed);
    REQUIRE_FALSE(failed);
    return std::make_unique<net::TcpStream>(std::move(socket));
  }
  std::unique_ptr<ClientConnection> connect() {
    return std::make_unique<ClientConnection>(dial(*front_listener), http::ClientLimits{}, loop, Time{});
  }
  void carry(Exchange exchange) {
    http::RelayRequest request{exchange.request().method, exchange.request().target.text(), exchange.request().headers};
    relays.carry(std::move(exchange), pool, std::move(request), {}, std::make_unique<Events>());
  }
  template <class Done>
  void run_until(Done done) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (!done() && std::chrono::steady_clock::now() < limit) loop.context.run_one_for(std::chrono::seconds{1});
    REQUIRE(done());
  }

  Loop loop;
  http::Server back;
  std::unique_ptr<net::Listener> back_listener;
  std::shared_ptr<http::ClientPool> pool = std::make_shared<http::ClientPool>(
      [this](Duration, http::StreamDialHandler done) {
        loop.post([this, done = std::move(done)] { done(dial(*back_listener)); });
      },
      http::PoolLimits{}, loop);
  http::Relays relays{loop};
  http::Server front{{}, loop, [this](Exchange exchange) { carry(std::move(exchange)); }};
  std::unique_ptr<net::Listener> front_listener;
};

Buffer pattern(std::size_t size) {
  Buffer body{size};
  for (std::size_t i = 0; i < size; ++i) body.data()[i] = static_cast<std::byte>(i * 31 + i / 257);
  return body;
}

const http::Request kPost{.method = "POST", .target = "/", .headers = {{"Host", "127.0.0.1"}}};

struct Heard final : http::ResponseEvents {
  void on_response(const http::ResponseHead& head) override { status = head.status; }
  void on_body(Buffer piece) override { size += piece.size(); }
  void on_complete() override { complete = true; }
  void on_failed(const Error& /*error*/, Delivery /*how*/) override { failed = true; }
  int status = 0;
  std::size_t size = 0;
  bool complete = false;
  bool failed = false;
};

}  // namespace

TEST_CASE("kernel: relayed bodies of all sizes come back unchanged", "[http]") {
  Rig rig{[](Exchange exchange) {
    std::move(exchange).collect({.max_bytes = 64 << 20},
                                [](Exchange answer, Buffer body) { answer.respond(200, {}, std::move(body)); });
  }};
  auto client = rig.connect();
  for (const std::size_t size : {0U, 1U, 65'536U, 8U << 20, 100U, 3U << 20}) {
    bool answered = false;
    REQUIRE(client
                ->send(kPost, pattern(size), {.max_bytes = 64 << 20},
                       [&](Result<http::Response> response, Delivery) {
                         REQUIRE(response.ok());
                         CHECK(std::ranges::equal(response->body.span(), pattern(size).span()));
                         answered = true;
                       })
                .ok());
    rig.run_until([&] { return answered; });
  }
  CHECK(rig.pool->connections() == 1);
}

TEST_CASE("kernel: through the relay a client's end reaches the server, and a server's end the client", "[http]") {
  std::optional<Exchange> kept;
  Rig rig{[&](Exchange exchange) { kept.emplace(std::move(exchange)); }};
  for (const bool orderly : {false, true}) {
    auto client = rig.connect();
    Heard heard;
    REQUIRE(client->send(kPost, {}, heard).ok());
    rig.run_until([&] { return kept.has_value(); });
    kept->start(200, {});
    rig.run_until([&] { return heard.status == 200; });
    if (orderly) {
      client->close();
    } else {
      client.reset();
    }
    rig.run_until([&] { return !kept->connected(); });
    kept.reset();
    CHECK(rig.relays.under_way() == 0);
  }
  auto client = rig.connect();
  Heard heard;
  REQUIRE(client->send(kPost, {}, heard).ok());
  rig.run_until([&] { return kept.has_value(); });
  kept->start(200, {});
  kept->write(pattern(100));
  kept->abort();
  rig.run_until([&] { return heard.failed || heard.complete; });
  CHECK(heard.size == 100);
  CHECK(heard.failed);
}

TEST_CASE("kernel: a reader that stops holds the server back, and little waits in the relay", "[http]") {
  std::optional<Exchange> kept;
  Rig rig{[&](Exchange exchange) { kept.emplace(std::move(exchange)); }};
  auto client = rig.connect();
  Heard heard;
  const auto id = client->send(kPost, {}, heard).value();
  rig.run_until([&] { return kept.has_value(); });
  kept->start(200, {});
  rig.run_until([&] { return heard.status == 200; });
  client->pause_reading(id);
  std::size_t written = 0;
  int idle = 0;
  while (idle < 50 && written < (64U << 20)) {  // what the kernel's buffers take is not ours to bound
    while (kept->unsent() < 64 * 1024) {
      kept->write(pattern(32UL * 1024));
      written += 32 * 1024;
      idle = 0;
    }
    if (rig.loop.context.poll_one() == 0 && rig.loop.context.run_one_for(std::chrono::milliseconds{2}) == 0) ++idle;
  }
  CHECK(written < (64U << 20));
  client->resume_reading(id);
  kept->finish();
  rig.run_until([&] { return heard.complete; });
  CHECK(heard.size == written);
}
