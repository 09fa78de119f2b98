#include "services/router_api.hpp"

#include "gateway_rig.hpp"
#include "services/registry.hpp"

using namespace axl;
using namespace axl::test;

namespace {

struct RouterRig {
  explicit RouterRig(services::Registry::Config config = {}) : registry{config, system, loop, {}} {}
  ~RouterRig() {
    clients.clear();
    loop.run();
  }
  std::string ask(const std::string& method, const std::string& path, const std::string& body = {}) {
    auto [near, far] = http::make_pipe(loop.executor());
    api.accept(std::move(far));
    auto& client = clients.emplace_back(std::move(near));
    client.send(method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\n\r\n" + body);
    loop.run();
    const auto answer = client.take();
    const auto end = answer.find("\r\n\r\n");
    if (end == std::string::npos) return "none";
    return answer.substr(9, 3) + " " + answer.substr(end + 4);
  }

  McpLoop loop;
  TestSystem system{loop.executor()};
  services::Registry registry;
  bool admitted = true;
  services::RouterApi api{{.own = key_of(1), .max_body = 2'000'000}, registry, loop, [this](http::Exchange& exchange) {
                            if (!admitted) exchange.respond_error(403, "no");
                            return admitted;
                          }};
  std::list<GatewayClient> clients;
};

const std::string kOnlyJson = "{\"response\": null, \"error\": ";

}  // namespace

TEST_CASE("router api: services come and go by name", "[services]") {
  RouterRig rig;
  CHECK(rig.ask("GET", "/health") == "200 {\"status\": \"ok\", \"service_count\": 0}");
  CHECK(rig.ask("POST", "/register", R"({"service":"grp/x","endpoint":"http://127.0.0.1:81/mcp"})") ==
        "200 {\"status\": \"registered\", \"service\": \"grp/x\"}");
  CHECK(rig.ask("GET", "/health") == "200 {\"status\": \"ok\", \"service_count\": 1}");
  const auto list = rig.ask("GET", "/services");
  CHECK(list.starts_with(R"(200 {"grp/x": {"endpoint": "http://127.0.0.1:81/mcp", "registered_at": "20)"));
  CHECK(list.find(R"(+00:00", "healthy": true)") != std::string::npos);
  CHECK(rig.ask("DELETE", "/register/grp/x") == "404 404: Not Found");
  CHECK(rig.ask("DELETE", "/register/") == "404 404: Not Found");
  CHECK(rig.ask("DELETE", "/register/grp%2Fx") == "200 {\"status\": \"deregistered\", \"service\": \"grp/x\"}");
  CHECK(rig.ask("DELETE", "/register/none") == "404 {\"error\": \"Service not found: none\"}");
  CHECK(rig.ask("GET", "/services") == "200 {}");
}

TEST_CASE("router api: whoever registers under a known name takes it over", "[services]") {
  RouterRig rig;
  const auto place = [&](int port) { return "http://127.0.0.1:" + std::to_string(port) + "/mcp"; };
  const auto register_at = [&](int port) {
    return rig.ask("POST", "/register", R"({"service":"x","endpoint":")" + place(port) + "\"}");
  };
  for (const int port : {81, 82, 82}) {
    CHECK(register_at(port) == "200 {\"status\": \"registered\", \"service\": \"x\"}");
    CHECK(rig.ask("GET", "/health") == "200 {\"status\": \"ok\", \"service_count\": 1}");
    CHECK(rig.ask("GET", "/services").starts_with(R"(200 {"x": {"endpoint": ")" + place(port) + "\""));
  }
  rig.ask("POST", "/route", R"({"service":"x","request":{}})");
  REQUIRE(rig.system.places.size() == 1);
  CHECK(rig.ask("GET", "/services").find(R"("healthy": false)") != std::string::npos);
  register_at(83);  // a new server, of which nothing bad is known
  CHECK(rig.ask("GET", "/services").find(R"("healthy": true)") != std::string::npos);
}

TEST_CASE("router api: what is no registration is refused with the reason", "[services]") {
  RouterRig rig;
  CHECK(rig.ask("POST", "/register").starts_with("400 {\"error\": \"Invalid JSON: "));
  CHECK(rig.ask("POST", "/register", "[]").starts_with("400 {\"error\": \"Invalid JSON: "));
  for (const auto* body : {R"({"service":"x"})", R"({"endpoint":"http://127.0.0.1/"})",
                           R"({"service":"","endpoint":""})", R"({"service":1,"endpoint":2})"}) {
    CHECK(rig.ask("POST", "/register", body) == "400 {\"error\": \"Both 'service' and 'endpoint' are required\"}");
  }
  CHECK(rig.ask("POST", "/register", R"({"service":"x","endpoint":"not a url"})")
            .starts_with("400 {\"error\": \"endpoint"));
  CHECK(rig.ask("POST", "/register", R"({"service":"a/../b","endpoint":"http://127.0.0.1/"})").starts_with("400 "));
  CHECK(rig.ask("GET", "/") == "404 404: Not Found");
  CHECK(rig.ask("GET", "/route") == "405 405: Method Not Allowed");
  CHECK(rig.ask("GET", "/register") == "405 405: Method Not Allowed");
  rig.admitted = false;
  CHECK(rig.ask("GET", "/services") == "403 no\n");
}

TEST_CASE("router api: only this machine's servers register, unless others are allowed", "[services]") {
  const std::string remote = R"({"service":"x","endpoint":"http://192.0.2.1/mcp"})";
  RouterRig strict;
  CHECK(strict.ask("POST", "/register", remote).starts_with("400 "));
  CHECK(strict.ask("POST", "/register", R"({"service":"x","endpoint":"http://[::1]:8/mcp"})").starts_with("200 "));
  for (const auto* endpoint :
       {"http://localhost./", "http://2130706433/", "http://127.1/", "http://0.0.0.0/", "http://[::]/",
        "http://x.localhost/", "http://127.0.0.1@192.0.2.1/", "http://127.0.0.1.evil.example/",
        "http+unix://%2Frun%2Fothers.sock/"}) {
    CAPTURE(endpoint);
    CHECK(strict.ask("POST", "/register", R"({"service":"z","endpoint":")" + std::string{endpoint} + "\"}")
              .starts_with("400 "));
  }
  RouterRig open{{.allow_remote_endpoints = true}};
  CHECK(open.ask("POST", "/register", remote).starts_with("200 "));
}

TEST_CASE("router api: who may use a configured service stays so when it registers itself", "[services]") {
  RouterRig rig;
  rig.registry.fix_access("x", {.everyone = false, .allow = {key_of(3)}});
  rig.ask("POST", "/register", R"({"service":"x","endpoint":"http://127.0.0.1/"})");
  rig.ask("POST", "/register", R"({"service":"y","endpoint":"http://127.0.0.1/"})");
  CHECK_FALSE(rig.registry.table().find("x")->access.everyone);
  CHECK(rig.registry.table().find("y")->access.everyone);
  RouterRig closed{{.deny_by_default = true}};
  closed.ask("POST", "/register", R"({"service":"y","endpoint":"http://127.0.0.1/"})");
  CHECK_FALSE(closed.registry.table().find("y")->access.everyone);
}

TEST_CASE("router api: /route hands on the request and answers as the reference does", "[services]") {
  RouterRig rig;
  std::string seen;
  REQUIRE(rig.registry.add_handler("s", {}, [&](const ServiceRequest& request, ServiceReply reply) {
    seen = std::string{as_text(request.body)} + "|" + std::string{request.header("X-From-Peer-Id").value_or("")} + "|" +
           std::string{request.header("X-Service").value_or("")} + "|" +
           std::string{request.header("Accept").value_or("")};
    const auto& path = request.body.size() < 10 ? std::string{as_text(request.body)} : "200";
    const auto status = std::stoi(path);
    const bool sse = status == 299;
    if (status == 298) return reply.respond(200, {{"Content-Type", "application/json"}}, to_bytes("{no"));
    if (status == 200) return reply.respond_json("{\"n\":12345678901234567890}");
    reply.respond(sse ? 200 : status, {{"Content-Type", sse ? "text/event-stream" : "application/json"}},
                  to_bytes("{}"));
  }));
  CHECK(
      rig.ask("POST", "/route", R"({"service":"s","request":{"jsonrpc":"2.0", "id":3},"from_peer_id":"a2a-client"})") ==
      "200 {\"response\": {\"n\":12345678901234567890}, \"error\": null}");
  CHECK(seen == R"({"jsonrpc":"2.0", "id":3}|a2a-client|s|application/json, text/event-stream)");
  CHECK(rig.ask("POST", "/route", R"({"service":"s","request":204})") == "200 {\"response\": null, \"error\": null}");
  CHECK(seen == "204|unknown|s|application/json, text/event-stream");
  CHECK(rig.registry.list().front().healthy);
  CHECK(rig.ask("POST", "/route", R"({"service":"s","request":202})") ==
        "502 " + kOnlyJson + "\"Service error: 202\"}");
  CHECK_FALSE(rig.registry.list().front().healthy);
  CHECK(rig.ask("POST", "/route", R"({"service":"s","request":204})").starts_with("200 "));
  CHECK_FALSE(rig.registry.list().front().healthy);  // 204 changes nothing
  CHECK(rig.ask("POST", "/route", R"({"service":"s","request":200,"from_peer_id":null})").starts_with("200 "));
  CHECK(rig.registry.list().front().healthy);
  CHECK(rig.ask("POST", "/route", R"({"service":"s","request":500})") ==
        "502 " + kOnlyJson + "\"Service error: 500\"}");
  CHECK(rig.ask("POST", "/route", R"({"service":"s","request":299})") ==
        "502 " + kOnlyJson +
            "\"Forward error: 200, message='Attempt to decode JSON with unexpected mimetype: text/event-stream'\"}");
  CHECK_FALSE(rig.registry.list().front().healthy);
  CHECK(rig.ask("POST", "/route", R"({"service":"s","request":200})").starts_with("200 "));
  CHECK(rig.ask("POST", "/route", R"({"service":"s","request":298})") ==
        "502 " + kOnlyJson + "\"Forward error: the answer is not JSON\"}");
  CHECK_FALSE(rig.registry.list().front().healthy);
}

TEST_CASE("router api: /route names what is missing, unknown, down or not allowed", "[services]") {
  RouterRig rig;
  REQUIRE(rig.registry.add_url("down", "http://127.0.0.1:1/", {}, {}));
  REQUIRE(rig.registry.add_handler("closed", {.everyone = false, .allow = {}},
                                   [](const ServiceRequest&, ServiceReply reply) { reply.respond_json("1"); }));
  CHECK(rig.ask("POST", "/route").starts_with("400 " + kOnlyJson + "\"Invalid JSON: "));
  CHECK(rig.ask("POST", "/route", "{}") == "400 " + kOnlyJson + "\"Missing 'service' field\"}");
  CHECK(rig.ask("POST", "/route", R"({"service":"none","request":{}})") ==
        "404 " + kOnlyJson + "\"Service not found: none\"}");
  CHECK(rig.ask("POST", "/route", R"({"service":"down","request":{}})")
            .starts_with("502 " + kOnlyJson + "\"Forward error: Cannot connect to host"));
  CHECK(rig.ask("POST", "/route", R"({"service":"closed","request":{}})").starts_with("200 "));
  CHECK(rig.ask("POST", "/route", R"({"service":"closed","request":{},"from_peer_id":")" + key_of(9).to_hex() + "\"}")
            .starts_with("403 "));
}

TEST_CASE("router api: a service that does not answer is a timeout after 30 s, one whose client goes is cut",
          "[services]") {
  RouterRig rig;
  std::list<ServiceReply> kept;
  REQUIRE(rig.registry.add_handler("slow", {},
                                   [&](ServiceRequest, ServiceReply reply) { kept.push_back(std::move(reply)); }));
  CHECK(rig.ask("POST", "/route", R"({"service":"slow","request":{}})") == "none");
  rig.loop.advance(31s);
  CHECK(rig.clients.back().received.find("504") != std::string::npos);
  CHECK(rig.clients.back().received.find("\"Service timeout\"") != std::string::npos);
  CHECK_FALSE(kept.back().connected());
  CHECK_FALSE(rig.registry.list().front().healthy);

  rig.registry.table().set_healthy("slow", true);
  CHECK(rig.ask("POST", "/route", R"({"service":"slow","request":{}})") == "none");
  CHECK(kept.back().connected());
  rig.clients.back().stream.reset();
  rig.loop.run();
  CHECK_FALSE(kept.back().connected());
  CHECK(rig.registry.list().front().healthy);  // that is not the service's fault
}

TEST_CASE("health probes: a service is asked at once and then at intervals; 5xx and silence are unhealthy",
          "[services]") {
  RouterRig rig;
  int asked = 0;
  int answer = 200;
  http::Server backend{{}, rig.loop.executor(), [&](http::Exchange exchange) {
                         ++asked;
                         CHECK(exchange.request().target.text() == "/health?x");
                         exchange.respond(answer, {}, {});
                       }};
  rig.system.server = [&](std::unique_ptr<Stream> stream) { backend.accept(std::move(stream), {}, rig.loop.now()); };
  REQUIRE(rig.registry.add_url("web", "http://127.0.0.1:8000/mcp", {}, ServiceProbe{"/health?x", 10s}));
  rig.loop.advance(1s);
  CHECK(asked == 1);
  answer = 503;
  rig.loop.advance(10s);
  CHECK(asked == 2);
  CHECK_FALSE(rig.registry.list().front().healthy);
  answer = 404;
  rig.loop.advance(10s);
  CHECK(rig.registry.list().front().healthy);
  rig.system.server = nullptr;
  rig.loop.advance(10s);
  CHECK_FALSE(rig.registry.list().front().healthy);
  CHECK(rig.registry.remove("web"));
  const auto before = rig.system.places.size();
  rig.loop.advance(60s);
  CHECK(rig.system.places.size() == before);
}
