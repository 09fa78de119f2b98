#include <catch2/catch_test_macros.hpp>

#include "http/server.hpp"
#include "server_rig.hpp"

using namespace axl;
using namespace axl::test;
using http::BodyCollector;
using http::Exchange;

namespace {

std::string post(std::string_view body, std::string_view extra = "") {
  return "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + std::string{extra} +
         "\r\n" + std::string{body};
}

// Collects within `limits` and answers 202 with the size.
http::RequestHandler collecting(http::BodyLimits limits) {
  return [limits](Exchange exchange) {
    std::move(exchange).collect(limits, [](Exchange answer, Buffer body) {
      answer.respond(202, {}, Buffer::copy_of(as_bytes(std::to_string(body.size()))));
    });
  };
}

// Reads a body in pieces and notes everything.
struct Reader final : http::ExchangeEvents {
  void on_body(Buffer piece) override {
    body += as_text(piece);
    ++pieces;
    if (pause_each) exchange.pause_reading();
  }
  void on_body_end() override { log += "end "; }
  void on_writable() override { log += "writable "; }
  void on_client_ended() override { log += "client-ended "; }
  void on_sent() override { log += "sent "; }
  void on_aborted(const Error& error) override {
    log += "aborted ";
    code = error.code();
  }
  http::RequestHandler handler() {
    return [this](Exchange given) {
      exchange = std::move(given);
      exchange.set_events(this);
      if (read_at_once) exchange.read_body();
    };
  }
  Exchange exchange;
  std::string body;
  std::string log;
  std::error_code code;
  int pieces = 0;
  bool pause_each = false;
  bool read_at_once = true;
};

}  // namespace

TEST_CASE("body: collected at every fragmentation, chunked and not", "[http]") {
  const std::string body(5000, 'b');
  std::string chunked = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 50; ++i) chunked += "64\r\n" + std::string(100, 'b') + "\r\n";
  chunked += "0\r\nTrailer: dropped\r\n\r\n";
  for (const std::size_t piece : {1U, 2U, 3U, 50U, 99U, 100U, 101U, 104U, 4000U, 60'000U}) {
    ServerRig rig{collecting({})};
    CHECK(body_of(rig.ask(post(body), {.max_piece = piece})) == "5000");
    CHECK(body_of(rig.ask(chunked, {.max_piece = piece})) == "5000");
  }
}

TEST_CASE("body: the limit itself fits, one more is 413 and the connection ends", "[http]") {
  ServerRig rig{collecting({.max_bytes = 100})};
  CHECK(body_of(rig.ask(post(std::string(100, 'x')))) == "100");
  CHECK_FALSE(rig.clients.back()->ended);
  const auto refused = rig.ask(post(std::string(101, 'x')));
  CHECK(refused.starts_with("HTTP/1.1 413 "));
  CHECK(refused.find("\r\nConnection: close\r\n") != std::string::npos);
  CHECK(body_of(refused) == "Message size 101 exceeds maximum 100\n");
  CHECK(rig.clients.back()->ended);
  const auto chunked = rig.ask("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" +
                               std::string(101, 'x') + "\r\n0\r\n\r\n");
  CHECK(chunked.starts_with("HTTP/1.1 413 "));
}

TEST_CASE("body: 413 comes as soon as the length is known, without the body", "[http]") {
  ServerRig rig{collecting({.max_bytes = 100})};
  CHECK(rig.ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n").starts_with("HTTP/1.1 413 "));
  const auto expecting = rig.ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\nExpect: 100-continue\r\n\r\n");
  CHECK(expecting.starts_with("HTTP/1.1 413 "));  // and no 100 before it
}

TEST_CASE("body: 100 Continue is sent when the body is wanted, once", "[http]") {
  Reader reader;
  reader.read_at_once = false;
  ServerRig rig{reader.handler()};
  auto& client = rig.connect();
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  rig.run();
  CHECK(client.take().empty());
  reader.exchange.read_body();
  reader.exchange.resume_reading();
  rig.run();
  CHECK(client.take() == "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  rig.run();
  CHECK(reader.body == "abc");
  reader.exchange.respond(200, {}, {});
  rig.run();
  CHECK(client.take() == "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  CHECK(reader.log == "end sent ");
}

TEST_CASE("body: no budget is 503 with Retry-After, and everything taken is given back", "[http]") {
  http::ByteBudget whole{1000, 400};
  http::BudgetShare stranger{whole, 500, false};
  http::BudgetShare trusted{whole, 1000, true};
  ServerRig strangers{collecting({.budget = &stranger})};
  ServerRig friends{collecting({.budget = &trusted})};

  auto& holding = strangers.connect();  // announces much, sends 450
  holding.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n" + std::string(450, 'x'));
  strangers.run();
  CHECK(whole.used() == 450);
  const auto refused = strangers.ask(post(std::string(200, 'x')));
  CHECK(refused.starts_with("HTTP/1.1 503 "));
  CHECK(refused.find("\r\nRetry-After: 1\r\n") != std::string::npos);
  CHECK(refused.find("Connection: close") == std::string::npos);  // the rest of that body is thrown away
  auto& same = *strangers.clients.back();
  same.send(post("small"));
  strangers.run();
  CHECK(body_of(same.take()) == "5");

  CHECK(body_of(friends.ask(post(std::string(550, 'x')))) == "550");  // of the reserved part
  CHECK(whole.used() == 450);
  holding.send(std::string(51, 'x'));  // over its own share
  strangers.run();
  CHECK(holding.take().starts_with("HTTP/1.1 503 "));
  CHECK(whole.used() == 0);

  auto& vanishing = strangers.connect();
  vanishing.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n" + std::string(450, 'x'));
  strangers.run();
  CHECK(whole.used() == 450);
  vanishing.vanish();
  strangers.run();
  CHECK(whole.used() == 0);
}

TEST_CASE("body: a broken or cut body is 400 and never reaches the handler", "[http]") {
  bool called = false;
  ServerRig rig{[&](Exchange exchange) { std::move(exchange).collect({}, [&](Exchange, Buffer) { called = true; }); }};
  const auto broken = rig.ask("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX");
  CHECK(broken.starts_with("HTTP/1.1 400 "));
  CHECK(body_of(broken).starts_with("Failed to read body: "));
  CHECK(rig.clients.back()->ended);
  auto& cut = rig.connect();
  cut.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  cut.stream->shutdown_send();
  rig.run();
  CHECK(body_of(cut.take()) == "Failed to read body: unexpected EOF\n");
  CHECK_FALSE(called);
}

TEST_CASE("body: an answer before the body is read keeps the connection, the body is thrown away", "[http]") {
  int requests = 0;
  ServerRig rig{[&](Exchange exchange) {
    ++requests;
    exchange.respond(200, {}, {});
  }};
  const auto twice = post(std::string(100'000, 'x')) + post("y");
  CHECK(rig.ask(twice, {.max_piece = 1000}) ==
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  CHECK(requests == 2);
  CHECK_FALSE(rig.clients.back()->ended);
}

TEST_CASE("body: more than a bounded rest is not thrown away but ends the connection", "[http]") {
  http::ServerLimits limits;
  limits.connection.discard_bytes = 1000;
  ServerRig rig{[](Exchange exchange) { exchange.respond(200, {}, {}); }, limits};
  CHECK(rig.ask(post(std::string(5000, 'x'))).find("\r\nConnection: close\r\n") != std::string::npos);
  auto& chunked = rig.connect({.max_piece = 100});
  chunked.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 200; ++i) chunked.send("64\r\n" + std::string(100, 'x') + "\r\n");
  rig.run();
  CHECK(chunked.ended);
}

TEST_CASE("body: in pieces, a paused reader stops the stream and no clock of the client runs", "[http]") {
  Reader reader;
  reader.pause_each = true;
  ServerRig rig{reader.handler()};
  auto& client = rig.connect({.max_piece = 100});
  client.send(post(std::string(1000, 'x')));
  rig.run();
  CHECK(reader.pieces == 1);
  CHECK(client.pipe.in_flight(0) > 700);
  rig.advance(1000s);
  CHECK(reader.log.empty());
  while (reader.log.empty()) {
    reader.exchange.resume_reading();
    rig.run();
  }
  CHECK(reader.log == "end ");
  CHECK(reader.body == std::string(1000, 'x'));
}

TEST_CASE("body: a handler that does not ask for the body leaves it with the client", "[http]") {
  Reader reader;
  reader.read_at_once = false;
  ServerRig rig{reader.handler()};
  auto& client = rig.connect({.max_piece = 1000});
  client.send(post(std::string(500'000, 'x')));
  rig.run();
  CHECK(client.pipe.in_flight(0) > 490'000);
  rig.advance(1000s);
  CHECK(reader.log.empty());
  client.vanish();
  rig.run();
  CHECK(reader.log == "aborted ");
  CHECK_FALSE(reader.exchange.connected());
  reader.exchange.respond(200, {}, {});  // does nothing
}

TEST_CASE("answer: on_sent comes when the last byte has left, on_aborted when it never will", "[http]") {
  Reader reader;
  ServerRig rig{reader.handler()};
  auto& client = rig.connect({.max_piece = 1000});
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  rig.run();
  client.stream->pause_reading();
  reader.exchange.respond(200, {}, Buffer{50'000});
  rig.run();
  CHECK(reader.log == "end ");
  client.stream->resume_reading();
  rig.run();
  CHECK(reader.log == "end sent ");

  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  rig.run();
  client.stream->pause_reading();
  std::optional<bool> sent;
  reader.exchange.set_events(nullptr);
  reader.exchange.respond(200, {}, Buffer{50'000}, [&](bool all) { sent = all; });
  rig.run();
  CHECK_FALSE(sent);
  client.vanish();
  rig.run();
  CHECK(sent == false);
}

TEST_CASE("answer: in pieces with a length, chunked, and to the end for HTTP/1.0", "[http]") {
  const auto handler = [](Exchange exchange) {
    const auto path = exchange.request().target.path();
    exchange.start(200, {}, path == "/length" ? std::optional<std::uint64_t>{20'005} : std::nullopt);
    exchange.write(Buffer::copy_of(as_bytes("hello")));
    exchange.write({});
    exchange.write(Buffer::copy_of(as_bytes(std::string(20'000, 'x'))));
    exchange.finish();
  };
  ServerRig rig{handler};
  const auto big = std::string(20'000, 'x');
  CHECK(rig.ask("GET /length HTTP/1.1\r\nHost: x\r\n\r\n") ==
        "HTTP/1.1 200 OK\r\nContent-Length: 20005\r\n\r\nhello" + big);
  CHECK(rig.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n") ==
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n4e20\r\n" + big + "\r\n0\r\n\r\n");
  CHECK(rig.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n") ==
        "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nhello" + big);
  CHECK(rig.clients.back()->ended);
  CHECK_FALSE(rig.clients.back()->reset);
}

TEST_CASE("answer: one that does not keep its length, or is aborted, is seen as broken", "[http]") {
  std::string how;
  ServerRig rig{[&](Exchange exchange) {
    exchange.start(200, {}, how == "chunked" || how == "unframed" ? std::nullopt : std::optional<std::uint64_t>{5});
    exchange.write(Buffer::copy_of(as_bytes("abc")));
    if (how == "long") exchange.write(Buffer::copy_of(as_bytes("defgh")));
    if (how == "short" || how == "long") exchange.finish();
    if (how == "chunked" || how == "unframed") exchange.abort();
  }};
  for (const auto* each : {"short", "long", "chunked"}) {
    how = each;
    const auto answer = rig.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(answer.find("abc") != std::string::npos);
    CHECK(answer.find("0\r\n\r\n") == std::string::npos);
    CHECK(rig.clients.back()->ended);
  }
  how = "unframed";
  rig.ask("GET / HTTP/1.0\r\n\r\n");
  CHECK(rig.clients.back()->reset);
}

TEST_CASE("answer: a slow reader slows the writer, memory stays bounded", "[http]") {
  struct Writer final : http::ExchangeEvents {
    void pump() {
      while (exchange.writable() && left > 0) {
        exchange.write(Buffer{10'000});
        left -= 10'000;
        highest = std::max(highest, exchange.unsent());
      }
      if (left == 0 && !exchange.finished()) exchange.finish();
    }
    void on_writable() override { pump(); }
    void on_aborted(const Error&) override {}
    Exchange exchange;
    int left = 10'000'000;
    std::size_t highest = 0;
  } writer;
  ServerRig rig{[&](Exchange exchange) {
    writer.exchange = std::move(exchange);
    writer.exchange.set_events(&writer);
    writer.exchange.start(200, {});
    writer.pump();
  }};
  auto& client = rig.connect({.max_piece = 1000});
  client.keep = false;
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  rig.run();
  CHECK(client.total > 10'000'000);
  CHECK(writer.highest < 64 * 1024 + 20'000);
}

TEST_CASE("answer: pipelined requests of a client that does not read are not even parsed", "[http]") {
  int requests = 0;
  ServerRig rig{[&](Exchange exchange) {
    ++requests;
    exchange.respond(200, {}, Buffer{30'000});
  }};
  auto& client = rig.connect();
  client.stream->pause_reading();
  client.keep = false;
  for (int i = 0; i < 1000; ++i) client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  rig.run();
  CHECK(requests < 6);
  client.stream->resume_reading();
  rig.run();
  CHECK(requests == 1000);
}

TEST_CASE("answer: a long poll hears that its client has ended, and may still answer", "[http]") {
  Reader reader;
  ServerRig rig{reader.handler()};
  auto& client = rig.connect();
  client.send("GET /recv?wait=30 HTTP/1.1\r\nHost: x\r\n\r\nGET /next HTTP/1.1\r\n");  // the next is under way too
  rig.run();
  rig.advance(300s);  // no time-out while we owe the answer
  client.stream->shutdown_send();
  rig.run();
  CHECK(reader.log == "end client-ended ");
  CHECK(reader.exchange.client_ended());
  reader.exchange.respond(204, {}, {});
  rig.run();
  CHECK(client.take().starts_with("HTTP/1.1 204 "));
  CHECK(reader.log == "end client-ended sent ");
}

TEST_CASE("collector: announced lengths reserve little, bytes that come are kept in one piece", "[http]") {
  BodyCollector huge{{.max_bytes = std::size_t{1} << 40}, std::uint64_t{1} << 39};
  CHECK(huge.admit() == BodyCollector::Verdict::ok);
  const auto first = Buffer::copy_of(as_bytes("abc"));
  CHECK(huge.append(first) == BodyCollector::Verdict::ok);  // would not return if it had reserved it all

  BodyCollector body{{.max_bytes = 8 << 20, .headroom = 64}, 5 << 20};
  Buffer piece{10'000};
  for (std::size_t i = 0; i < piece.size(); ++i) piece.data()[i] = static_cast<std::byte>(i);
  for (int i = 0; i < 524; ++i) REQUIRE(body.append(piece) == BodyCollector::Verdict::ok);
  const auto whole = body.take();
  CHECK(whole.size() == 5'240'000);
  CHECK(whole.headroom() == 64);
  CHECK(std::equal(piece.span().begin(), piece.span().end(), whole.data() + 5'230'000));
  BodyCollector empty{{.headroom = 64}, 0};
  CHECK(empty.take().headroom() == 64);
}
