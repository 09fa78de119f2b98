// Topics, senders, leases and streams of `/recv`.
#include <catch2/catch_test_macros.hpp>

#include "crypto/base64.hpp"
#include "http/local_access.hpp"
#include "test_mesh.hpp"

using namespace std::chrono_literals;
using axl::test::HttpUser;
using axl::test::Recorder;
using axl::test::TestMesh;

namespace {

struct Fixture {
  TestMesh mesh;
  axl::test::TestNode& a = mesh.add(1);
  axl::test::TestNode& b = mesh.add(2);
  axl::test::TestNode& c = mesh.add(3);
  HttpUser user_a{mesh, a};
  HttpUser user_b{mesh, b};
  HttpUser user_c{mesh, c};

  void to_b(HttpUser& from, std::string_view body, std::string topic = {}, std::string id = {}) {
    std::vector<std::pair<std::string, std::string>> headers;
    if (!topic.empty()) headers.emplace_back("X-Axl-Topic", topic);
    if (!id.empty()) headers.emplace_back("X-Axl-Message-Id", id);
    REQUIRE(from.send(b.our_key(), body, std::move(headers)).status == 200);
  }
  std::string recv(const std::string& query) { return user_b.ask("GET", "/recv" + query).body; }

  std::unique_ptr<Recorder> open_stream(const std::string& query) {
    auto [ours, theirs] = mesh.loop.make_pipe(mesh.pipe_options);
    b.bridge().accept_local(std::move(theirs));
    auto raw = std::make_unique<Recorder>(std::move(ours));
    raw->write("GET /recv/stream" + query + " HTTP/1.0\r\nHost: localhost\r\n\r\n");
    mesh.loop.run();
    return raw;
  }
  std::size_t left() { return b.router().queue_stats().messages; }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "recv: each topic is a queue of its own", "[bridge]") {
  to_b(user_a, "t1", "t");
  to_b(user_a, "plain");
  to_b(user_a, "u1", "u/v");
  to_b(user_a, "t2", "t");
  CHECK(recv("?topic=t") == "t1");
  CHECK(recv("") == "plain");
  CHECK(recv("").empty());
  CHECK(recv("?topic=u%2Fv") == "u1");
  CHECK(recv("?topic=t") == "t2");
  CHECK(user_b.ask("GET", "/recv?topic=t").status == 204);
  CHECK(user_b.ask("GET", "/recv?topic=a%20b").status == 400);
  CHECK(user_b.ask("GET", "/recv?topic=" + std::string(129, 't')).status == 400);
}

TEST_CASE_METHOD(Fixture, "recv: from= picks a sender, by full or partial id, and goes with topic=", "[bridge]") {
  const auto from_a = "from=" + a.our_key().to_hex();
  const auto from_c = "from=" + axl::Address::of(c.our_key()).partial_key().to_hex();
  to_b(user_a, "a1");
  to_b(user_c, "c1");
  to_b(user_a, "at", "t");
  to_b(user_c, "ct", "t");
  CHECK(recv("?" + from_c) == "c1");
  CHECK(recv("?" + from_c).empty());
  CHECK(recv("?topic=t&" + from_c) == "ct");
  CHECK(recv("?" + from_a + "&topic=t") == "at");
  CHECK(recv("?" + from_a) == "a1");
  CHECK(left() == 0);
  CHECK(user_b.ask("GET", "/recv?from=abc").status == 400);
}

TEST_CASE_METHOD(Fixture, "recv: who waits for a topic or a sender is not woken by others", "[bridge]") {
  HttpUser second{mesh, b};
  HttpUser third{mesh, b};
  const auto topic = user_b.begin("GET", "/recv?topic=t&wait=60");
  const auto sender = second.begin("GET", "/recv?wait=60&from=" + c.our_key().to_hex());
  const auto plain = third.begin("GET", "/recv?wait=60");
  mesh.loop.run();
  to_b(user_a, "plain");
  to_b(user_c, "of c");
  to_b(user_a, "topical", "t");
  mesh.loop.run();
  CHECK(topic->body == "topical");
  CHECK(sender->body == "of c");
  CHECK(plain->body == "plain");
}

TEST_CASE_METHOD(Fixture, "recv: HEAD looks at a topic and does not take", "[bridge]") {
  to_b(user_a, "12345", "t");
  CHECK(user_b.ask("HEAD", "/recv").status == 204);
  const auto head = user_b.ask("HEAD", "/recv?topic=t");
  CHECK(head.status == 200);
  CHECK(head.header("Content-Length") == "5");
  CHECK(recv("?topic=t") == "12345");
}

TEST_CASE_METHOD(Fixture, "recv: a leased message is gone once confirmed, and comes again at its place if not",
                 "[bridge]") {
  to_b(user_a, "1", {}, "one");
  to_b(user_a, "2", {}, "two");
  const auto first = user_b.ask("GET", "/recv?ack=1");
  CHECK(first.body == "1");
  CHECK(first.header("X-Axl-Message-Id") == "one");
  CHECK(first.header("X-Axl-Lease") == "30");
  CHECK(b.router().queue_stats().leased == 1);
  CHECK(user_b.ask("HEAD", "/recv").header("X-Axl-Message-Id") == "two");
  mesh.loop.advance(31s);
  CHECK(user_b.ask("GET", "/recv?ack=1&lease=600").body == "1");
  CHECK(user_b.ask("DELETE", "/recv/one").status == 204);
  CHECK(user_b.ask("DELETE", "/recv/one").status == 404);
  CHECK(user_b.ask("DELETE", "/recv/two").status == 404);  // nobody has it
  mesh.loop.advance(11min);
  CHECK(recv("") == "2");
  CHECK(left() == 0);
  for (const auto* bad : {"?ack=2", "?ack=1&lease=0", "?ack=1&lease=601", "?ack=1&lease=x"}) {
    CHECK(user_b.ask("GET", std::string{"/recv"} + bad).status == 400);
  }
}

TEST_CASE_METHOD(Fixture, "recv: a lease that ran out can still be confirmed, and wakes who waits", "[bridge]") {
  to_b(user_a, "1", {}, "one");
  CHECK(recv("?ack=1&lease=1") == "1");
  HttpUser second{mesh, b};
  const auto waiting = second.begin("GET", "/recv?wait=60&ack=1&lease=1");
  mesh.loop.advance(2s);
  CHECK(waiting->body == "1");
  mesh.loop.advance(2s);
  CHECK(user_b.ask("DELETE", "/recv/one").status == 204);
  CHECK(recv("").empty());
}

TEST_CASE_METHOD(Fixture, "recv: ids that need encoding, ids of two senders, and messages without one", "[bridge]") {
  to_b(user_a, "odd", {}, "a/b%c?d");
  CHECK(recv("?ack=1") == "odd");
  CHECK(user_b.ask("DELETE", "/recv/a%2Fb%25c%3Fd").status == 204);
  to_b(user_a, "dots", {}, "..");
  CHECK(recv("?ack=1") == "dots");
  CHECK(user_b.ask("DELETE", "/recv?id=..").status == 204);
  to_b(user_a, "named like a route", {}, "stream");
  CHECK(recv("?ack=1") == "named like a route");
  CHECK(user_b.ask("DELETE", "/recv/stream").status == 204);
  to_b(user_a, "of a", {}, "same");
  to_b(user_c, "of c", {}, "same");
  CHECK(recv("?ack=1") == "of a");
  CHECK(recv("?ack=1") == "of c");
  CHECK(user_b.ask("DELETE", "/recv/same").status == 409);
  CHECK(user_b.ask("DELETE", "/recv/same?from=" + c.our_key().to_hex()).status == 204);
  CHECK(user_b.ask("DELETE", "/recv/same").status == 204);
  axl::Message frame;
  frame.sender = a.our_key();
  frame.address = axl::Address::of(frame.sender);
  REQUIRE(b.bridge().dispatcher().offer(frame, mesh.loop.now()) == axl::router::Verdict::accepted);
  const auto got = user_b.ask("GET", "/recv?ack=1");
  CHECK(got.header("X-Axl-Message-Id").size() == 32);
  CHECK(user_b.ask("DELETE", "/recv/" + got.header("X-Axl-Message-Id")).status == 204);
  CHECK(user_b.ask("DELETE", "/recv/%zz").status == 400);
  CHECK(user_b.ask("DELETE", "/recv").status == 405);
}

TEST_CASE_METHOD(Fixture, "recv stream: messages come as events, each to one consumer", "[bridge]") {
  to_b(user_a, "before", {}, "m\"1");
  auto stream = open_stream("");
  auto topical = open_stream("?topic=t");
  to_b(user_a, "after", {}, "m2");
  to_b(user_c, std::string(200'001, 'x'), "t", "m3");
  mesh.loop.run();
  CHECK(left() == 0);
  const auto from = a.our_key().to_hex();
  CHECK(stream->received.find("Content-Type: text/event-stream\r\n") != std::string::npos);
  CHECK(stream->received.ends_with("event: message\nid: m\"1\ndata: {\"id\":\"m\\\"1\",\"from\":\"" + from +
                                   "\",\"size\":6,\"data\":\"YmVmb3Jl\"}\n\n"
                                   "event: message\nid: m2\ndata: {\"id\":\"m2\",\"from\":\"" +
                                   from + "\",\"size\":5,\"data\":\"YWZ0ZXI=\"}\n\n"));
  const auto text = axl::crypto::to_base64(axl::as_bytes(std::string(200'001, 'x')));
  CHECK(topical->received.ends_with("\"topic\":\"t\",\"size\":200001,\"data\":\"" + text + "\"}\n\n"));
  mesh.loop.advance(16s);
  CHECK(stream->received.ends_with("\n\n:\n\n"));
  CHECK_FALSE(stream->closed);
}

TEST_CASE_METHOD(Fixture, "recv stream: what a broken reader did not get is in the queue, in order", "[bridge]") {
  auto stream = open_stream("");
  stream->stream().pause_reading();
  for (int i = 0; i < 40; ++i) to_b(user_a, std::to_string(i) + std::string(100'000, 'x'));
  mesh.loop.run();
  const auto kept = left();
  CHECK(kept >= 30);
  CHECK(stream->received.size() < 1'000'000);
  stream.reset();
  mesh.loop.run();
  CHECK(left() == kept);
  for (std::size_t i = 40 - kept; i < 40; ++i) {
    const auto body = recv("");
    CHECK(body.substr(0, body.find('x')) == std::to_string(i));
  }
  CHECK(recv("").empty());
}

TEST_CASE_METHOD(Fixture, "recv stream: with ack=1 messages are leased until they are confirmed", "[bridge]") {
  auto stream = open_stream("?ack=1&lease=10");
  to_b(user_a, "1", {}, "one");
  to_b(user_a, "2", {}, "two");
  mesh.loop.run();
  CHECK(b.router().queue_stats().leased == 2);
  CHECK(user_b.ask("DELETE", "/recv/one").status == 204);
  stream.reset();
  mesh.loop.advance(11s);
  CHECK(recv("") == "2");
  CHECK(left() == 0);
}

TEST_CASE_METHOD(Fixture, "recv stream: draining ends it", "[bridge]") {
  auto stream = open_stream("");
  bool drained = false;
  b.bridge().drain([&drained] { drained = true; });
  mesh.loop.advance(1s);
  CHECK(stream->ended);
  CHECK(drained);
}

TEST_CASE("local access: a token guards every request but a preflight", "[bridge]") {
  TestMesh mesh;
  auto& a = mesh.add(1, {}, {.allowed_origins = {"http://page.test"}, .token = "0123456789abcdef"});
  HttpUser user{mesh, a};
  using Lines = std::vector<std::pair<std::string, std::string>>;
  const auto status = [&user](Lines headers) { return user.ask("GET", "/topology", std::move(headers)).status; };
  CHECK(status({}) == 401);
  CHECK(status({{"X-Axl-Token", "0123456789abcdeF"}}) == 401);
  CHECK(status({{"X-Axl-Token", ""}}) == 401);
  CHECK(status({{"X-Axl-Token", "0123456789abcdef"}}) == 200);
  CHECK(status({{"X-Axl-Token", "0123456789abcdef"}, {"X-Axl-Token", "0123456789abcdef"}}) == 401);
  CHECK(status({{"X-Axl-Token", "0123456789abcdef"}, {"Host", "evil.test"}}) == 403);
  CHECK(status({{"X-Axl-Token", "0123456789abcdef"}, {"Origin", "http://127.0.0.1:9002"}}) == 403);
  const Lines ask{{"Origin", "http://page.test"},
                  {"Access-Control-Request-Method", "POST"},
                  {"Access-Control-Request-Headers", "x-axl-token, content-type"}};
  const auto preflight = user.ask("OPTIONS", "/send", ask);
  CHECK(preflight.status == 204);
  CHECK(preflight.header("Access-Control-Allow-Origin") == "http://page.test");
  CHECK(preflight.header("Access-Control-Allow-Headers") == "x-axl-token, content-type");
  CHECK(preflight.header("Access-Control-Allow-Methods").find("DELETE") != std::string::npos);
  const auto read = user.ask("GET", "/topology", {{"Origin", "http://page.test"}, {"X-Axl-Token", "0123456789abcdef"}});
  CHECK(read.status == 200);
  CHECK(read.header("Access-Control-Allow-Origin") == "http://page.test");
  CHECK(read.header("X-Axl-Version") == "0.1.0");
  CHECK(user.ask("OPTIONS", "/send", {{"Origin", "http://other.test"}, {"Access-Control-Request-Method", "POST"}})
            .status == 403);
  a.bridge().local_access().add_bound_address("192.0.2.7");
  CHECK(status({{"X-Axl-Token", "0123456789abcdef"}, {"Host", "192.0.2.7:9002"}}) == 200);
  CHECK(status({{"X-Axl-Token", "0123456789abcdef"}, {"Host", "192.0.2.8"}}) == 403);
  a.bridge().local_access().add_bound_address("0.0.0.0");
  CHECK(status({{"X-Axl-Token", "0123456789abcdef"}, {"Host", "192.0.2.8"}}) == 200);
  CHECK(status({{"X-Axl-Token", "0123456789abcdef"}, {"Host", "[2001:db8::1]:9"}}) == 200);
  CHECK(status({{"X-Axl-Token", "0123456789abcdef"}, {"Host", "rebound.test"}}) == 403);
}
