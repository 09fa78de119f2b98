// The same code over kernel sockets, on loopback.
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <catch2/catch_test_macros.hpp>

#include "http/client_connection.hpp"
#include "http/server.hpp"
#include "net/listener.hpp"
#include "net/tcp_stream.hpp"

using namespace axl;
using http::ClientConnection;
using http::Delivery;
using http::Exchange;

namespace {

class Loop final : public Executor {
 public:
  void post(std::function<void()> task) override { asio::post(context, std::move(task)); }
  [[nodiscard]] bool on_loop() const noexcept override { return true; }
  asio::io_context context{1};
};

struct KernelRig {
  explicit KernelRig(http::RequestHandler handler) : server{{}, loop, std::move(handler)} {
    auto opened = net::Listener::open(loop.context, "127.0.0.1", 0, {}, [this](net::Accepted accepted) {
      server.accept(std::move(accepted.stream), {}, Time{});
    });
    REQUIRE(opened.ok());
    listener = *std::move(opened);
  }
  std::unique_ptr<ClientConnection> connect() {
    net::Socket socket{loop.context};
    asio::error_code failed;
    socket.connect(asio::ip::tcp::endpoint{asio::ip::address_v4::loopback(), listener->local().port()}, failed);
    REQUIRE_FALSE(failed);
    return std::make_unique<ClientConnection>(std::make_unique<net::TcpStream>(std::move(socket)), http::ClientLimits{},
                                              loop, Time{});
  }
  template <class Done>
  void run_until(Done done) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (!done() && std::chrono::steady_clock::now() < limit) loop.context.run_one_for(std::chrono::seconds{1});
    REQUIRE(done());
  }

  Loop loop;
  http::Server server;
  std::unique_ptr<net::Listener> listener;
};

void echo(Exchange exchange) {
  std::move(exchange).collect({.max_bytes = 64 << 20},
                              [](Exchange answer, Buffer body) { answer.respond(200, {}, std::move(body)); });
}

Buffer pattern(std::size_t size) {
  Buffer body{size};
  for (std::size_t i = 0; i < size; ++i) body.data()[i] = static_cast<std::byte>(i * 31 + i / 257);
  return body;
}

const http::Request kPost{.method = "POST", .target = "/", .headers = {{"Host", "127.0.0.1"}}};

}  // namespace

TEST_CASE("kernel: pipelined bodies of all sizes come back unchanged, in order, and everything closes", "[http]") {
  KernelRig rig{echo};
  auto client = rig.connect();
  std::size_t answered = 0;
  std::vector<std::size_t> sizes{0, 1, 16 << 20, 100, 65'535, 65'536, 65'537, 3 << 20};
  for (std::size_t i = 0; i < 200; ++i) sizes.push_back(i * i);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto sent = client->send(kPost, pattern(sizes[i]), {.max_bytes = 64 << 20},
                                   [&, i](Result<http::Response> response, Delivery) {
                                     REQUIRE(response.ok());
                                     CHECK(answered == i);
                                     const auto wanted = pattern(sizes[i]);
                                     CHECK(std::ranges::equal(response->body.span(), wanted.span()));
                                     ++answered;
                                   });
    REQUIRE(sent.ok());
  }
  rig.run_until([&] { return answered == sizes.size(); });
  client->close();
  rig.run_until([&] { return rig.server.connections() == 0; });
}

TEST_CASE("kernel: a client that dies is noticed at once while its answer is awaited", "[http]") {
  std::optional<Exchange> kept;
  KernelRig rig{[&](Exchange exchange) { kept.emplace(std::move(exchange)); }};
  auto client = rig.connect();
  REQUIRE(client->send(kPost, {}, {}, [](Result<http::Response>, Delivery) {}).ok());
  rig.run_until([&] { return kept.has_value(); });
  client.reset();
  rig.run_until([&] { return !kept->connected() || kept->client_ended(); });
  kept.reset();
  rig.run_until([&] { return rig.server.connections() == 0; });
}

TEST_CASE("kernel: a refusal reaches a client that is still sending its body", "[http]") {
  KernelRig rig{[](Exchange exchange) {
    std::move(exchange).collect({.max_bytes = 1000}, [](Exchange answer, Buffer) { answer.respond(200, {}, {}); });
  }};
  auto client = rig.connect();
  int status = 0;
  REQUIRE(client
              ->send(kPost, pattern(16 << 20), {},
                     [&](Result<http::Response> response, Delivery) { status = response ? response->head.status : -1; })
              .ok());
  rig.run_until([&] { return status != 0; });
  CHECK(status == 413);
}
