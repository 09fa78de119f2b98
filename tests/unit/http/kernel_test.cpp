// The same code over kernel sockets, on loopback.
#include <array>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/write.hpp>
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

// Gathers one body, with room of its own for every second part of it, and echoes it. Pauses once in the middle.
class PlacedEcho final : public http::ExchangeEvents {
 public:
  PlacedEcho(Exchange exchange, std::size_t& placed) : placed_{placed}, exchange_{std::move(exchange)} {
    room_.resize(static_cast<std::size_t>(exchange_.request().content_length.value()));
    exchange_.set_events(this);
    exchange_.read_body();
  }

 private:
  MutableByteSpan body_place() override {
    if (std::exchange(offer_, !offer_)) return {};
    return std::span{room_}.subspan(size_, std::min(room_.size() - size_, std::size_t{50'000}));
  }
  void on_body_placed(std::size_t size) override {
    placed_ += size;
    grow(size);
  }
  void on_body(Buffer piece) override {
    REQUIRE(piece.size() <= room_.size() - size_);
    std::ranges::copy(piece.span(), room_.begin() + static_cast<std::ptrdiff_t>(size_));
    grow(piece.size());
  }
  void on_body_end() override {
    CHECK(size_ == room_.size());
    exchange_.set_events(nullptr);
    exchange_.respond(200, {}, Buffer::copy_of(room_));
  }
  void on_aborted(const Error& /*error*/) override { FAIL("aborted"); }

  void grow(std::size_t size) {
    size_ += size;
    if (size_ < room_.size() / 2 || std::exchange(paused_, true)) return;
    exchange_.pause_reading();
    exchange_.resume_reading();
  }

  std::size_t& placed_;
  std::vector<std::byte> room_;
  std::size_t size_ = 0;
  bool offer_ = true;
  bool paused_ = false;
  Exchange exchange_;
};

Buffer pattern(std::size_t size) {
  Buffer body{size};
  for (std::size_t i = 0; i < size; ++i) body.data()[i] = static_cast<std::byte>(i * 31 + i / 257);
  return body;
}

const http::Request kPost{.method = "POST", .target = "/", .headers = {{"Host", "127.0.0.1"}}};

// Bodies of these sizes, all pipelined, come back unchanged and in order.
void expect_echoes(KernelRig& rig, ClientConnection& client, const std::vector<std::size_t>& sizes) {
  std::size_t answered = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto sent = client.send(kPost, pattern(sizes[i]), {.max_bytes = 64 << 20},
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
}

}  // namespace

TEST_CASE("kernel: pipelined bodies of all sizes come back unchanged, in order, and everything closes", "[http]") {
  KernelRig rig{echo};
  auto client = rig.connect();
  std::vector<std::size_t> sizes{0, 1, 16 << 20, 100, 65'535, 65'536, 65'537, 3 << 20};
  for (std::size_t i = 0; i < 200; ++i) sizes.push_back(i * i);
  expect_echoes(rig, *client, sizes);
  client->close();
  rig.run_until([&] { return rig.server.connections() == 0; });
}

TEST_CASE("kernel: bodies come into the room that the handler has for them, and what follows them does not", "[http]") {
  std::vector<std::unique_ptr<PlacedEcho>> handlers;
  std::size_t placed = 0;
  KernelRig rig{
      [&](Exchange exchange) { handlers.push_back(std::make_unique<PlacedEcho>(std::move(exchange), placed)); }};
  auto client = rig.connect();
  std::vector<std::size_t> sizes{0, 1, 16 << 20, 100, 65'535, 65'536, 65'537, 3 << 20, 7};
  for (std::size_t i = 0; i < 100; ++i) sizes.push_back(i * i * 37);
  expect_echoes(rig, *client, sizes);
  CHECK(placed > 0);
  client->close();
  rig.run_until([&] { return rig.server.connections() == 0; });
}

TEST_CASE("kernel: room that was offered and not filled holds no body", "[http]") {
  // Offers room for all of a body and counts what comes.
  struct Counting final : http::ExchangeEvents {
    MutableByteSpan body_place() override {
      ++offered;
      return room;
    }
    void on_body_placed(std::size_t size) override { placed += size; }
    void on_body(Buffer piece) override { placed += piece.size(); }
    void on_body_end() override { ended = true; }
    void on_aborted(const Error& /*error*/) override { aborted = true; }
    std::array<std::byte, 100> room{};
    std::size_t offered = 0;
    std::size_t placed = 0;
    bool ended = false;
    bool aborted = false;
  } events;
  std::optional<Exchange> kept;
  KernelRig rig{[&](Exchange exchange) {
    kept.emplace(std::move(exchange));
    kept->set_events(&events);
    kept->read_body();
  }};
  asio::io_context outside;
  net::Socket socket{outside};
  socket.connect(asio::ip::tcp::endpoint{asio::ip::address_v4::loopback(), rig.listener->local().port()});
  const auto send = [&](std::string_view text) { asio::write(socket, asio::buffer(text)); };
  send("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\n");
  rig.run_until([&] { return kept.has_value(); });
  send("0123");
  rig.run_until([&] { return events.placed == 4; });
  rig.server.on_tick(Time{} + std::chrono::seconds{1});
  send("4567");
  rig.run_until([&] { return events.placed == 8; });
  CHECK(events.offered > 0);
  socket.shutdown(net::Socket::shutdown_send);
  rig.run_until([&] { return events.aborted; });
  CHECK(events.placed == 8);
  CHECK_FALSE(events.ended);
  socket.close();
  kept.reset();
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
