#include "http/relay.hpp"

#include <catch2/catch_test_macros.hpp>

#include "relay_rig.hpp"

using namespace axl;
using namespace axl::test;
using http::Delivery;
using http::Exchange;

namespace {

Buffer bytes(std::string_view text) { return Buffer::copy_of(as_bytes(text)); }

void echo(Exchange exchange) {
  std::move(exchange).collect({.max_bytes = 64 << 20}, [](Exchange answer, Buffer body) {
    std::string text = answer.request().method + " " + answer.request().target.text() + " ";
    text += as_text(body);
    answer.respond(200, {{"X-Test", "1"}, {"X-Test", "2"}}, bytes(text));
  });
}

// A server that keeps the exchange for the test.
struct Kept final : http::ExchangeEvents {
  http::RequestHandler handler() {
    return [this](Exchange taken) {
      exchange = std::move(taken);
      exchange.set_events(this);
      if (reads) exchange.read_body();
    };
  }
  void on_body(Buffer piece) override { body += as_text(piece); }
  void on_body_end() override { body += "|"; }
  void on_aborted(const Error& /*error*/) override { aborted = true; }
  Exchange exchange;
  std::string body;
  bool reads = true;
  bool aborted = false;
};

// Has use for a MiB under way, as a long path.
class Roomy final : public Stream {
 public:
  explicit Roomy(std::unique_ptr<Stream> stream) : stream_{std::move(stream)} {}
  void set_handler(StreamHandler* handler) override { stream_->set_handler(handler); }
  void write(Buffer data) override { stream_->write(std::move(data)); }
  [[nodiscard]] std::size_t unsent() const override { return stream_->unsent(); }
  [[nodiscard]] std::size_t high_mark() const override { return stream_->high_mark(); }
  [[nodiscard]] std::size_t enough() const override { return 1024UL * 1024; }
  void pause_reading() override { stream_->pause_reading(); }
  void resume_reading() override { stream_->resume_reading(); }
  void shutdown_send() override { stream_->shutdown_send(); }
  void close() override { stream_->close(); }
  void abort() override { stream_->abort(); }

 private:
  std::unique_ptr<Stream> stream_;
};

std::string body_of(std::string_view answer) {
  const auto end = answer.find("\r\n\r\n");
  return end == std::string_view::npos ? std::string{} : std::string{answer.substr(end + 4)};
}

const std::string kGet = "GET /x?y=1 HTTP/1.1\r\nHost: h\r\n\r\n";

}  // namespace

TEST_CASE("relay: request and answer pass unchanged, whatever their framing", "[http]") {
  RelayRig rig{echo};
  const auto plain = rig.ask(kGet);
  CHECK(plain.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(plain.find("X-Test: 1\r\nX-Test: 2\r\n") != std::string::npos);
  CHECK(plain.find("Content-Length: 11\r\n") != std::string::npos);
  CHECK(body_of(plain) == "GET /x?y=1 ");
  CHECK(body_of(rig.ask("POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello")) == "POST /p hello");
  CHECK(body_of(rig.ask("POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n")) == "POST /p hello");
  CHECK(body_of(rig.ask("POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")) == "POST /p ");
  CHECK(body_of(rig.ask("DELETE /d HTTP/1.1\r\nHost: h\r\n\r\n")) == "DELETE /d ");
  CHECK(rig.wholes == 5);
  CHECK(rig.relays->under_way() == 0);
  CHECK(rig.dials == 1);
}

TEST_CASE("relay: HEAD, 204, 304 and an empty 202 keep their form", "[http]") {
  RelayRig rig{[](Exchange exchange) {
    const auto path = std::string{exchange.request().target.path()};
    if (path == "/head") {
      exchange.respond(200, {{"Content-Length", "1234"}}, {});
    } else {
      exchange.respond(std::stoi(path.substr(1)), {{"ETag", "\"a\""}}, {});
    }
  }};
  auto& client = rig.connect();
  client.send("HEAD /head HTTP/1.1\r\nHost: h\r\n\r\n");
  rig.loop.run();
  const auto head = client.take();
  CHECK(head.find("Content-Length: 1234\r\n") != std::string::npos);
  CHECK(head.find("Content-Length", head.find("Content-Length") + 1) == std::string::npos);
  CHECK(head.ends_with("\r\n\r\n"));
  for (const auto* status : {"204", "304", "202"}) {
    client.send("GET /" + std::string{status} + " HTTP/1.1\r\nHost: h\r\n\r\n");
    rig.loop.run();
    const auto answer = client.take();
    CHECK(answer.starts_with("HTTP/1.1 " + std::string{status}));
    CHECK(answer.find("ETag: \"a\"") != std::string::npos);
    CHECK(answer.find("chunked") == std::string::npos);
    CHECK((answer.find("Content-Length: 0\r\n") != std::string::npos) == (std::string_view{status} == "202"));
    CHECK(answer.ends_with("\r\n\r\n"));
  }
  CHECK(rig.wholes == 4);
}

TEST_CASE("relay: hop-by-hop headers of the answer stay behind", "[http]") {
  RelayRig rig{echo};
  rig.plays_server = true;
  auto& client = rig.connect();
  client.send(kGet);
  rig.loop.run();
  rig.by_hand.at(0)->send(
      "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
      "HTTP/1.1 200 OK\r\nConnection: X-Own, close\r\nX-Own: 1\r\nKeep-Alive: 5\r\nProxy-Status: x\r\n"
      "Trailer: T\r\nX-Other: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nT: x\r\n\r\n");
  rig.loop.run();
  CHECK(client.take() == "HTTP/1.1 200 OK\r\nX-Other: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
  CHECK_FALSE(client.ended);
}

TEST_CASE("relay: each chunk arrives when it is sent, the head before the first", "[http]") {
  Kept server;
  RelayRig rig{server.handler()};
  auto& client = rig.connect();
  client.send(kGet);
  rig.loop.run();
  server.exchange.start(200, {{"Content-Type", "text/event-stream"}});
  rig.loop.run();
  CHECK(client.take().ends_with("chunked\r\n\r\n"));
  for (int i = 0; i < 3; ++i) {
    server.exchange.write(bytes("data: 1\n\n"));
    rig.loop.run();
    CHECK(client.take() == "9\r\ndata: 1\n\n\r\n");
  }
  server.exchange.finish();
  rig.loop.run();
  CHECK(client.take() == "0\r\n\r\n");
  CHECK(rig.loop.timers() == 1);  // the pool's, for the idle connection: none per request
}

TEST_CASE("relay: the request's body arrives as it is sent, with its framing", "[http]") {
  for (const bool chunked : {false, true}) {
    Kept server;
    RelayRig rig{server.handler()};
    auto& client = rig.connect();
    client.send(chunked ? "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
                        : "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc");
    rig.loop.run();
    CHECK(server.body == "abc");
    CHECK(server.exchange.request().content_length == (chunked ? std::nullopt : std::optional<std::uint64_t>{6}));
    client.send(chunked ? "3\r\ndef\r\n" : "def");
    rig.loop.run();
    CHECK(server.body.starts_with("abcdef"));
    if (chunked) client.send("0\r\n\r\n");
    rig.loop.run();
    CHECK(server.body == "abcdef|");
    server.exchange.respond(202, {}, {});
    rig.loop.run();
    CHECK(client.take().starts_with("HTTP/1.1 202"));
  }
}

TEST_CASE("relay: Expect: 100-continue is answered when there is a server", "[http]") {
  RelayRig rig{echo};
  auto& client = rig.connect();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  rig.loop.run();
  CHECK(client.take() == "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ok");
  rig.loop.run();
  CHECK(body_of(client.take()) == "POST / ok");
}

TEST_CASE("relay: an answer before the end of the request's body passes", "[http]") {
  Kept server;
  server.reads = false;
  RelayRig rig{server.handler()};
  auto& client = rig.connect();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  rig.loop.run();
  server.exchange.respond(401, {{"WWW-Authenticate", "Bearer"}}, bytes("no"));
  rig.loop.run();
  CHECK(client.received.starts_with("HTTP/1.1 401"));
  CHECK(client.received.find("WWW-Authenticate: Bearer") != std::string::npos);
  CHECK(body_of(client.take()) == "no");
  client.send("defghij" + kGet);
  rig.loop.run();
  server.exchange.respond(200, {}, {});
  rig.loop.run();
  CHECK(client.take().starts_with("HTTP/1.1 200"));
}

TEST_CASE("relay: a slow reader slows the server, and little is held", "[http]") {
  for (const std::size_t mark : {20'000U, 1'000'000U}) {
    Kept server;
    RelayRig rig{server.handler(), {}, mark};
    auto& client = rig.connect();
    client.keep = false;
    client.send(kGet);
    rig.loop.run();
    server.exchange.start(200, {});
    client.stream->pause_reading();
    std::size_t written = 0;
    for (int i = 0; i < 1000; ++i) {
      if (server.exchange.unsent() <= 16'000) {  // a writer that minds its own end
        server.exchange.write(Buffer{16'000});
        written += 16'000;
      }
      rig.loop.run();
    }
    CHECK(written >= 20'000);
    CHECK(written <= 64 * 1024 + 4 * 16'000);
    client.stream->resume_reading();
    rig.loop.run();
    CHECK(client.total >= written);
    for (int i = 0; i < 1000; ++i) {
      server.exchange.write(Buffer{16'000});
      rig.loop.run();
    }
    server.exchange.finish();
    rig.loop.run();
    CHECK(client.total > 16'000'000);
    CHECK(rig.wholes == 1);
  }
}

TEST_CASE("relay: a slow server slows the client, and little is held", "[http]") {
  for (const std::size_t mark : {20'000U, 1'000'000U}) {
    Kept server;
    server.reads = false;
    RelayRig rig{server.handler(), {}, mark};
    auto& client = rig.connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    const auto chunk = "3e80\r\n" + std::string(16'000, 'x') + "\r\n";
    std::size_t written = 0;
    for (int i = 0; i < 1000; ++i) {
      if (client.stream->unsent() <= 16'000) {
        client.send(chunk);
        written += 16'000;
      }
      rig.loop.run();
    }
    CHECK(written >= 20'000);
    CHECK(written <= 64 * 1024 + 6 * 16'000);
    server.exchange.read_body();
    for (int i = 0; i < 1000; ++i) {
      client.send(chunk);
      rig.loop.run();
    }
    client.send("0\r\n\r\n");
    rig.loop.run();
    CHECK(server.body.size() == written + 16'000'000 + 1);
    server.exchange.respond(200, {}, {});
    rig.loop.run();
    CHECK(rig.wholes == 1);
  }
}

TEST_CASE("relay: beyond their first bytes all streams together hold no more than allowed", "[http]") {
  constexpr std::size_t kFirst = 64 * 1024;
  constexpr std::size_t kTogether = 300'000;
  constexpr std::size_t kPiece = 16'000;
  RelayRig rig{echo, {}, 64 << 20};
  rig.plays_server = true;
  rig.relays = std::make_unique<http::Relays>(rig.loop, kTogether);
  const auto chunk = "3e80\r\n" + std::string(kPiece, 'x') + "\r\n";
  std::size_t beyond = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    auto [ours, theirs] = http::make_pipe(rig.loop.executor(), rig.mark);
    rig.front.accept(std::make_unique<Roomy>(std::move(theirs)), {}, rig.loop.now());
    auto& client = *rig.clients.emplace_back(std::make_unique<RawEnd>(std::move(ours)));
    client.keep = false;
    client.stream->pause_reading();
    client.send(kGet);
    rig.loop.run();
    REQUIRE(rig.by_hand.size() == i + 1);
    auto& server = *rig.by_hand[i];
    server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int n = 0; n < 100; ++n) {
      server.send(chunk);
      rig.loop.run();
    }
    const auto held = 100 * kPiece - server.stream->unsent();
    CHECK(held > kFirst);
    beyond += held - kFirst;
  }
  CHECK(beyond > kTogether);
  CHECK(beyond < kTogether + 8 * 3 * kPiece);
  for (const auto& client : rig.clients) client->stream->resume_reading();
  rig.loop.run();
  for (const auto& client : rig.clients) CHECK(client->total > 100 * kPiece);
  for (auto& server : rig.by_hand) server->send("0\r\n\r\n");
  rig.loop.run();
  CHECK(rig.wholes == 8);
}

TEST_CASE("relay: a client that goes takes the request with it at once", "[http]") {
  enum class Way { cut, closed, half };
  enum class When { waiting, answering };
  for (const auto way : {Way::cut, Way::closed, Way::half}) {
    for (const auto when : {When::waiting, When::answering}) {
      Kept server;
      RelayRig rig{server.handler()};
      auto& client = rig.connect();
      client.send(kGet);
      rig.loop.run();
      if (when == When::answering) server.exchange.start(200, {});
      rig.loop.run();
      switch (way) {
        case Way::cut: client.stream->abort(); break;
        case Way::closed: client.stream->close(); break;
        case Way::half: client.stream->shutdown_send(); break;
      }
      rig.loop.run();
      CHECK(server.aborted);
      CHECK(rig.cuts == 1);
      CHECK(rig.relays->under_way() == 0);
      CHECK(rig.back.connections() == 0);
    }
  }
}

TEST_CASE("relay: a client that goes amid its body, or before there is a connection", "[http]") {
  Kept server;
  RelayRig rig{server.handler()};
  auto& client = rig.connect();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  rig.loop.run();
  client.stream->close();
  rig.loop.run();
  CHECK(server.aborted);
  CHECK(rig.cuts == 1);
  auto& other = rig.connect();
  other.send(kGet);
  while (rig.relays->under_way() == 0) REQUIRE(rig.loop.executor().run_one());
  other.stream->abort();
  rig.loop.run();
  CHECK(rig.cuts == 2);
  CHECK(rig.pool->idle() == 1);  // the connection that nobody waits for is kept for the next
}

TEST_CASE("relay: an answer that breaks off is cut, never a clean end", "[http]") {
  for (const bool chunked : {false, true}) {
    Kept server;
    RelayRig rig{server.handler()};
    auto& client = rig.connect();
    client.send(kGet);
    rig.loop.run();
    server.exchange.start(200, {}, chunked ? std::nullopt : std::optional<std::uint64_t>{100});
    server.exchange.write(bytes("part"));
    rig.loop.run();
    server.exchange.abort();
    rig.loop.run();
    CHECK(body_of(client.received) == (chunked ? "4\r\npart\r\n" : "part"));
    CHECK(client.ended);
    CHECK(rig.cuts == 1);
    CHECK(rig.failures == 0);
  }
}

TEST_CASE("relay: without an answer the request is handed back", "[http]") {
  RelayRig rig{[](Exchange exchange) { exchange.abort(); }};
  CHECK(rig.ask(kGet).starts_with("HTTP/1.1 502"));
  CHECK(rig.delivery == Delivery::unknown);
  CHECK(rig.dials == 1);  // the connection was new: no second try

  rig.dial_error = Error{Errc::refused, "nobody there"};
  bool untouched = false;
  rig.hooks.on_failed = [&](Exchange exchange, const Error& error, Delivery, bool can_be_read) {
    untouched = can_be_read;
    CHECK(error.is(Errc::refused));
    echo(std::move(exchange));  // another way, with the body
  };
  CHECK(body_of(rig.ask("POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello")) == "POST /p hello");
  CHECK(rig.delivery == Delivery::not_sent);
  CHECK(untouched);
}

TEST_CASE("relay: a stale connection costs a request without a body one more try, and no other", "[http]") {
  for (const auto* method : {"GET", "HEAD", "DELETE", "OPTIONS", "POST", "PUT"}) {
    int served = 0;
    RelayRig rig{[&](Exchange exchange) {
      if (++served == 2) {
        exchange.abort();  // as if it had been closed while the request was on its way
      } else {
        exchange.respond(200, {}, {});
      }
    }};
    const auto request = std::string{method} + " / HTTP/1.1\r\nHost: h\r\n\r\n";
    CHECK(rig.ask(request).starts_with("HTTP/1.1 200"));
    const bool repeated = std::string_view{method} != "POST" && std::string_view{method} != "PUT";
    CHECK(rig.ask(request).starts_with(repeated ? "HTTP/1.1 200" : "HTTP/1.1 502"));
    CHECK(rig.dials == (repeated ? 2 : 1));
  }
}

TEST_CASE("relay: a connection that fails while the body is awaited is replaced, with its first piece", "[http]") {
  RelayRig rig{echo};
  rig.plays_server = true;
  auto& first = rig.connect();
  first.send(kGet);
  rig.loop.run();
  rig.by_hand.at(0)->send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  rig.loop.run();
  rig.plays_server = false;
  auto& client = rig.connect();
  client.send("POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n");
  rig.loop.run();
  rig.by_hand.at(0)->stream->abort();
  rig.loop.run();
  client.send("hello");
  rig.loop.run();
  client.send("world");
  rig.loop.run();
  CHECK(body_of(client.take()) == "POST /p helloworld");
  CHECK(rig.dials == 2);
}

TEST_CASE("relay: a body that is asked for is gathered, and changed", "[http]") {
  Kept server;
  RelayRig rig{server.handler()};
  rig.hooks.on_response = [](const http::ResponseHead&, http::Headers&) { return std::optional<std::size_t>{10}; };
  rig.hooks.on_body = [](http::Headers& headers, Buffer body) {
    headers.set("X-Changed", "1");
    return bytes("<" + std::string{as_text(body)} + ">");
  };
  const auto play = [&](std::optional<std::uint64_t> length, std::string_view body) {
    auto& client = rig.connect();
    client.send(kGet);
    rig.loop.run();
    server.exchange.start(200, {}, length);
    for (const char c : body) {
      server.exchange.write(bytes({&c, 1}));
      rig.loop.run();
    }
    server.exchange.finish();
    rig.loop.run();
    return client.take();
  };
  const auto changed = play({}, "0123456789");
  CHECK(body_of(changed) == "<0123456789>");
  CHECK(changed.find("X-Changed: 1") != std::string::npos);
  CHECK(changed.find("Content-Length: 12\r\n") != std::string::npos);
  CHECK(body_of(play(3, "abc")) == "<abc>");
  CHECK(body_of(play(11, "0123456789a")) == "0123456789a");
  CHECK(body_of(play({}, "0123456789a")) == "a\r\n0123456789\r\n1\r\na\r\n0\r\n\r\n");
  CHECK(rig.wholes == 4);
  auto& client = rig.connect();
  client.send(kGet);
  rig.loop.run();
  server.exchange.start(200, {});
  server.exchange.write(bytes("abc"));
  server.exchange.abort();
  rig.loop.run();
  CHECK(client.take().starts_with("HTTP/1.1 502"));
}

TEST_CASE("relay: time-outs run while a server is silent, not while a reader is slow", "[http]") {
  Kept server;
  RelayRig rig{server.handler(), {.answer_timeout = 5s, .idle_timeout = 8s}, 20'000};
  auto& client = rig.connect();
  client.send(kGet);
  rig.loop.run();
  rig.loop.advance(4s);
  CHECK(client.received.empty());
  rig.loop.advance(2s);
  CHECK(client.take().starts_with("HTTP/1.1 504"));
  CHECK(server.aborted);

  client.send(kGet);
  rig.loop.run();
  server.exchange.start(200, {});
  rig.loop.run();
  rig.loop.advance(7s);
  server.exchange.write(Buffer{60'000});
  client.stream->pause_reading();
  rig.loop.run();
  server.exchange.write(Buffer{60'000});
  rig.loop.advance(100s);
  CHECK(rig.cuts == 0);
  client.stream->resume_reading();
  rig.loop.run();
  rig.loop.advance(7s);
  CHECK(rig.cuts == 0);
  rig.loop.advance(9s);
  CHECK(rig.cuts == 1);
  CHECK(client.ended);
  CHECK(rig.loop.timers() == 0);
}

TEST_CASE("relay: destroyed with requests under way it cuts both sides and calls nobody", "[http]") {
  for (const bool answering : {false, true}) {
    Kept server;
    auto rig = std::make_unique<RelayRig>(server.handler());
    auto& client = rig->connect();
    client.send(kGet);
    rig->loop.run();
    if (answering) server.exchange.start(200, {});
    rig->loop.run();
    client.take();
    rig->relays.reset();
    rig->loop.run();
    CHECK(server.aborted);
    CHECK(client.take().empty());
    CHECK(client.ended);
    CHECK(rig->cuts + rig->failures + rig->wholes == 0);
  }
}

TEST_CASE("relay: its events may destroy it", "[http]") {
  Kept server;
  for (const bool gathering : {false, true}) {
    RelayRig rig{server.handler()};
    const auto destroy = [&] { rig.relays.reset(); };
    rig.hooks.on_response = [&](const http::ResponseHead&, http::Headers&) {
      if (!gathering) destroy();
      return std::optional<std::size_t>{10};
    };
    rig.hooks.on_body = [&](http::Headers&, Buffer body) {
      destroy();
      return body;
    };
    auto& client = rig.connect();
    client.send(kGet);
    rig.loop.run();
    server.exchange.respond(200, {}, bytes("abc"));
    rig.loop.run();
    CHECK(client.take().empty());
    CHECK(client.ended);
  }
}

TEST_CASE("relay: what is ambiguous stops at the relay, on both sides", "[http]") {
  int served = 0;
  RelayRig rig{[&](Exchange exchange) {
    ++served;
    exchange.respond(200, {}, {});
  }};
  for (const auto* head : {"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
                           "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "X: a\nY: b\r\n\r\n",
                           "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"}) {
    const auto answer = rig.ask("POST / HTTP/1.1\r\nHost: h\r\n" + std::string{head});
    CHECK((answer.starts_with("HTTP/1.1 400") || answer.starts_with("HTTP/1.1 501")));
  }
  CHECK(served == 0);
  rig.plays_server = true;
  for (const auto* head : {"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
                           "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "X: a\nY: b\r\n\r\n"}) {
    auto& client = rig.connect();
    client.send(kGet);
    rig.loop.run();
    rig.by_hand.back()->send("HTTP/1.1 200 OK\r\n" + std::string{head});
    rig.loop.run();
    CHECK(client.take().starts_with("HTTP/1.1 502"));
  }
}
