#include <catch2/catch_test_macros.hpp>

#include "responder_rig.hpp"

using namespace axl;
using namespace axl::test;

namespace {

constexpr std::string_view kList = R"({"service":"s","request":{"jsonrpc":"2.0","id":1,"method":"tools/list"}})";

std::string envelope(std::string_view request) { return R"({"service":"s","request":)" + std::string{request} + "}"; }

void respond(ServiceReply& reply, int status, std::string_view type, std::string_view body, HeaderList headers = {}) {
  if (!type.empty()) headers.emplace_back("Content-Type", type);
  reply.respond(status, std::move(headers), to_bytes(body));
}

/// A server that keeps sessions and answers with event streams, as the SDK's default does.
struct StatefulServer {
  void operator()(const ServiceRequest& request, ServiceReply reply) {
    log.push_back(seen(request, {"Mcp-Session-Id", "MCP-Protocol-Version"}));
    const auto body = as_text(request.body);
    const auto session = std::string{request.header("Mcp-Session-Id").value_or(std::string_view{})};
    if (request.method == "DELETE") return respond(reply, 200, {}, {});
    if (body.find("\"initialize\"") != std::string_view::npos) {
      current = "session-" + std::to_string(++opened);
      const auto id = body.find("\"id\":0") != std::string_view::npos ? "0" : "\"init\"";
      return respond(reply, 200, "text/event-stream",
                     "data: {\"jsonrpc\":\"2.0\",\"id\":" + std::string{id} +
                         ",\"result\":{\"protocolVersion\":\"2025-06-18\"}}\n\n",
                     {{"Mcp-Session-Id", current}});
    }
    if (session.empty()) return respond(reply, 400, "text/plain", "Missing session ID");
    if (session != current) return respond(reply, 404, "text/plain", "Session not found");
    if (body.find("\"id\"") == std::string_view::npos || body.find("\"method\"") == std::string_view::npos) {
      return respond(reply, 202, {}, {});
    }
    const auto begin = body.find("\"id\":") + 5;
    const auto id = body.substr(begin, body.find(',', begin) - begin);
    reply.start(200, {{"Content-Type", "text/event-stream"}});
    reply.write(to_bytes("event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\n"));
    reply.write(to_bytes("data: {\"jsonrpc\":\"2.0\",\"id\":77,\"method\":\"sampling/createMessage\"}\n\n"));
    reply.write(to_bytes("data: {\"jsonrpc\":\"2.0\",\"id\":" + std::string{id} + ",\"result\":{\"tools\":[]}}\n\n"));
    open.push_back(std::move(reply));  // never finished: the caller does not wait for that
  }

  std::vector<std::string> log;
  std::vector<ServiceReply> open;
  std::string current;
  int opened = 0;
};

}  // namespace

TEST_CASE("mcp envelopes: an unknown service and a forbidden one are said so", "[old_peers]") {
  ResponderRig rig;
  CHECK(rig.ask(kList) == R"({"service":"s","response":null,"error":"router error: Service not found: s"})");
  rig.add("s", [](const ServiceRequest&, ServiceReply) { FAIL("called"); }, {.everyone = false, .allow = {key_of(9)}});
  CHECK(rig.ask(kList) == R"({"service":"s","response":null,"error":"router error: Access denied: s"})");
}

TEST_CASE("mcp envelopes: only where there are services is a loose one an envelope", "[old_peers]") {
  ResponderRig rig;
  const std::string loose = R"({"note":1,"SERVICE":"other"})";
  CHECK(rig.ask(loose) == "(plain)");
  CHECK(rig.ask(R"({"service":5,"request":{}})") == "(plain)");
  CHECK(rig.ask("hello") == "(plain)");
  rig.add("s", [](const ServiceRequest&, ServiceReply) {});
  CHECK(rig.ask(loose) == R"({"service":"other","response":null,"error":"router error: Service not found: other"})");
  CHECK(rig.ask(R"({"service":5,"request":{}})") == "(plain)");
  CHECK(rig.ask("hello") == "(plain)");
}

TEST_CASE("mcp envelopes: a JSON answer passes through byte for byte, as does the request", "[old_peers]") {
  ResponderRig rig;
  std::vector<std::string> log;
  rig.add("s", [&](const ServiceRequest& request, ServiceReply reply) {
    log.push_back(seen(request, {"X-From-Peer-Id", "X-Service", "Content-Type", "Accept", "MCP-Protocol-Version"}));
    respond(reply, 200, "application/json; charset=utf-8", " { \"jsonrpc\":\"2.0\",\"id\":1,\"result\":1e400 }\n");
  });
  const std::string request = R"({ "jsonrpc":"2.0","id":1, "method":"x","params":{"n":12345678901234567890123} })";
  CHECK(rig.ask(envelope(request)) == R"({"service":"s","response":{ "jsonrpc":"2.0","id":1,"result":1e400 }})");
  CHECK(log == std::vector{"POST X-From-Peer-Id=" + rig.caller.to_hex() +
                           " X-Service=s Content-Type=application/json Accept=application/json, text/event-stream " +
                           request});
  CHECK(rig.healthy("s"));
}

TEST_CASE("mcp envelopes: a server with sessions and event streams serves one who has neither", "[old_peers]") {
  ResponderRig rig;
  StatefulServer server;
  rig.add("s", std::ref(server));
  const auto initialize = R"({"jsonrpc":"2.0","id":"init","method":"initialize","params":{}})";
  CHECK(rig.ask(envelope(initialize)) ==
        R"({"service":"s","response":{"jsonrpc":"2.0","id":"init","result":{"protocolVersion":"2025-06-18"}}})");
  REQUIRE(server.log.size() == 2);
  CHECK(server.log[1] ==
        "POST Mcp-Session-Id=session-1 MCP-Protocol-Version=2025-06-18 "
        R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
  CHECK(rig.ask(kList) == R"({"service":"s","response":{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}})");
  rig.loop.run();
  REQUIRE(server.log.size() == 4);
  CHECK(server.log[2].starts_with("POST Mcp-Session-Id=session-1 MCP-Protocol-Version=2025-06-18 "));
  CHECK(server.log[3].find("\"id\":77,\"error\":{\"code\":-32601") != std::string::npos);

  SECTION("and when it has forgotten the session, one is opened anew, once") {
    server.current = "lost";
    CHECK(rig.ask(kList) == R"({"service":"s","response":{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}})");
    CHECK(server.opened == 2);
  }
  SECTION("each caller has its own") {
    rig.caller = key_of(8);
    CHECK(rig.ask(kList) == R"({"service":"s","response":{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}})");
    CHECK(server.opened == 2);
  }
}

TEST_CASE("mcp envelopes: 202 and 204 are an answer without a response", "[old_peers]") {
  ResponderRig rig;
  int status = 202;
  rig.add("s", [&](const ServiceRequest&, ServiceReply reply) { respond(reply, status, {}, {}); });
  const auto cancelled = envelope(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})");
  CHECK(rig.ask(cancelled) == R"({"service":"s","response":null})");
  status = 204;
  CHECK(rig.ask(cancelled) == R"({"service":"s","response":null})");
}

TEST_CASE("mcp envelopes: what revision 2026-07-28 repeats in headers is repeated from the body", "[old_peers]") {
  ResponderRig rig;
  std::vector<std::string> log;
  rig.add("s", [&](const ServiceRequest& request, ServiceReply reply) {
    log.push_back(seen(request, {"MCP-Protocol-Version", "Mcp-Method", "Mcp-Name", "Mcp-Session-Id"}));
    respond(reply, 200, "application/json", R"({"jsonrpc":"2.0","id":1,"result":{}})");
  });
  const std::string call =
      R"({"id":1,"method":"tools/call","params":{"name":"add","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}})";
  CHECK(rig.ask(envelope(call)) == R"({"service":"s","response":{"jsonrpc":"2.0","id":1,"result":{}}})");
  CHECK(log == std::vector{"POST MCP-Protocol-Version=2026-07-28 Mcp-Method=tools/call Mcp-Name=add " + call});
}

TEST_CASE("mcp envelopes: a failing backend is an error in the router's words", "[old_peers]") {
  ResponderRig rig;
  int status = 500;
  std::string type = "text/plain";
  rig.add("s", [&](const ServiceRequest&, ServiceReply reply) { respond(reply, status, type, "<html>"); });
  CHECK(rig.ask(kList) == R"({"service":"s","response":null,"error":"router error: Service error: 500"})");
  CHECK_FALSE(rig.healthy("s"));
  status = 200;
  type = "text/html";
  CHECK(rig.ask(kList).starts_with(R"({"service":"s","response":null,"error":"router error: Forward error: )"));
  type = "application/json";
  CHECK(rig.ask(kList).starts_with(R"({"service":"s","response":null,"error":"router error: Forward error: )"));
}

TEST_CASE("mcp envelopes: there is an answer within 29 seconds, also when the backend is silent", "[old_peers]") {
  ResponderRig rig;
  std::vector<ServiceReply> kept;
  rig.add("s", [&](const ServiceRequest&, ServiceReply reply) { kept.push_back(std::move(reply)); });
  const auto answer = rig.begin(kList);
  rig.loop.advance(28s);
  CHECK_FALSE(answer->text);
  rig.loop.advance(1s);
  CHECK(answer->text == R"({"service":"s","response":null,"error":"router error: Service timeout"})");
}

TEST_CASE("mcp envelopes: a caller that goes cuts the backend's request", "[old_peers]") {
  ResponderRig rig;
  std::vector<ServiceReply> kept;
  rig.add("s", [&](const ServiceRequest&, ServiceReply reply) { kept.push_back(std::move(reply)); });
  const auto answer = rig.begin(kList);
  rig.loop.run();
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].connected());
  SECTION("by leaving") { answer->call.reset(); }
  SECTION("as does the end of the responder") { rig.responder.reset(); }
  rig.loop.run();
  CHECK_FALSE(kept[0].connected());
  CHECK_FALSE(answer->text);
}

TEST_CASE("mcp envelopes: an external router is asked in the reference's way", "[old_peers]") {
  ResponderRig rig;
  std::string answer = R"({"response":{"jsonrpc":"2.0","id":1,"result":{}},"error":null})";
  std::vector<std::string> log;
  rig.responder->use_router(rig.backend([&](const ServiceRequest& request, ServiceReply reply) {
    log.push_back(seen(request, {"Content-Type"}));
    respond(reply, 502, "application/json", answer);
  }));
  CHECK(rig.ask(kList) == R"({"service":"s","response":{"jsonrpc":"2.0","id":1,"result":{}}})");
  REQUIRE(log.size() == 1);
  CHECK(log[0] == R"(POST/route Content-Type=application/json {"service":"s","request":)"
                  R"({"jsonrpc":"2.0","id":1,"method":"tools/list"},"from_peer_id":")" +
                      rig.caller.to_hex() + "\"}");
  answer = R"({"response":null,"error":"Service not found: s"})";
  CHECK(rig.ask(kList) == R"({"service":"s","response":null,"error":"router error: Service not found: s"})");
  answer = "<html>";
  CHECK(rig.ask(kList).starts_with(R"({"service":"s","response":null,"error":"failed to parse router response: )"));
}

TEST_CASE("mcp envelopes: a name of our own table is not the external router's", "[old_peers]") {
  ResponderRig rig;
  rig.responder->use_router(rig.backend([](const ServiceRequest&, ServiceReply) { FAIL("called"); }));
  rig.add("s", [](const ServiceRequest&, ServiceReply) { FAIL("called"); }, {.everyone = false, .allow = {key_of(9)}});
  CHECK(rig.ask(kList) == R"({"service":"s","response":null,"error":"router error: Access denied: s"})");
}

TEST_CASE("mcp envelopes: the external router's names are for whom the policy lets", "[old_peers]") {
  ResponderRig rig;
  rig.responder->use_router(rig.backend([](const ServiceRequest&, ServiceReply) { FAIL("called"); }),
                            {.everyone = false});
  CHECK(rig.ask(kList) == R"({"service":"s","response":null,"error":"router error: Access denied: s"})");
}
