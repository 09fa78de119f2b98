#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/server.hpp"
#include "http/status.hpp"
#include "test_mesh.hpp"

using namespace std::chrono_literals;
using axl::Address;
using axl::as_bytes;
using axl::as_text;
using axl::Buffer;
using axl::PublicKey;
using namespace axl::test;
namespace http = axl::http;

namespace {

const PublicKey far_key = key_of(9);

// What serves port 7001 of the far node in these tests.
class Far final {
 public:
  explicit Far(TestMesh& mesh, const PublicKey& key = far_key) : mesh_{mesh} {
    http::ServerLimits limits;
    limits.connection.header_timeout = 1h;
    limits.connection.idle_timeout = 1h;
    server_.emplace(limits, mesh.loop.executor(), [this](http::Exchange exchange) {
      seen.emplace_back(exchange.request());
      if (answer) return answer(std::move(exchange));
      std::move(exchange).collect({.max_bytes = 1UL << 24U}, [this](http::Exchange ready, Buffer body) {
        bodies.emplace_back(as_text(body));
        ready.respond(200, {{"Content-Type", "text/plain"}}, Buffer::copy_of(as_bytes("pong")));
      });
    });
    mesh.listen(key, 7001, [this](std::unique_ptr<axl::tcpip::Connection> connection) {
      ++connections;
      const auto caller = connection->peer();
      server_->accept(std::move(connection), http::Client{.key = caller}, mesh_.loop.now());
    });
  }

  std::function<void(http::Exchange)> answer;  // empty: 200 pong, the body kept
  std::vector<http::RequestHead> seen;
  std::vector<std::string> bodies;
  int connections = 0;

 private:
  TestMesh& mesh_;
  std::optional<http::Server> server_;
};

std::string mcp(std::string_view rest = "weather") { return "/mcp/" + far_key.to_hex() + "/" + std::string{rest}; }
std::string a2a(std::string_view rest = "") { return "/a2a/" + far_key.to_hex() + std::string{rest}; }

// A client that sees the answer as it comes.
class Listener final : public http::ResponseEvents {
 public:
  Listener(TestMesh& mesh, TestNode& node, std::string_view method, const std::string& target) {
    auto [ours, theirs] = mesh.loop.make_pipe(mesh.pipe_options);
    node.bridge().accept_local(std::move(theirs));
    connection.emplace(std::move(ours), http::ClientLimits{}, mesh.loop.executor(), mesh.loop.now());
    http::Request request{.method = method, .target = target, .headers = {{"Host", "127.0.0.1:9002"}}};
    id = *connection->send(request, {}, *this);
  }
  void on_response(const http::ResponseHead& head) override { status = head.status; }
  void on_body(Buffer piece) override { body += as_text(piece); }
  void on_complete() override { complete = true; }
  void on_failed(const axl::Error&, http::Delivery) override { broken = true; }

  int status = 0;
  std::string body;
  bool complete = false;
  bool broken = false;
  std::optional<http::ClientConnection> connection;
  http::RequestId id{};
};

struct Rig {
  TestMesh mesh;
  TestNode& near = mesh.add(1);
  Far far{mesh};
  HttpUser user{mesh, near};
};

// An answer that the test writes bit by bit.
struct Slow final : http::ExchangeEvents {
  explicit Slow(http::Exchange e) : exchange{std::move(e)} { exchange.set_events(this); }
  void on_aborted(const axl::Error&) override { gone = true; }
  void on_client_ended() override { gone = true; }
  http::Exchange exchange;
  bool gone = false;
};

}  // namespace

TEST_CASE("mesh: a request reaches the peer's service with method, suffix, query and body as they are", "[bridge]") {
  Rig rig;
  for (const auto* method : {"POST", "GET", "DELETE", "PUT", "PATCH", "QUERY"}) {
    const auto* body = "{ \"a\" : 1.0, \"a\":12345678901234567890 }";
    const auto answer = rig.user.ask(method, mcp("we%61ther/x%2Fy?A2A-Version=1.0&b=%20"), {}, body);
    REQUIRE(answer.status == 200);
    CHECK(answer.body == "pong");
    REQUIRE(rig.far.seen.size() == 1);
    CHECK(rig.far.seen[0].method == method);
    CHECK(rig.far.seen[0].target.text() == "/mcp/we%61ther/x%2Fy?A2A-Version=1.0&b=%20");
    CHECK(rig.far.seen[0].host() == "[" + Address::of(far_key).to_string() + "]");
    CHECK(rig.far.bodies.back() == body);
    rig.far.seen.clear();
  }
  CHECK(rig.far.connections == 1);
  CHECK(rig.user.ask("POST", a2a("/message:send?x"), {}, "{}").status == 200);
  CHECK(rig.far.seen.back().target.text() == "/a2a/message:send?x");
  CHECK(rig.user.ask("POST", a2a(), {}, "{}").status == 200);
  CHECK(rig.far.seen.back().target.text() == "/a2a");
  CHECK(rig.user.ask("GET", a2a()).status == 200);
  CHECK(rig.far.seen.back().target.text() == "/a2a/.well-known/agent-card.json");
}

TEST_CASE("mesh: end-to-end headers pass, identities and hop-by-hop ones do not", "[bridge]") {
  Rig rig;
  const std::vector<std::pair<std::string, std::string>> pass{{"Accept", "application/json, text/event-stream"},
                                                              {"Content-Type", "application/json"},
                                                              {"Mcp-Session-Id", "s1"},
                                                              {"MCP-Protocol-Version", "2026-07-28"},
                                                              {"Mcp-Method", "tools/call"},
                                                              {"Mcp-Name", "add"},
                                                              {"Mcp-Param-Region", "x"},
                                                              {"Last-Event-ID", "7"},
                                                              {"A2A-Version", "1.0"},
                                                              {"A2A-Extensions", "e"},
                                                              {"X-A2A-Extensions", "f"},
                                                              {"Authorization", "Bearer t"},
                                                              {"traceparent", "00-1"},
                                                              {"If-None-Match", "\"x\""},
                                                              {"X-Unknown", "1"}};
  auto headers = pass;
  const std::vector<std::string> stay{
      "X-From-Peer-Id",  "X-From_Peer_Id",   "x_service",   "X-Service",        "Cookie",    "Expect",
      "Accept-Encoding", "X-Axl-Token",      "X_Axl_Token", "Forwarded",        "X-Real-IP", "X-Real_IP",
      "X-Forwarded-For", "X_Forwarded_Host", "Keep-Alive",  "Proxy-Connection", "TE",        "Upgrade",
      "Sec-Fetch-Mode"};
  for (const auto& name : stay) headers.emplace_back(name, name == "Expect" ? "100-continue" : "lie");
  REQUIRE(rig.user.ask("POST", mcp(), headers, "{}").status == 200);
  const auto& seen = rig.far.seen.back().headers;
  for (const auto& [name, value] : pass) CHECK(seen.get(name) == value);
  for (const auto& name : stay) {
    INFO(name);
    CHECK_FALSE(seen.contains(name));
  }
  CHECK(seen.count("Host") == 1);
}

TEST_CASE("mesh: status and headers of the answer pass, hostile ones do not", "[bridge]") {
  Rig rig;
  for (const int status : {200, 201, 202, 204, 400, 401, 403, 404, 405, 406, 409, 415, 429, 500, 503}) {
    rig.far.answer = [status](http::Exchange exchange) {
      exchange.respond(status,
                       {{"Content-Type", "text/html"},
                        {"Mcp-Session-Id", "theirs"},
                        {"ETag", "\"e\""},
                        {"Retry-After", "9"},
                        {"WWW-Authenticate", "Bearer"},
                        {"Allow", "POST"},
                        {"Cache-Control", "no-store"},
                        {"X-Accel-Buffering", "no"},
                        {"Set-Cookie", "a=b"},
                        {"Clear-Site-Data", "\"*\""},
                        {"Service-Worker-Allowed", "/"},
                        {"Refresh", "0;url=/recv"},
                        {"Access-Control-Allow-Origin", "*"},
                        {"Content-Security-Policy", "default-src *"},
                        {"X-Content-Type-Options", "sniff"},
                        {"X-Axl-Card", "rewritten"},
                        {"Keep-Alive", "5"}},
                       http::status_has_body(status) ? Buffer::copy_of(as_bytes("<script>")) : Buffer{});
    };
    const auto answer = rig.user.ask("POST", mcp(), {}, "{}");
    CHECK(answer.status == status);
    for (const auto* name : {"Set-Cookie", "Clear-Site-Data", "Service-Worker-Allowed", "Refresh",
                             "Access-Control-Allow-Origin", "X-Axl-Card", "Keep-Alive"}) {
      CHECK(answer.header(name) == "(none)");
    }
    CHECK(answer.header("Content-Security-Policy") == "sandbox; default-src 'none'");
    CHECK(answer.header("X-Content-Type-Options") == "nosniff");
    CHECK(answer.header("Mcp-Session-Id") == "theirs");
    CHECK(answer.header("ETag") == "\"e\"");
    CHECK(answer.header("WWW-Authenticate") == "Bearer");
    CHECK(answer.header("Retry-After") == "9");
    CHECK(answer.header("Allow") == "POST");
    CHECK(answer.header("X-Accel-Buffering") == "no");
  }
}

TEST_CASE("mesh: a redirect never leads into the local API", "[bridge]") {
  Rig rig;
  std::string location;
  rig.far.answer = [&location](http::Exchange exchange) { exchange.respond(307, {{"Location", location}}, {}); };
  const auto led = [&](const std::string& target, std::string to) {
    location = std::move(to);
    return rig.user.ask("POST", target, {}, "{}").header("Location");
  };
  for (const auto* inside :
       {"/send", "http://127.0.0.1:9002/recv", "//localhost/recv", "../../recv", "?x", "http:/recv", "http:recv",
        "http:\\\\127.0.0.1:9002/recv", "http:///127.0.0.1:9002/recv", "http://127.1:9002/recv",
        "http://2130706433:9002/recv", "http://[::ffff:7f00:1]:9002/recv", "http://127.0.0.%31:9002/recv",
        "http:\t//127.0.0.1:9002/recv"}) {
    CAPTURE(inside);
    CHECK(led(mcp(), inside) == "(none)");
  }
  CHECK(led(mcp(), "https://login.example/x") == "https://login.example/x");
  CHECK(led(a2a(), "https://login.example/x") == "https://login.example/x");
  CHECK(led(a2a(), "http://localhost:9999/v1/") == a2a("/v1/"));
  CHECK(led(a2a(), "/send") == a2a("/send"));
  CHECK(led(a2a(), "/../../send") == a2a());
  CHECK(led(a2a(), "http:/recv") == a2a());
  CHECK(led(a2a(), "http://127.1:9002/recv") == a2a());
}

TEST_CASE("mesh: requests of pages are refused before a peer hears of them", "[bridge]") {
  Rig rig;
  using H = std::vector<std::pair<std::string, std::string>>;
  for (const auto& headers :
       {H{{"Origin", "http://127.0.0.1:9002"}}, H{{"Origin", "http://evil.example"}}, H{{"Sec-Fetch-Dest", "document"}},
        H{{"Sec-Fetch-Dest", "script"}}, H{{"Sec-Fetch-Dest", "iframe"}}, H{{"Host", "evil.example"}}}) {
    CHECK(rig.user.ask("GET", mcp(), headers).status == 403);
    CHECK(rig.user.ask("GET", a2a(), headers).status == 403);
  }
  CHECK(rig.far.seen.empty());
}

TEST_CASE("mesh: paths and peer ids are checked in the reference's words", "[bridge]") {
  Rig rig;
  const auto ask = [&](std::string_view method, const std::string& target) {
    const auto answer = rig.user.ask(method, target);
    return std::to_string(answer.status) + " " + answer.body;
  };
  const std::string mcp_form = "400 URL must be /mcp/{peer_id}/{service}\n";
  CHECK(ask("POST", "/mcp/") == mcp_form);
  CHECK(ask("POST", "/mcp/" + far_key.to_hex()) == mcp_form);
  CHECK(ask("POST", "/mcp/" + far_key.to_hex() + "/") == mcp_form);
  CHECK(ask("GET", "/a2a/") == "400 URL must be /a2a/{peer_id}\n");
  for (const auto* id : {"abcd", "x", "0x42", "%zz"}) {
    CHECK(ask("POST", std::string{"/mcp/"} + id + "/svc") == "502 Failed to reach peer: invalid peer ID\n");
    CHECK(ask("DELETE", std::string{"/mcp/"} + id + "/svc") == "502 Failed to reach peer: invalid peer ID\n");
    CHECK(ask("GET", std::string{"/a2a/"} + id) == "502 Failed to reach peer: invalid peer ID\n");
  }
  const auto options = rig.user.ask("OPTIONS", mcp());
  CHECK(options.status == 204);
  CHECK(options.header("Allow") == "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  CHECK(ask("TRACE", mcp()) == "405 Method not allowed\n");
  CHECK(rig.far.seen.empty());
}

TEST_CASE("mesh: a stream comes event by event, and goes on for ever", "[bridge]") {
  Rig rig;
  std::unique_ptr<Slow> slow;
  rig.far.answer = [&](http::Exchange exchange) {
    slow = std::make_unique<Slow>(std::move(exchange));
    slow->exchange.start(200, {{"Content-Type", "text/event-stream"}});
  };
  Listener listener{rig.mesh, rig.near, "GET", mcp()};
  rig.mesh.loop.run();
  CHECK(listener.status == 200);
  for (int i = 0; i < 5; ++i) {
    slow->exchange.write(Buffer::copy_of(as_bytes("data: " + std::to_string(i) + "\n\n")));
    rig.mesh.loop.run();
    CHECK(listener.body.ends_with("data: " + std::to_string(i) + "\n\n"));
    rig.mesh.loop.advance(1h);
    CHECK_FALSE(listener.broken);
  }
  // Other requests do not wait for it.
  CHECK(rig.user.begin("POST", mcp(), {}, "{}"));
  slow->exchange.finish();
  rig.mesh.loop.run();
  CHECK(listener.complete);
}

TEST_CASE("mesh: a client that goes is a peer's request cut, a peer that breaks off a client cut", "[bridge]") {
  Rig rig;
  std::unique_ptr<Slow> slow;
  const bool begun = GENERATE(true, false);
  rig.far.answer = [&](http::Exchange exchange) {
    slow = std::make_unique<Slow>(std::move(exchange));
    if (begun) slow->exchange.start(200, {{"Content-Type", "text/event-stream"}});
  };
  Listener listener{rig.mesh, rig.near, "GET", mcp()};
  rig.mesh.loop.run();
  REQUIRE(slow);
  SECTION("the client goes") {
    listener.connection.reset();
    rig.mesh.loop.run();
    CHECK(slow->gone);
  }
  SECTION("the peer breaks off") {
    slow->exchange.abort();
    rig.mesh.loop.run();
    CHECK(listener.broken == begun);
    CHECK(listener.status == (begun ? 200 : 502));
    if (!begun) CHECK(listener.body == "no response from peer: EOF\n");
  }
}

TEST_CASE("mesh: a peer that is not there, answers with another key or not at all", "[bridge]") {
  Rig rig;
  const auto address = Address::of(far_key).to_string();
  SECTION("nobody answers") {
    rig.mesh.silence(far_key, 7001);
    rig.mesh.silence(far_key, 7000);
    const auto answer = rig.user.ask("POST", mcp(), {}, "{}");
    CHECK(answer.status == 502);
    CHECK(answer.body ==
          "Failed to reach peer: failed to reach peer: connect tcp [" + address + "]:7000: operation timed out\n");
  }
  SECTION("another key has that address") {
    auto bytes = far_key.bytes();
    std::array<std::byte, 32> tail{};
    std::copy(bytes.begin(), bytes.end(), tail.begin());
    tail[31] ^= std::byte{1};
    const auto answer = rig.user.ask("POST", "/mcp/" + PublicKey{tail}.to_hex() + "/x", {}, "{}");
    CHECK(answer.status == 502);
    CHECK(answer.body == "Failed to reach peer: peer key mismatch\n");
  }
  SECTION("no answer comes") {
    std::unique_ptr<Slow> slow;
    rig.far.answer = [&](http::Exchange exchange) { slow = std::make_unique<Slow>(std::move(exchange)); };
    const auto begin = rig.mesh.loop.now();
    const auto answer = rig.user.ask("POST", mcp(), {}, "{}");
    CHECK(answer.status == 504);
    CHECK(rig.mesh.loop.now() - begin >= 300s);
  }
}

TEST_CASE("mesh: a peer that refuses port 7001 gets an envelope on 7000, and is remembered", "[bridge]") {
  TestMesh mesh;
  auto& near = mesh.add(1);
  HttpUser user{mesh, near};
  std::vector<std::unique_ptr<Recorder>> frames;
  mesh.listen(far_key, 7000, [&](std::unique_ptr<axl::tcpip::Connection> connection) {
    frames.push_back(std::make_unique<Recorder>(std::move(connection)));
  });
  const bool silent = GENERATE(false, true);
  if (silent) mesh.silence(far_key, 7001);
  const std::string request = R"({"jsonrpc":"2.0","id":1,"method":"ping"})";
  const auto call = [&] { return user.begin("POST", mcp(), {{"Content-Type", "application/json"}}, request); };
  const auto carried = [&]() -> Recorder* {  // connections without a frame only looked whether anybody is there
    for (auto& one : frames) {
      if (!one->received.empty()) return one.get();
    }
    return nullptr;
  };
  const auto begin = mesh.loop.now();
  const auto answer = call();
  REQUIRE(mesh.loop.run_until([&] { return carried() != nullptr; }));
  CHECK(mesh.loop.now() - begin == (silent ? 3s : 0s));
  const auto frame = carried()->received;
  CHECK(frame.substr(4) == R"({"service":"weather","request":)" + request + "}");
  const std::string reply = R"({"service":"weather","response":{"jsonrpc":"2.0","id":1,"result":{}}})";
  carried()->write(std::string{"\0\0\0", 3} + static_cast<char>(reply.size()) + reply);
  mesh.loop.run_until([&] { return answer->status != 0; });
  CHECK(answer->status == 200);
  CHECK(answer->body == R"({"jsonrpc":"2.0","id":1,"result":{}})");
  // Known now: no second look at port 7001.
  frames.clear();
  const auto before = mesh.connects;
  const auto again = call();
  mesh.loop.run();
  CHECK(carried() != nullptr);
  CHECK(mesh.connects == before + 1);
  CHECK(user.ask("GET", mcp()).status == 405);
}

TEST_CASE("mesh: port 7000 is not tried for what is no envelope", "[bridge]") {
  TestMesh mesh;
  auto& near = mesh.add(1);
  HttpUser user{mesh, near};
  int frames = 0;
  mesh.listen(far_key, 7000, [&](const std::unique_ptr<axl::tcpip::Connection>&) { ++frames; });
  mesh.silence(far_key, 7001);
  CHECK(user.ask("GET", mcp()).status == 502);
  CHECK(user.ask("DELETE", mcp()).status == 502);
  CHECK(frames == 0);
}

TEST_CASE("mesh: a peer that only is slow on port 7001 is not taken for an old one", "[bridge]") {
  Rig rig;
  rig.mesh.silence(far_key, 7001);
  const auto answer = rig.user.begin("POST", mcp(), {}, "{}");
  rig.mesh.loop.advance(10s);  // 7000 refuses
  CHECK(answer->status == 0);
  rig.mesh.loop.run_until([&] { return answer->status != 0; });
  CHECK(answer->status == 502);
  rig.mesh.unsilence(far_key, 7001);
  CHECK(rig.user.ask("POST", mcp(), {}, "{}").status == 200);
}

TEST_CASE("mesh: a node that goes takes its relayed requests with it", "[bridge]") {
  Rig rig;
  std::unique_ptr<Slow> slow;
  rig.far.answer = [&](http::Exchange exchange) {
    slow = std::make_unique<Slow>(std::move(exchange));
    slow->exchange.start(200, {});
  };
  Listener listener{rig.mesh, rig.near, "GET", mcp()};
  rig.mesh.loop.run();
  rig.near.destroy();
  rig.mesh.loop.run();
  CHECK(slow->gone);
  CHECK(listener.broken);
}

TEST_CASE("mesh: a partial id reaches the key that is known for it", "[bridge]") {
  Rig rig;
  rig.near.known[Address::of(far_key)] = far_key;
  CHECK(rig.user.ask("POST", "/mcp/" + Address::of(far_key).partial_key().to_hex() + "/x", {}, "{}").status == 200);
}

TEST_CASE("mesh: a card leads through our node, with its tag and length changed", "[bridge]") {
  Rig rig;
  const std::string body = R"({"name":"x","supportedInterfaces":[{"protocolBinding":"JSONRPC","url":"/a2a/)" +
                           far_key.to_hex() + R"("}],"signatures":[]})";
  std::string theirs = body;
  rig.far.answer = [&theirs](http::Exchange exchange) {
    if (exchange.request().headers.get("If-None-Match").value_or("").find("\"v1\"") != std::string_view::npos) {
      exchange.respond(304, {{"ETag", "\"v1\""}}, {});
      return;
    }
    exchange.respond(200, {{"Content-Type", "application/json"}, {"ETag", "\"v1\""}},
                     Buffer::copy_of(as_bytes(theirs)));
  };
  const auto card = a2a("/.well-known/agent-card.json");
  const auto answer = rig.user.ask("GET", card);
  CHECK(answer.status == 200);
  CHECK(answer.body ==
        R"({"name":"x","supportedInterfaces":[{"protocolBinding":"JSONRPC","url":"http://127.0.0.1:9002)" + a2a() +
            R"("}],"signatures":[]})");
  CHECK(answer.header("X-Axl-Card") == "rewritten");
  CHECK(answer.header("Content-Length") == std::to_string(answer.body.size()));
  const auto tag = answer.header("ETag");
  CHECK(tag.starts_with("W/\"v1-axl-"));
  const auto again = rig.user.ask("GET", card, {{"If-None-Match", "\"other\", " + tag}});
  CHECK(again.status == 304);
  CHECK(again.header("ETag") == tag);
  // The same tag under another of our names, or the agent's own, is another text.
  CHECK(rig.user.ask("GET", card, {{"Host", "localhost:9002"}, {"If-None-Match", tag}}).status == 200);
  CHECK(rig.user.ask("GET", card, {{"If-None-Match", "\"v1\""}}).status == 200);

  theirs = R"({"url":"/","signatures":[{"protected":"a"}]})";
  CHECK(rig.user.ask("GET", card + "?raw=1").body == theirs);
  CHECK(rig.user.ask("GET", card).header("X-Axl-Card") == "rewritten");
  theirs = R"({"url":")" + std::string(1 << 20, 'x') + "\"}";
  CHECK(rig.user.ask("GET", card).body == theirs);
  theirs = body;
  CHECK(rig.user.ask("GET", a2a("/elsewhere")).body == body);
  CHECK(rig.user.ask("POST", card, {}, "{}").body == body);
}

TEST_CASE("mesh: many requests to one peer go side by side, then share connections", "[bridge]") {
  Rig rig;
  std::vector<http::Exchange> waiting;
  rig.far.answer = [&](http::Exchange exchange) { waiting.push_back(std::move(exchange)); };
  std::vector<std::unique_ptr<HttpUser>> users;
  std::vector<std::shared_ptr<Answer>> answers;
  for (int i = 0; i < 100; ++i) {
    answers.push_back(
        users.emplace_back(std::make_unique<HttpUser>(rig.mesh, rig.near))->begin("POST", mcp(), {}, "{}"));
  }
  rig.mesh.loop.run();
  CHECK(waiting.size() == 100);
  for (auto& exchange : waiting) exchange.respond(200, {}, {});
  rig.mesh.loop.run();
  for (const auto& answer : answers) CHECK(answer->status == 200);
  rig.far.answer = nullptr;
  CHECK(rig.user.ask("POST", mcp(), {}, "{}").status == 200);
  CHECK(rig.far.connections == 100);
  rig.mesh.loop.advance(3min);
  CHECK(rig.user.ask("POST", mcp(), {}, "{}").status == 200);
  CHECK(rig.far.connections == 101);
}
