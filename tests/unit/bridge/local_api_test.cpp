#include <catch2/catch_test_macros.hpp>

#include "test_mesh.hpp"

using namespace std::chrono_literals;
using axl::test::Answer;
using axl::test::HttpUser;
using axl::test::key_of;
using axl::test::Recorder;
using axl::test::TestMesh;

namespace {

struct Fixture {
  TestMesh mesh;
  axl::test::TestNode& a = mesh.add(1);
  axl::test::TestNode& b = mesh.add(2);
  HttpUser user_a{mesh, a};
  HttpUser user_b{mesh, b};
};

void check_text(const Answer& answer, int status, std::string_view text) {
  CHECK(answer.status == status);
  CHECK(answer.body == std::string{text} + "\n");
  CHECK(answer.header("Content-Type") == "text/plain; charset=utf-8");
  CHECK(answer.header("X-Content-Type-Options") == "nosniff");
}

}  // namespace

TEST_CASE_METHOD(Fixture, "local api: a message goes from /send to the peer's /recv", "[bridge]") {
  const auto sent = user_a.send(b.our_key(), "hello", {{"X-Axl-Message-Id", "id-1"}, {"X-Axl-Topic", "t"}});
  CHECK(sent.status == 200);
  CHECK(sent.body.empty());
  CHECK(sent.header("Content-Type") == "application/octet-stream");
  CHECK(sent.header("Content-Length") == "0");
  CHECK(sent.header("X-Sent-Bytes") == "5");
  CHECK(sent.header("X-Axl-Delivered") == "1");
  CHECK(sent.header("X-Axl-Message-Id") == "id-1");
  CHECK(sent.header("Server") == "axl/0.1.0");
  CHECK(user_b.ask("GET", "/recv").status == 204);  // those with a topic are for who asks for it
  const auto got = user_b.ask("GET", "/recv?topic=t");
  CHECK(got.status == 200);
  CHECK(got.body == "hello");
  CHECK(got.header("Content-Type") == "application/octet-stream");
  CHECK(got.header("Content-Length") == "5");
  CHECK(got.header("X-From-Peer-Id") == a.our_key().to_hex());
  CHECK(got.header("X-Axl-From-Address") == axl::Address::of(a.our_key()).to_string());
  CHECK(got.header("X-Axl-Message-Id") == "id-1");
  CHECK(got.header("X-Axl-Topic") == "t");
  const auto empty = user_b.ask("GET", "/recv");
  CHECK(empty.status == 204);
  CHECK(empty.header("Content-Type") == "(none)");
}

TEST_CASE_METHOD(Fixture, "local api: an empty message, one to ourselves, an id in capitals", "[bridge]") {
  CHECK(user_a.send(b.our_key(), "").status == 200);
  const auto empty = user_b.ask("GET", "/recv");
  CHECK(empty.status == 200);
  CHECK(empty.header("Content-Length") == "0");
  const auto self = user_a.send(a.our_key(), "to myself");
  CHECK(self.status == 200);
  CHECK(self.header("X-Axl-Delivered") == "1");
  CHECK(user_a.ask("GET", "/recv").body == "to myself");
  auto upper = b.our_key().to_hex();
  for (auto& c : upper) c = static_cast<char>(std::toupper(c));
  CHECK(user_a.ask("POST", "/send", {{"X-Destination-Peer-Id", " " + upper + " "}}, "x").status == 200);
}

TEST_CASE_METHOD(Fixture, "local api: what /send refuses, and in which words", "[bridge]") {
  const auto to_b = std::pair<std::string, std::string>{"X-Destination-Peer-Id", b.our_key().to_hex()};
  for (const auto* method : {"GET", "PUT", "DELETE", "OPTIONS"}) {
    check_text(user_a.ask(method, "/send", {to_b}), 405, "Method not allowed");
  }
  CHECK(user_a.ask("HEAD", "/send", {to_b}).status == 405);
  check_text(user_a.ask("POST", "/send", {}, "x"), 400, "Missing X-Destination-Peer-Id header");
  check_text(user_a.ask("POST", "/send", {{"X-Destination-Peer-Id", ""}}, "x"), 400,
             "Missing X-Destination-Peer-Id header");
  const auto hex = b.our_key().to_hex();
  for (const auto& bad :
       {std::string{"abcd"}, std::string(64, 'z'), hex.substr(1), hex + "a", hex + "aa", "0x" + hex.substr(2)}) {
    check_text(user_a.ask("POST", "/send", {{"X-Destination-Peer-Id", bad}}, "x"), 400, "Invalid destination peer ID");
  }
  check_text(user_a.ask("POST", "/send", {to_b, {"X-Axl-Message-Id", std::string(129, 'i')}}, "x"), 400,
             "Invalid X-Axl-Message-Id header");
  CHECK(user_a.ask("POST", "/send", {to_b, {"X-Axl-Message-Id", std::string(128, 'i')}}, "x").status == 200);
  check_text(user_a.ask("POST", "/send", {to_b, {"X-Axl-Topic", std::string(129, 't')}}, "x"), 400,
             "Invalid X-Axl-Topic header");
  // The first of several counts.
  CHECK(user_a.ask("POST", "/send", {to_b, {"X-Destination-Peer-Id", "zz"}}, "x").status == 200);
}

TEST_CASE_METHOD(Fixture, "local api: every answer of /send names the message", "[bridge]") {
  const auto to_b = std::pair<std::string, std::string>{"X-Destination-Peer-Id", b.our_key().to_hex()};
  CHECK(user_a.ask("GET", "/send").header("X-Axl-Message-Id").size() == 32);
  CHECK(user_a.ask("POST", "/send").header("X-Axl-Message-Id").size() == 32);
  CHECK(user_a.ask("POST", "/send", {{"X-Axl-Message-Id", "mine"}}).header("X-Axl-Message-Id") == "mine");
  const auto first = user_a.ask("POST", "/send", {to_b}, "x").header("X-Axl-Message-Id");
  const auto second = user_a.ask("POST", "/send", {to_b}, "x").header("X-Axl-Message-Id");
  CHECK(first.size() == 32);
  CHECK(first != second);
}

TEST_CASE("local api: the size is checked here first", "[bridge]") {
  TestMesh mesh;
  axl::NodeConfig config;
  config.max_message_size = 1'000;
  auto& a = mesh.add(1, config);
  auto& b = mesh.add(2, config);
  HttpUser user{mesh, a};
  CHECK(user.send(b.our_key(), std::string(1'000, 'x')).status == 200);
  mesh.connects = 0;
  HttpUser second{mesh, a};
  check_text(second.send(b.our_key(), std::string(1'001, 'x')), 413, "Message size 1001 exceeds maximum 1000");
  CHECK(mesh.connects == 0);
}

TEST_CASE_METHOD(Fixture, "local api: routes that are none, redirects, and what is not built yet", "[bridge]") {
  check_text(user_a.ask("GET", "/"), 404, "404 page not found");
  check_text(user_a.ask("GET", "/healthz"), 404, "404 page not found");
  check_text(user_a.ask("GET", "/topology/"), 404, "404 page not found");
  check_text(user_a.ask("POST", "/topology"), 405, "Method not allowed");
  CHECK(user_a.ask("POST", "/topology").header("Allow") == "GET, HEAD");
  for (const auto* method : {"POST", "PUT", "DELETE", "OPTIONS"}) {
    check_text(user_a.ask(method, "/recv"), 405, "Method not allowed");
  }
  CHECK(user_a.ask("GET", "/mcp").status == 301);
  CHECK(user_a.ask("GET", "/mcp").header("Location") == "/mcp/");
  CHECK(user_a.ask("GET", "//topology").header("Location") == "/topology");
  CHECK(user_a.ask("POST", "/mcp/x/y", {}, "{}").status == 502);
  CHECK(user_a.ask("GET", "/a2a/x").status == 502);
}

TEST_CASE_METHOD(Fixture, "local api: web pages and foreign names are refused", "[bridge]") {
  const auto status = [this](std::vector<std::pair<std::string, std::string>> headers) {
    return user_a.ask("GET", "/topology", std::move(headers)).status;
  };
  for (const auto* host : {"127.0.0.1", "127.0.0.1:9002", "localhost:9002", "LOCALHOST", "[::1]:9002", "127.9.9.9"}) {
    INFO(host);
    CHECK(status({{"Host", host}}) == 200);
  }
  for (const auto* host : {"evil.example", "evil.example:9002", "127.0.0.1.evil.example", "192.168.0.1", "0.0.0.0",
                           "127.0.0.1:1:2", "localhost.evil.example", "[::2]", "12700.0.0.1"}) {
    INFO(host);
    CHECK(status({{"Host", host}}) == 403);
  }
  CHECK(status({{"Origin", "http://evil.example"}}) == 403);
  CHECK(status({{"Origin", "http://127.0.0.1:9002"}}) == 403);
  CHECK(status({{"Origin", "null"}}) == 403);
  CHECK(status({{"Sec-Fetch-Dest", "image"}, {"Sec-Fetch-Site", "cross-site"}}) == 403);
  CHECK(status({{"Sec-Fetch-Dest", "document"}, {"Sec-Fetch-Site", "none"}}) == 403);
  CHECK(status({{"Sec-Fetch-Dest", "empty"}, {"Sec-Fetch-Site", "cross-site"}}) == 403);
  CHECK(status({{"Sec-Fetch-Dest", "empty"}, {"Sec-Fetch-Site", "none"}}) == 200);
}

TEST_CASE("local api: names and origins that the configuration lists are let in", "[bridge]") {
  TestMesh mesh;
  auto& a = mesh.add(1, {}, {.allowed_hosts = {"axl.home"}, .allowed_origins = {"https://app.example"}});
  HttpUser user{mesh, a};
  CHECK(user.ask("GET", "/topology", {{"Host", "axl.home:9002"}}).status == 200);
  CHECK(user.ask("GET", "/topology", {{"Origin", "https://app.example"}, {"Sec-Fetch-Site", "cross-site"}}).status ==
        200);
  CHECK(user.ask("GET", "/topology", {{"Origin", "https://app.example.evil"}}).status == 403);
}

TEST_CASE_METHOD(Fixture, "local api: HTTP/1.0 without Host is served", "[bridge]") {
  auto [ours, theirs] = mesh.loop.make_pipe();
  a.bridge().accept_local(std::move(theirs));
  Recorder raw{std::move(ours)};
  raw.write("GET /recv HTTP/1.0\r\n\r\n");
  mesh.loop.run();
  CHECK(raw.received.starts_with("HTTP/1.0 204 No Content\r\n"));
  CHECK(raw.ended);
}

TEST_CASE_METHOD(Fixture, "local api: topology has the reference's fields, lists that are never null, and ours",
                 "[bridge]") {
  const auto answer = user_a.ask("GET", "/topology");
  CHECK(answer.header("Content-Type") == "application/json");
  CHECK(answer.body.starts_with("{\"our_ipv6\":\"" + axl::Address::of(a.our_key()).to_string() +
                                "\",\"our_public_key\":\"" + a.our_key().to_hex() + "\",\"peers\":[],\"tree\":[],"));
  CHECK(answer.body.find(R"("tcp_port":7000)") != std::string::npos);
  CHECK(answer.body.ends_with("}\n"));
  CHECK(user_a.ask("HEAD", "/topology").status == 200);
}

TEST_CASE_METHOD(Fixture, "recv: HEAD looks and does not take", "[bridge]") {
  CHECK(user_b.ask("HEAD", "/recv").status == 204);
  CHECK(user_a.send(b.our_key(), "hello").status == 200);
  const auto head = user_b.ask("HEAD", "/recv");
  CHECK(head.status == 200);
  CHECK(head.header("Content-Length") == "5");
  CHECK(head.header("X-From-Peer-Id") == a.our_key().to_hex());
  CHECK(head.body.empty());
  CHECK(user_b.ask("GET", "/recv").body == "hello");
}

TEST_CASE_METHOD(Fixture, "recv: wait holds the request until a message comes, or the time is up", "[bridge]") {
  const auto start = mesh.loop.now();
  const auto waiting = user_b.begin("GET", "/recv?wait=30");
  mesh.loop.advance(10s);
  CHECK(waiting->status == 0);
  CHECK(user_a.send(b.our_key(), "late").status == 200);
  mesh.loop.run();
  CHECK(waiting->status == 200);
  CHECK(waiting->body == "late");
  CHECK(mesh.loop.now() == start + 10s);
  const auto again = user_b.begin("GET", "/recv?wait=30");
  mesh.loop.advance(29s);
  CHECK(again->status == 0);
  mesh.loop.advance(1s);
  CHECK(again->status == 204);
  const auto longest = user_b.begin("GET", "/recv?wait=100000");
  mesh.loop.advance(60s);
  CHECK(longest->status == 204);
  CHECK(user_b.ask("GET", "/recv?wait=0").status == 204);
  CHECK(user_b.ask("GET", "/recv?wait=x").status == 400);
  CHECK(user_b.ask("GET", "/recv?wait=-1").status == 400);
}

TEST_CASE_METHOD(Fixture, "recv: those who wait are served in order, and one that has gone takes nothing", "[bridge]") {
  HttpUser second{mesh, b};
  HttpUser third{mesh, b};
  const auto one = user_b.begin("GET", "/recv?wait=60");
  mesh.loop.run();
  const auto two = second.begin("GET", "/recv?wait=60");
  mesh.loop.run();
  const auto three = third.begin("GET", "/recv?wait=60");
  mesh.loop.run();
  second.disconnect();
  mesh.loop.run();
  CHECK(user_a.send(b.our_key(), "1").status == 200);
  CHECK(user_a.send(b.our_key(), "2").status == 200);
  mesh.loop.run();
  CHECK(one->body == "1");
  CHECK(three->body == "2");
  CHECK(b.router().queue_stats().messages == 0);
}

TEST_CASE_METHOD(Fixture, "recv: a message whose reader breaks off is the oldest again", "[bridge]") {
  const std::string big(3'000'000, 'b');
  CHECK(user_a.send(b.our_key(), big).status == 200);
  CHECK(user_a.send(b.our_key(), "second").status == 200);
  auto [ours, theirs] = mesh.loop.make_pipe();
  b.bridge().accept_local(std::move(theirs));
  {
    Recorder raw{std::move(ours)};
    raw.write("GET /recv HTTP/1.1\r\nHost: localhost\r\n\r\n");
    raw.stream().pause_reading();
    mesh.loop.run();
    // The second reader gets the second message meanwhile.
    CHECK(user_b.ask("GET", "/recv").body == "second");
    CHECK(b.router().queue_stats().messages == 1);
  }
  mesh.loop.run();
  CHECK(b.router().queue_stats().messages == 1);
  const auto got = user_b.ask("GET", "/recv");
  CHECK(got.header("Content-Length") == "3000000");
  CHECK(got.body == big);
  CHECK(b.router().queue_stats().messages == 0);
}

TEST_CASE("recv: the old form of ids on request", "[bridge]") {
  TestMesh mesh;
  auto& a = mesh.add(1);
  auto& b = mesh.add(2, {}, {.allowed_hosts = {}, .allowed_origins = {}, .legacy_peer_id = true});
  HttpUser user_a{mesh, a};
  HttpUser user_b{mesh, b};
  CHECK(user_a.send(b.our_key(), "x").status == 200);
  const auto got = user_b.ask("GET", "/recv");
  CHECK(got.header("X-From-Peer-Id") == axl::Address::of(a.our_key()).partial_key().to_hex());
  // It is still a destination, known in full or not.
  const auto partial = axl::Address::of(a.our_key()).partial_key();
  CHECK(user_b.send(partial, "reply").status == 200);
  b.known[axl::Address::of(a.our_key())] = a.our_key();
  CHECK(user_b.send(partial, "again").status == 200);
  CHECK(user_a.ask("GET", "/recv").body == "reply");
  CHECK(user_a.ask("GET", "/recv").body == "again");
  CHECK(user_a.send(axl::Address::of(a.our_key()).partial_key(), "me").status == 200);
  CHECK(user_a.ask("GET", "/recv").header("X-From-Peer-Id") == a.our_key().to_hex());
}

TEST_CASE_METHOD(Fixture, "drain: those who wait are answered, and what is under way ends", "[bridge]") {
  const auto waiting = user_b.begin("GET", "/recv?wait=60");
  mesh.loop.run();
  bool drained = false;
  b.bridge().drain([&drained] { drained = true; });
  mesh.loop.advance(1s);
  CHECK(waiting->status == 204);
  CHECK(drained);
}

TEST_CASE_METHOD(Fixture, "bridge: it may go at any moment, with everything under way", "[bridge]") {
  const auto waiting = user_b.begin("GET", "/recv?wait=60");
  const auto sending =
      user_a.begin("POST", "/send", {{"X-Destination-Peer-Id", b.our_key().to_hex()}}, std::string(5'000'000, 'x'));
  for (int i = 0; i < 40; ++i) {
    mesh.loop.executor().run_one();
    mesh.loop.last_pipe().step();
  }
  a.destroy();
  b.destroy();
  mesh.loop.advance(2min);
  CHECK(waiting->status == 0);
}

TEST_CASE_METHOD(Fixture, "bridge: it may go while messages wait for their receipts", "[bridge]") {
  const auto silent = key_of(6);
  std::vector<std::unique_ptr<Recorder>> connections;
  mesh.listen(silent, 7001, [&connections](auto connection) {
    connections.push_back(std::make_unique<Recorder>(std::move(connection)));
  });
  const auto one = user_a.begin("POST", "/send", {{"X-Destination-Peer-Id", silent.to_hex()}}, "x");
  HttpUser second{mesh, a};
  const auto two =
      second.begin("POST", "/send", {{"X-Destination-Peer-Id", silent.to_hex()}}, std::string(500'000, 'x'));
  mesh.loop.advance(1s);
  CHECK(one->status == 0);
  a.destroy();
  mesh.loop.advance(1min);
  CHECK(two->status == 0);
}
