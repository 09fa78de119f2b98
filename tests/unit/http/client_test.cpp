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

// Notes everything that it hears.
struct Listener final : http::ResponseEvents {
  void on_response(const http::ResponseHead& head) override { log += std::to_string(head.status) + " "; }
  void on_body(Buffer piece) override {
    body += as_text(piece);
    if (act) act();
  }
  void on_complete() override { log += "complete"; }
  void on_failed(const Error& error, Delivery how) override {
    log += "failed";
    delivery = how;
    code = error.code();
  }
  void on_writable() override { ++writable; }
  std::string log;
  std::string body;
  std::optional<Delivery> delivery;
  std::error_code code;
  int writable = 0;
  std::function<void()> act;
};

// A client whose other end a test plays by hand.
struct ByHand {
  explicit ByHand(http::ClientLimits limits = {}, Pipe::Options options = {}) : peer{options} {
    client = std::make_unique<ClientConnection>(peer.pipe.second(), limits, executor, Time{});
  }
  void run() {
    while (executor.run_one() || peer.pipe.step()) {
    }
  }
  void answer(std::string_view text) {
    peer.send(text);
    run();
  }
  TestExecutor executor;
  RawClient peer;
  std::unique_ptr<ClientConnection> client;
};

const http::Request kGet{.method = "GET", .target = "/x", .headers = {{"Host", "h"}}};
const http::Request kPost{.method = "POST", .target = "/m", .headers = {{"Host", "h"}, {"Content-Length", "999"}}};

Buffer bytes(std::string_view text) { return Buffer::copy_of(as_bytes(text)); }

}  // namespace

TEST_CASE("client: a request is written with one framing, answers come in order", "[http]") {
  ByHand hand;
  Listener first;
  Listener second;
  REQUIRE(hand.client->send(kGet, {}, first).ok());
  REQUIRE(hand.client->send(kPost, bytes("hello"), second).ok());
  hand.run();
  CHECK(hand.peer.take() ==
        "GET /x HTTP/1.1\r\nHost: h\r\n\r\nPOST /m HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
  CHECK(hand.client->in_flight() == 2);
  hand.answer(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 204 No Content\r\n\r\n");
  CHECK(first.log == "200 complete");
  CHECK(first.body == "ok");
  CHECK(second.log == "204 complete");
  CHECK(hand.client->in_flight() == 0);
  CHECK(hand.client->usable());
}

TEST_CASE("client: answers are the same at every fragmentation", "[http]") {
  const std::string_view text =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\nT: x\r\n\r\n"
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nHTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno"
      "HTTP/1.1 200 OK\r\n\r\nup to the end";
  for (std::size_t piece = 1; piece < 120; ++piece) {
    ByHand hand{{}, {.seed = piece, .max_piece = piece}};
    std::array<Listener, 4> heard;
    REQUIRE(hand.client->send(kGet, {}, heard[0]).ok());
    REQUIRE(hand.client->send({.method = "HEAD", .target = "/", .headers = {}}, {}, heard[1]).ok());
    REQUIRE(hand.client->send(kPost, {}, heard[2]).ok());
    REQUIRE(hand.client->send(kGet, {}, heard[3]).ok());
    hand.run();
    hand.answer(text);
    hand.peer.stream->shutdown_send();
    hand.run();
    CHECK(heard[0].log == "200 complete");
    CHECK(heard[0].body == "abcdefg");
    CHECK(heard[1].log == "200 complete");
    CHECK(heard[2].log == "503 complete");
    CHECK(heard[2].body == "no");
    CHECK(heard[3].log == "200 complete");
    CHECK(heard[3].body == "up to the end");
    CHECK_FALSE(hand.client->usable());
  }
}

TEST_CASE("client: how far a request got is told when the connection dies", "[http]") {
  ByHand hand{{.pipeline = 2}};
  Listener whole;
  Listener begun;
  Listener waiting;
  REQUIRE(hand.client->send(kPost, bytes("x"), whole).ok());
  const auto id = hand.client->begin(kPost, 10, begun);
  hand.client->write(id.value(), bytes("half"));
  REQUIRE(hand.client->send(kPost, bytes("y"), waiting).ok());
  hand.run();
  hand.peer.vanish();
  hand.run();
  CHECK(whole.log == "failed");
  CHECK(whole.delivery == Delivery::unknown);
  CHECK(begun.delivery == Delivery::incomplete);
  CHECK(waiting.delivery == Delivery::not_sent);
  CHECK(hand.client->in_flight() == 0);
  CHECK_FALSE(hand.client->send(kGet, {}, whole).ok());
}

TEST_CASE("client: requests behind an answer with Connection: close were not processed", "[http]") {
  ByHand hand;
  Listener first;
  Listener second;
  REQUIRE(hand.client->send(kPost, bytes("x"), first).ok());
  REQUIRE(hand.client->send(kPost, bytes("y"), second).ok());
  hand.run();
  hand.answer("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  CHECK(first.log == "413 complete");
  CHECK(second.log == "failed");
  CHECK(second.delivery == Delivery::not_sent);
}

TEST_CASE("client: an answer that is no answer fails everything under way", "[http]") {
  for (const std::string_view bad :
       {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", "220 smtp\r\n",
        "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 101 Switching\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n"}) {
    ByHand hand;
    Listener first;
    Listener second;
    REQUIRE(hand.client->send(kGet, {}, first).ok());
    REQUIRE(hand.client->send(kGet, {}, second).ok());
    hand.run();
    hand.answer(bad);
    CHECK(first.log == "failed");
    CHECK(first.code == make_error_code(Errc::malformed));
    CHECK(second.delivery == Delivery::unknown);
    CHECK_FALSE(hand.client->usable());
  }
}

TEST_CASE("client: an unasked answer closes an idle connection", "[http]") {
  ByHand hand;
  int changes = 0;
  hand.client->on_change([&] { ++changes; });
  hand.answer("HTTP/1.1 408 Request Timeout\r\n\r\n");
  CHECK_FALSE(hand.client->usable());
  CHECK(changes >= 1);
}

TEST_CASE("client: heads of answers are bounded", "[http]") {
  ByHand hand;
  Listener heard;
  REQUIRE(hand.client->send(kGet, {}, heard).ok());
  hand.run();
  hand.answer("HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x'));
  CHECK(heard.log == "failed");
  ByHand endless;
  Listener waiting;
  REQUIRE(endless.client->send(kGet, {}, waiting).ok());
  endless.run();
  for (int i = 0; i < 30; ++i) endless.answer("HTTP/1.1 103 Early Hints\r\n\r\n");
  CHECK(waiting.log == "failed");
}

TEST_CASE("client: a gathered answer is one buffer, and one that is too large an error", "[http]") {
  for (const bool chunked : {false, true}) {
    ByHand hand;
    std::string got;
    std::optional<Delivery> delivery;
    const auto handler = [&](Result<http::Response> response, Delivery how) {
      got = response ? std::string{as_text(response->body)} : "error";
      delivery = how;
    };
    REQUIRE(hand.client->send(kGet, {}, {.max_bytes = 10}, handler).ok());
    REQUIRE(hand.client->send(kGet, {}, {.max_bytes = 10}, handler).ok());
    hand.run();
    hand.answer(chunked ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n5\r\nfghij\r\n0\r\n\r\n"
                        : "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabcdefghij");
    CHECK(got == "abcdefghij");
    CHECK(delivery == Delivery::answered);
    hand.answer(chunked ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nabcdefghijk\r\n"
                        : "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n");
    CHECK(got == "error");
    CHECK(delivery == Delivery::answered);
  }
}

TEST_CASE("client: a paused answer stops the stream, and goes on where it stopped", "[http]") {
  ByHand hand;
  Listener heard;
  const auto id = hand.client->send(kGet, {}, heard).value();
  heard.act = [&] { hand.client->pause_reading(id); };
  hand.run();
  hand.answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
  hand.answer("defghij");
  CHECK(heard.body == "abc");
  CHECK(hand.peer.pipe.in_flight(0) == 7);
  heard.act = nullptr;
  hand.client->resume_reading(id);
  hand.run();
  CHECK(heard.body == "abcdefghij");
  CHECK(heard.log == "200 complete");
}

TEST_CASE("client: an answer may come before the request's body is complete", "[http]") {
  ByHand hand;
  Listener heard;
  const auto id = hand.client->begin(kPost, std::nullopt, heard).value();
  hand.client->write(id, bytes("abc"));
  hand.run();
  CHECK(hand.peer.take().ends_with("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"));
  hand.answer("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
  CHECK(heard.log == "403 complete");
  CHECK_FALSE(hand.client->usable());
  hand.client->write(id, bytes("late"));  // does nothing
  hand.run();
}

TEST_CASE("client: cancelling a request that is alone closes, among others it is only forgotten", "[http]") {
  ByHand hand;
  Listener first;
  Listener second;
  const auto id = hand.client->send(kGet, {}, first).value();
  const auto other = hand.client->send(kGet, {}, second).value();
  hand.run();
  hand.client->cancel(id);
  hand.answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nb");
  CHECK(first.log.empty());
  CHECK(second.body == "b");
  hand.client->cancel(other);
  hand.run();
  CHECK(second.log == "200 ");
  CHECK(hand.peer.ended);
  CHECK(hand.client->in_flight() == 0);
}

TEST_CASE("client: silence is timed only while an answer is due and we read", "[http]") {
  ByHand hand{{.silence_timeout = 5s}};
  Listener heard;
  Time now{};
  const auto pass = [&](int seconds) {
    for (int i = 0; i < seconds; ++i) hand.client->on_tick(now += 1s);
    hand.run();
  };
  pass(100);
  CHECK(hand.client->usable());
  const auto id = hand.client->send(kGet, {}, heard).value();
  hand.run();
  pass(4);
  hand.answer("HTTP/1.1 200 OK\r\n");
  pass(4);
  CHECK(heard.log.empty());
  hand.client->pause_reading(id);
  hand.run();
  pass(100);
  CHECK(heard.log.empty());
  hand.client->resume_reading(id);
  hand.run();
  pass(7);
  CHECK(heard.log == "failed");
  CHECK(heard.code == make_error_code(Errc::timed_out));
}

TEST_CASE("client: a request body slower than its reader waits for room", "[http]") {
  ByHand hand{{}, {.high_mark = 1000, .low_mark = 100}};
  Listener heard;
  const auto id = hand.client->begin(kPost, 5000, heard).value();
  hand.peer.stream->pause_reading();
  int written = 0;
  while (hand.client->writable(id)) {
    hand.client->write(id, Buffer{500});
    ++written;
  }
  CHECK(written <= 3);
  hand.run();
  CHECK(heard.writable == 0);
  hand.peer.stream->resume_reading();
  hand.run();
  CHECK(heard.writable == 1);
}

TEST_CASE("client: invalid methods and targets never reach the stream", "[http]") {
  ByHand hand;
  Listener heard;
  for (const auto* target : {"", "/a b", "/a\r\nX: y", "/\x01"}) {
    CHECK_FALSE(hand.client->send({.method = "GET", .target = target, .headers = {}}, {}, heard).ok());
  }
  CHECK_FALSE(hand.client->send({.method = "G T", .target = "/", .headers = {}}, {}, heard).ok());
  hand.run();
  CHECK(hand.peer.take().empty());
}

TEST_CASE("client: destroyed within its own event, it calls nobody any more", "[http]") {
  ByHand hand;
  Listener first;
  Listener second;
  REQUIRE(hand.client->send(kGet, {}, first).ok());
  REQUIRE(hand.client->send(kGet, {}, second).ok());
  first.act = [&] { hand.client.reset(); };
  hand.run();
  hand.answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  CHECK(first.log == "200 ");
  CHECK(second.log.empty());
}

TEST_CASE("client: random answers and ends never break it, every request ends exactly once", "[http]") {
  const std::uint64_t seed = 4711;
  INFO("seed " << seed);
  std::mt19937_64 random{seed};
  const std::string valid =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
      "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcdHTTP/1.1 304 Not Modified\r\n\r\nHTTP/1.0 200 OK\r\n\r\nend";
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
    ByHand hand{{.pipeline = 1 + random() % 4}, {.seed = random(), .max_piece = 1 + random() % 100}};
    int ends = 0;
    int sent = 0;
    for (int i = 0; i < 5; ++i) {
      const auto id = hand.client->send(kPost, bytes("x"), {.max_bytes = 5}, [&](auto, Delivery) { ++ends; });
      if (id.ok()) ++sent;
      if (id.ok() && random() % 20 == 0) {
        hand.client->cancel(*id);
        --sent;
      }
      if (random() % 2 == 0) hand.run();
    }
    hand.peer.send(input);
    for (auto steps = random() % 40; steps > 0; --steps) hand.peer.pipe.step();
    switch (random() % 4) {
      case 0: hand.peer.vanish(); break;
      case 1: hand.peer.stream->shutdown_send(); break;
      case 2: hand.peer.pipe.break_off(); break;
      default: hand.peer.stream->close();
    }
    hand.run();
    CHECK(ends == sent);
    CHECK(hand.client->in_flight() == 0);
    CHECK_FALSE(hand.client->usable());
  }
}
