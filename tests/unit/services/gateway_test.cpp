#include "services/gateway.hpp"

#include "gateway_rig.hpp"

using namespace axl;
using namespace axl::test;

namespace {

// Tells what it got.
void mirror(ServiceRequest request, ServiceReply reply) {
  std::string text = request.method + "|" + request.service + "|" + request.path + "|" + request.query + "|" +
                     request.caller.to_hex() + "|" + std::string{as_text(request.body)} + "\n";
  for (const auto& [name, value] : request.headers) text += name + ": " + value + "\n";
  reply.respond(200, {{"Content-Type", "text/plain"}, {"Mcp-Session-Id", "s1"}}, to_bytes(text));
}

std::string status(const std::string& answer) { return answer.substr(0, answer.find("\r\n")).substr(9, 3); }
bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("gateway: method, suffix, query, headers and body reach the service, with who the caller is", "[services]") {
  GatewayRig rig;
  REQUIRE(rig.registry.add_handler("team/echo", {}, mirror));
  const auto answer = rig.ask(
      "PUT /mcp/team/echo/a%20b?x=1&y=2 HTTP/1.1\r\nHost: peer\r\nAccept: text/event-stream\r\nMcp-Param-X: 7\r\n"
      "Authorization: Bearer t\r\nContent-Length: 5\r\n\r\nhello");
  CHECK(status(answer) == "200");
  CHECK(has(answer, "PUT|team/echo|/a%20b|x=1&y=2|" + rig.caller.to_hex() + "|hello\n"));
  CHECK(has(answer, "\nAccept: text/event-stream\n"));
  CHECK(has(answer, "\nMcp-Param-X: 7\n"));
  CHECK(has(answer, "\nAuthorization: Bearer t\n"));
  CHECK(has(answer, "\nX-From-Peer-Id: " + rig.caller.to_hex() + "\n"));
  CHECK(has(answer, "\nX-Service: team/echo\n"));
  CHECK(has(answer, "Host: localhost\n"));
  CHECK(has(answer, "Mcp-Session-Id: s1\r\n"));
}

TEST_CASE("gateway: what claims an identity or belongs to the way here stays behind, look-alikes too", "[services]") {
  GatewayRig rig;
  REQUIRE(rig.registry.add_handler("echo", {}, mirror));
  std::string request = "GET /mcp/echo HTTP/1.1\r\nHost: peer\r\nConnection: keep-alive, X-Hop\r\n";
  for (const auto* name :
       {"X-From-Peer-Id", "x_from_peer_id", "X_From-Peer_Id", "X-Service", "x_service", "X-Axl-Token", "x_axl_token",
        "X-Axl-From-Address", "Cookie", "Origin", "Accept-Encoding", "Forwarded", "X-Forwarded-For", "X_Forwarded_Host",
        "X-Real-IP", "x_real_ip", "TE", "Proxy-Authorization", "X-Hop"}) {
    request += std::string{name} + ": spoofed\r\n";
  }
  const auto answer = rig.ask(request + "Kept: kept\r\n\r\n");
  CHECK(status(answer) == "200");
  CHECK_FALSE(has(answer, "spoofed"));
  CHECK(has(answer, "Kept: kept"));
}

TEST_CASE("gateway: unknown, not allowed and climbing paths are refused; our own key may use everything",
          "[services]") {
  GatewayRig rig;
  REQUIRE(rig.registry.add_handler("open", {}, mirror));
  REQUIRE(rig.registry.add_handler("closed", {.everyone = false, .allow = {key_of(3)}}, mirror));
  CHECK(status(rig.get("/mcp/unknown")) == "404");
  CHECK(status(rig.get("/mcp/")) == "404");
  CHECK(status(rig.get("/other")) == "404");
  CHECK(status(rig.get("/a2a")) == "404");
  CHECK(status(rig.get("/mcp/open/../closed")) == "404");
  CHECK(status(rig.get("/mcp/open/%2e%2e/closed")) == "404");
  CHECK(status(rig.get("/mcp/closed")) == "403");
  rig.caller = key_of(3);
  CHECK(status(rig.get("/mcp/closed")) == "200");
  rig.caller = key_of(1);
  CHECK(status(rig.get("/mcp/closed")) == "200");
}

TEST_CASE("gateway: OPTIONS is answered here, TRACE is not allowed", "[services]") {
  GatewayRig rig;
  REQUIRE(rig.registry.add_handler("echo", {}, mirror));
  const auto options = rig.ask("OPTIONS /mcp/echo HTTP/1.1\r\nHost: peer\r\n\r\n");
  CHECK(status(options) == "204");
  CHECK(has(options, "Allow: GET, HEAD, POST"));
  CHECK(status(rig.ask("TRACE /mcp/echo HTTP/1.1\r\nHost: peer\r\n\r\n")) == "405");
}

TEST_CASE("gateway: a caller sees the services that it may use", "[services]") {
  GatewayRig rig;
  REQUIRE(rig.registry.add_handler("a \"b\"", {}, mirror));
  REQUIRE(rig.registry.add_url("closed", "http://127.0.0.1:1/mcp", {.everyone = false, .allow = {}}, {}));
  CHECK(has(rig.get("/services"),
            "{\"services\":[{\"name\":\"a \\\"b\\\"\",\"kind\":\"handler\",\"healthy\":true}],\"agent\":false}"));
  rig.caller = key_of(1);
  CHECK(has(rig.get("/services"), "{\"name\":\"closed\",\"kind\":\"url\",\"healthy\":true}"));
  CHECK(status(rig.ask("POST /services HTTP/1.1\r\nHost: peer\r\nContent-Length: 0\r\n\r\n")) == "405");
}

TEST_CASE("gateway: statuses, redirects and headers of a backend pass as they are", "[services]") {
  GatewayRig rig;
  REQUIRE(rig.registry.add_handler("s", {}, [](ServiceRequest request, ServiceReply reply) {
    reply.respond(std::stoi(request.path.substr(1)), {{"Location", "http://elsewhere/"}, {"Retry-After", "7"}}, {});
  }));
  for (const std::string code : {"202", "204", "301", "307", "401", "404", "406", "429", "500", "503"}) {
    const auto answer = rig.get("/mcp/s/" + code);
    CHECK(status(answer) == code);
    CHECK(has(answer, "Location: http://elsewhere/\r\n"));
    CHECK(has(answer, "Retry-After: 7\r\n"));
  }
}

TEST_CASE("gateway: a backend that is down is 502 and unhealthy, and healthy again when it answers", "[services]") {
  GatewayRig rig;
  REQUIRE(rig.registry.add_url("web", "http://127.0.0.1:8000/base?k=v", {}, {}));
  CHECK(status(rig.get("/mcp/web")) == "502");
  CHECK_FALSE(rig.registry.list().front().healthy);

  std::string seen;
  http::Server backend{{}, rig.loop.executor(), [&](http::Exchange exchange) {
                         seen = exchange.request().target.text() + " " + std::string{exchange.request().host()};
                         exchange.respond(200, {}, {});
                       }};
  rig.system.server = [&](std::unique_ptr<Stream> stream) { backend.accept(std::move(stream), {}, rig.loop.now()); };
  CHECK(status(rig.get("/mcp/web/x?q=1")) == "200");
  CHECK(seen == "/base/x?k=v&q=1 127.0.0.1:8000");
  CHECK(rig.registry.list().front().healthy);
  rig.clients.clear();
  rig.loop.run();
}

TEST_CASE("gateway: a service that does not answer is 504", "[services]") {
  GatewayRig rig{{}, {.own = {}, .answer_timeout = 20s}};
  std::list<ServiceReply> kept;
  REQUIRE(rig.registry.add_handler("slow", {},
                                   [&](ServiceRequest, ServiceReply reply) { kept.push_back(std::move(reply)); }));
  auto& client = rig.connect();
  client.send("GET /mcp/slow HTTP/1.1\r\nHost: peer\r\n\r\n");
  rig.loop.advance(19s);
  CHECK(client.received.empty());
  rig.loop.advance(30s);
  CHECK(status(client.received) == "504");
  CHECK_FALSE(kept.front().connected());
  CHECK_FALSE(rig.registry.list().front().healthy);
}

TEST_CASE("gateway: pieces leave as they are written, and a caller that goes is heard of once", "[services]") {
  GatewayRig rig;
  std::list<ServiceReply> kept;
  int cancelled = 0;
  REQUIRE(rig.registry.add_handler("stream", {}, [&](ServiceRequest, ServiceReply reply) {
    reply.on_cancel([&] { ++cancelled; });
    reply.start(200, {{"Content-Type", "text/event-stream"}});
    kept.push_back(std::move(reply));
  }));
  auto& client = rig.connect();
  client.send("GET /mcp/stream HTTP/1.1\r\nHost: peer\r\n\r\n");
  rig.loop.run();
  CHECK(status(client.take()) == "200");
  auto& reply = kept.front();
  reply.write(to_bytes("data: 1\n\n"));
  rig.loop.run();
  CHECK(has(client.take(), "data: 1\n\n"));
  CHECK(reply.connected());

  client.stream.reset();
  rig.loop.run();
  CHECK(cancelled == 1);
  CHECK_FALSE(reply.connected());
  reply.write(to_bytes("late"));
  reply.finish();
  rig.loop.run();
  CHECK(cancelled == 1);
  CHECK(rig.gateway.under_way() == 0);
}

TEST_CASE("gateway: a slow reader shows as pending bytes, and as room when it reads on", "[services]") {
  GatewayRig rig;
  std::list<ServiceReply> kept;
  int room = 0;
  REQUIRE(rig.registry.add_handler("stream", {}, [&](ServiceRequest, ServiceReply reply) {
    reply.on_writable([&] { ++room; });
    kept.push_back(std::move(reply));
  }));
  auto& client = rig.connect();
  client.send("GET /mcp/stream HTTP/1.1\r\nHost: peer\r\n\r\n");
  rig.loop.run();
  client.stream->pause_reading();
  auto& reply = kept.front();
  for (int i = 0; i < 64; ++i) {
    reply.write(Bytes(16'384));
    rig.loop.run();
  }
  CHECK(reply.pending() > 500'000);
  const auto before = room;
  client.stream->resume_reading();
  rig.loop.run();
  CHECK(room == before + 1);
  reply.finish();
  rig.loop.run();
  CHECK(client.received.size() > 64 * 16'384);
  CHECK(reply.pending() == 0);
  CHECK(client.received.ends_with("0\r\n\r\n"));
}

TEST_CASE("gateway: an answer that its service breaks off is broken for the caller", "[services]") {
  GatewayRig rig;
  std::list<ServiceReply> kept;
  REQUIRE(rig.registry.add_handler("s", {}, [&](ServiceRequest, ServiceReply reply) {
    reply.start(200, {});
    kept.push_back(std::move(reply));
  }));
  auto& client = rig.connect();
  client.send("GET /mcp/s HTTP/1.1\r\nHost: peer\r\n\r\n");
  rig.loop.run();
  kept.clear();
  rig.loop.run();
  CHECK_FALSE(client.received.ends_with("0\r\n\r\n"));
  CHECK((client.cut || client.ended));
}

TEST_CASE("gateway: a handler that drops its reply, or throws, is answered 500; too long a body 413", "[services]") {
  GatewayRig rig{{.max_message_size = 1'000}};
  REQUIRE(rig.registry.add_handler("drops", {}, [](const ServiceRequest&, const ServiceReply&) {}));
  REQUIRE(rig.registry.add_handler("throws", {}, [](const ServiceRequest&, const ServiceReply&) { throw 7; }));
  REQUIRE(rig.registry.add_handler("echo", {}, mirror));
  CHECK(status(rig.get("/mcp/drops")) == "500");
  CHECK(status(rig.get("/mcp/throws")) == "500");
  CHECK(status(rig.ask("POST /mcp/echo HTTP/1.1\r\nHost: p\r\nContent-Length: 1001\r\n\r\n" +
                       std::string(1'001, 'x'))) == "413");
}

TEST_CASE("gateway: a service may be taken out while its requests are under way", "[services]") {
  GatewayRig rig;
  std::list<ServiceReply> kept;
  REQUIRE(
      rig.registry.add_handler("s", {}, [&](ServiceRequest, ServiceReply reply) { kept.push_back(std::move(reply)); }));
  auto& client = rig.connect();
  client.send("GET /mcp/s HTTP/1.1\r\nHost: peer\r\n\r\n");
  rig.loop.run();
  CHECK(rig.registry.remove("s"));
  CHECK(status(rig.get("/mcp/s")) == "404");
  kept.front().respond_json("{}");
  rig.loop.run();
  CHECK(client.received.ends_with("{}"));
}

TEST_CASE("gateway: requests of this machine come with our own key", "[services]") {
  GatewayRig rig;
  REQUIRE(rig.registry.add_handler("echo", {.everyone = false, .allow = {}}, mirror));
  services::Backend loopback{rig.gateway.loopback(), "localhost", "/", ""};
  TestRequest request{loopback, std::nullopt, "GET", "/mcp/echo/x", {}, {}};
  rig.loop.run();
  CHECK(request.head.status == 200);
  CHECK(has(request.body, "GET|echo|/x||" + key_of(1).to_hex()));
}

TEST_CASE("gateway: a name of our own table never goes to another router, allowed or not", "[services]") {
  GatewayRig rig;
  rig.gateway.set_fallback(
      [](std::string_view) -> std::optional<services::Backend> {
        FAIL("asked");
        return {};
      },
      {});
  REQUIRE(rig.registry.add_handler("mine", {.everyone = false}, mirror));
  CHECK(status(rig.ask("GET /mcp/mine HTTP/1.1\r\nHost: peer\r\n\r\n")) == "403");
}

TEST_CASE("gateway: a peer with all it may have under way gets 503, and leaves a service to the others", "[services]") {
  // A server's end of a connection: answers what it is asked, unless it shall hold it.
  struct End final : StreamHandler {
    End(std::unique_ptr<Stream> of, const bool& holds) : stream{std::move(of)}, hold{holds} {
      stream->set_handler(this);
    }
    void on_data(Buffer) override {
      if (!hold) stream->write(Buffer::copy_of(as_bytes("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")));
    }
    void on_end() override {}
    void on_closed(const Error*) override {}
    std::unique_ptr<Stream> stream;
    const bool& hold;
  };
  bool hold = true;
  std::list<End> backend;
  std::vector<ServiceReply> held;
  GatewayRig rig;
  std::string target = "/mcp/url";
  SECTION("a server at a URL") {
    rig.system.server = [&](std::unique_ptr<Stream> stream) { backend.emplace_back(std::move(stream), hold); };
    REQUIRE(rig.registry.add_url("url", "http://127.0.0.1:8000/mcp", {}, {}));
  }
  SECTION("a handler") {
    target = "/mcp/handler";
    REQUIRE(rig.registry.add_handler("handler", {}, [&](const ServiceRequest&, ServiceReply reply) {
      if (hold) {
        held.push_back(std::move(reply));
      } else {
        reply.respond(200, {}, to_bytes(as_bytes("hi")));
      }
    }));
  }
  const auto request = "GET " + target + " HTTP/1.1\r\nHost: peer\r\n\r\n";
  for (int i = 0; i < 1'024; ++i) rig.connect().send(request);
  rig.loop.run();
  CHECK(backend.size() + held.size() == 1'024);
  const auto refused = rig.ask(request);
  CHECK(status(refused) == "503");
  CHECK(has(refused, "\r\nRetry-After: 1\r\n"));
  CHECK(backend.size() + held.size() == 1'024);  // the service never heard of that one
  rig.caller = key_of(3);
  hold = false;
  for (int i = 0; i < 1'024; ++i) CHECK(status(rig.ask(request)) == "200");
  // Room again for the first, once one of its own has ended.
  rig.caller = key_of(2);
  rig.clients.front().stream->abort();
  rig.loop.run();
  CHECK(status(rig.ask(request)) == "200");
}

TEST_CASE("gateway: the caller's id goes out in the old form where that is wished for", "[services]") {
  GatewayRig rig{{.legacy_peer_id = true}};
  REQUIRE(rig.registry.add_handler("echo", {}, mirror));
  const auto answer = rig.get("/mcp/echo");
  CHECK(has(answer, "\nX-From-Peer-Id: " + Address::of(rig.caller).partial_key().to_hex() + "\n"));
  CHECK(has(answer, "GET|echo|||" + rig.caller.to_hex()));  // a handler has the key itself
}

TEST_CASE("gateway: names of another router are for whom the policy lets, and our own key", "[services]") {
  GatewayRig rig;
  REQUIRE(rig.registry.add_handler("theirs", {.everyone = false}, mirror));
  const auto theirs = rig.registry.table().find("theirs")->backend;
  bool everyone = true;
  SECTION("everyone") {}
  SECTION("nobody") { everyone = false; }
  rig.gateway.set_fallback([&](std::string_view) { return std::optional{theirs}; }, {.everyone = everyone});
  CHECK(status(rig.get("/mcp/any")) == (everyone ? "200" : "403"));
  CHECK(rig.gateway.backend("any", rig.caller).ok() == everyone);
  rig.caller = key_of(1);
  CHECK(status(rig.get("/mcp/any")) == "200");
}
