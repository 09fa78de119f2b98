// Connections that leave HTTP.
#include <catch2/catch_test_macros.hpp>

#include "server_rig.hpp"

using namespace axl;
using namespace std::chrono_literals;
using test::RawClient;
using test::ServerRig;

namespace {

constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: shout\r\nConnection: Upgrade\r\n\r\n";

// Says back what it hears.
class Echo final : public http::ExchangeEvents {
 public:
  void take(http::Exchange exchange) {
    exchange_ = std::move(exchange);
    exchange_.set_events(this);
    exchange_.switch_protocols({{"Upgrade", "shout"}});
  }
  void on_body(Buffer piece) override {
    heard += as_text(piece);
    exchange_.write(std::move(piece));
  }
  void on_body_end() override {
    ended = true;
    exchange_.finish();
  }
  void on_sent() override { sent = true; }
  void on_aborted(const Error&) override { aborted = true; }
  [[nodiscard]] http::Exchange& exchange() noexcept { return exchange_; }

  std::string heard;
  bool ended = false;
  bool sent = false;
  bool aborted = false;

 private:
  http::Exchange exchange_;
};

struct Fixture {
  Echo echo;
  ServerRig rig{[this](http::Exchange exchange) { echo.take(std::move(exchange)); }};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "upgrade: bytes go both ways as they are, those right behind the head included", "[http]") {
  auto& client = rig.connect({.max_piece = 7});
  client.send(std::string{kRequest} + "GET / HTTP/1.1\r\n\r\n");
  rig.run();
  const auto answer = client.take();
  CHECK(answer.starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
  CHECK(answer.find("\r\nUpgrade: shout\r\n") != std::string::npos);
  CHECK(answer.find("\r\nConnection: Upgrade\r\n") != std::string::npos);
  CHECK(answer.find("Content-Length") == std::string::npos);
  CHECK(test::body_of(answer) == "GET / HTTP/1.1\r\n\r\n");
  client.send(std::string("\0\xff", 2));
  rig.run();
  CHECK(client.take() == std::string("\0\xff", 2));
  CHECK(rig.server->answering() == 1);
  client.stream->shutdown_send();
  rig.run();
  CHECK(echo.ended);
  CHECK(echo.sent);
  CHECK(client.ended);
  CHECK(rig.server->connections() == 0);
}

TEST_CASE_METHOD(Fixture, "upgrade: while reading is paused nothing comes, and then all of it, the end last", "[http]") {
  auto& client = rig.connect();
  client.send(kRequest);
  rig.run();
  echo.exchange().pause_reading();
  client.send("late");
  client.stream->shutdown_send();
  rig.run();
  CHECK(echo.heard.empty());
  CHECK_FALSE(echo.ended);
  echo.exchange().resume_reading();
  rig.run();
  CHECK(echo.heard == "late");
  CHECK(echo.ended);
}

TEST_CASE_METHOD(Fixture, "upgrade: silence ends it no more than the end of the server's patience with requests", "[http]") {
  auto& client = rig.connect();
  client.send(kRequest);
  rig.run();
  rig.advance(30min);
  client.send("still here");
  rig.run();
  CHECK(echo.heard == "still here");
  rig.server->drain();
  rig.run();
  CHECK(rig.server->connections() == 1);
  client.vanish();
  rig.run();
  CHECK(echo.aborted);
  CHECK(rig.server->connections() == 0);
}

TEST_CASE_METHOD(Fixture, "upgrade: a client that takes no bytes is given up in the end", "[http]") {
  auto& client = rig.connect();
  client.send(kRequest);
  rig.run();
  client.stream->pause_reading();
  echo.exchange().write(Buffer{1'000});
  rig.advance(119s);
  CHECK_FALSE(echo.aborted);
  rig.advance(3s);
  CHECK(echo.aborted);
}
