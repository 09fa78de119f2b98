#include "services/mcp_caller.hpp"

#include <catch2/catch_test_macros.hpp>

#include "mcp_rig.hpp"
#include "services/mcp_headers.hpp"

using namespace axl;
using namespace axl::test;
using namespace std::chrono_literals;
using services::McpCaller;
using Lines = std::vector<std::string>;

namespace {

struct Outcome {
  std::optional<Result<Bytes>> answer;
  Lines events;
  std::unique_ptr<McpCaller::Call> call;

  [[nodiscard]] std::string text() const {
    return answer && answer->ok() ? std::string{as_text(**answer)} : std::string{};
  }
};

class CallerRig : public McpRig {
 public:
  std::unique_ptr<Outcome> call(std::string_view body, int caller = 1, Duration timeout = 29s) {
    auto out = std::make_unique<Outcome>();
    out->call = mcp.call(
        {.caller = key_of(caller), .service = table.find("s"), .body = to_bytes(body), .timeout = timeout},
        [&out = *out](Result<Bytes> answer) { out.answer = std::move(answer); },
        [&out = *out](std::string_view event) { out.events.emplace_back(event); });
    CHECK_FALSE(out->answer);
    return out;
  }
  std::unique_ptr<Outcome> run(std::string_view body, int caller = 1) {
    auto out = call(body, caller);
    loop.run();
    REQUIRE(out->answer);
    return out;
  }
  ServiceHandler handler(StatefulServer& server) {
    return [&server](ServiceRequest request, ServiceReply reply) { server(std::move(request), std::move(reply)); };
  }

  McpCaller mcp{loop};
};

constexpr std::string_view kCall = R"({"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"t"}})";

}  // namespace

TEST_CASE("MCP caller: a plain service gets the bytes and the caller's key, and its answer comes as it is") {
  CallerRig rig;
  ServiceRequest seen;
  rig.add("s", [&seen](ServiceRequest request, ServiceReply reply) {
    seen = std::move(request);
    reply.respond_json(R"({"jsonrpc":"2.0","id":7,  "result":1.50})");
  });
  CHECK(rig.run(kCall)->text() == R"({"jsonrpc":"2.0","id":7,  "result":1.50})");
  CHECK(as_text(seen.body) == kCall);
  CHECK(seen.header("X-From-Peer-Id") == key_of(1).to_hex());
  CHECK(seen.header("X-Service") == "s");
  CHECK(seen.header("Accept") == "application/json, text/event-stream");
  CHECK_FALSE(seen.header("Mcp-Method"));
}

TEST_CASE("MCP caller: of an event stream comes the response; the server's own requests are refused for it") {
  CallerRig rig;
  Lines posts;
  ServiceReply stream;
  rig.add("s", [&](ServiceRequest request, ServiceReply reply) {
    posts.emplace_back(as_text(request.body));
    if (posts.size() > 1) return reply.respond(202, {}, {});
    reply.start(200, {{"Content-Type", "text/event-stream"}});
    reply.write(to_bytes(": hello\n\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\n"));
    reply.write(to_bytes("data: {\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"sampling/createMessage\"}\n\n"));
    reply.write(to_bytes("data: {\"jsonrpc\":\"2.0\",\"id\":8,\"result\":0}\n\n"));
    stream = std::move(reply);
  });
  const auto out = rig.call(kCall);
  rig.loop.run();
  CHECK_FALSE(out->answer);
  REQUIRE(out->events.size() == 1);
  REQUIRE(posts.size() == 2);
  CHECK(json_at(posts[1], "id") == "q");
  CHECK(json_at(posts[1], "error.code") == "-32601");
  SECTION("and the call ends with it") {
    stream.write(to_bytes("data: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":1}\n\n"));
    rig.loop.run();
    CHECK(out->text() == R"({"jsonrpc":"2.0","id":7,"result":1})");
  }
  SECTION("a stream that ends without it is an error") {
    stream.finish();
    rig.loop.run();
    REQUIRE(out->answer);
    CHECK(out->answer->error().is(Errc::closed));
  }
}

TEST_CASE("MCP caller: a service that asks for a session gets one for each caller, and keeps it") {
  CallerRig rig;
  StatefulServer server;
  rig.add("s", rig.handler(server));
  const auto first = rig.run(kCall);
  CHECK(json_at(first->text(), "id") == "7");
  CHECK(json_at(first->text(), "result.session") == "session-1");
  CHECK(server.version == "2025-06-18");
  CHECK(server.seen == Lines{"tools/call", "initialize", "notifications/initialized", "tools/call"});
  server.seen.clear();
  rig.run(kCall);
  CHECK(server.seen == Lines{"tools/call"});
  server.seen.clear();
  rig.run(kCall, 2);
  CHECK(server.seen == Lines{"initialize", "notifications/initialized", "tools/call"});
  CHECK(rig.mcp.sessions() == 2);
}

TEST_CASE("MCP caller: a forgotten session is opened again, once") {
  CallerRig rig;
  StatefulServer server;
  rig.add("s", rig.handler(server));
  rig.run(kCall);
  server.open = "another";
  server.seen.clear();
  CHECK(json_at(rig.run(kCall)->text(), "result.session") == "session-2");
  CHECK(server.seen == Lines{"tools/call", "initialize", "notifications/initialized", "tools/call"});
}

TEST_CASE("MCP caller: requests with the same id in one session do not meet") {
  CallerRig rig;
  StatefulServer server;
  rig.add("s", rig.handler(server));
  rig.run(kCall);
  server.hold = true;
  const auto a = rig.call(kCall);
  const auto b = rig.call(kCall);
  rig.loop.run();
  REQUIRE(server.held.size() == 2);
  CHECK(server.held[0].first != server.held[1].first);
  server.answer_all();
  rig.loop.run();
  CHECK(json_at(a->text(), "id") == "7");
  CHECK(json_at(b->text(), "id") == "7");
  CHECK(json_at(a->text(), "result.seen") != json_at(b->text(), "result.seen"));
}

TEST_CASE("MCP caller: a call that is given up is cut, and the session's server hears of it") {
  CallerRig rig;
  StatefulServer server;
  rig.add("s", rig.handler(server));
  rig.run(kCall);
  server.hold = true;
  auto out = rig.call(kCall);
  rig.loop.run();
  const auto id = server.held.at(0).first;
  SECTION("by its owner") { out->call.reset(); }
  SECTION("when its time is over") {
    rig.loop.advance(30s);
    REQUIRE(out->answer);
    CHECK(out->answer->error().is(Errc::timed_out));
  }
  SECTION("by a client's notification, which names the client's id") {
    const auto told = rig.run(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}})");
    CHECK(told->text().empty());
    CHECK(json_at(server.last_notification, "params.requestId") == id);
    return;
  }
  rig.loop.run();
  CHECK_FALSE(server.held.at(0).second.connected());
  CHECK(json_at(server.last_notification, "method") == "notifications/cancelled");
  CHECK(json_at(server.last_notification, "params.requestId") == id);
}

TEST_CASE("MCP caller: the caller's own initialize opens the session, and replaces the one before") {
  CallerRig rig;
  StatefulServer server;
  rig.add("s", rig.handler(server));
  CHECK(rig.run(R"({"jsonrpc":"2.0","id":3,"method":"initialize","params":{}})")->answer->ok());
  CHECK(rig.run(R"({"jsonrpc":"2.0","method":"notifications/initialized"})")->text().empty());
  CHECK(server.seen == Lines{"initialize", "notifications/initialized"});
  CHECK(rig.run(R"({"jsonrpc":"2.0","id":4,"method":"initialize","params":{}})")->answer->ok());
  rig.loop.run();
  CHECK(server.seen.back() == "DELETE session-1");
  CHECK(json_at(rig.run(kCall)->text(), "result.session") == "session-2");
}

TEST_CASE("MCP caller: sessions unused for an hour are ended") {
  CallerRig rig;
  StatefulServer server;
  rig.add("s", rig.handler(server));
  rig.run(kCall);
  rig.loop.advance(80min);
  CHECK(rig.mcp.sessions() == 0);
  CHECK(server.seen.back() == "DELETE session-1");
}

TEST_CASE("MCP caller: a message of revision 2026-07-28 gets its headers, and no session") {
  CallerRig rig;
  ServiceRequest seen;
  int count = 0;
  rig.add("s", [&](ServiceRequest request, ServiceReply reply) {
    seen = std::move(request);
    ++count;
    reply.respond(404, {{"Content-Type", "application/json"}},
                  to_bytes(R"({"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}})"));
  });
  const auto out =
      rig.run(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wetter für alle","_meta":)"
              R"({"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}})");
  CHECK(json_at(out->text(), "error.code") == "-32601");
  CHECK(count == 1);
  CHECK(seen.header("MCP-Protocol-Version") == "2026-07-28");
  CHECK(seen.header("Mcp-Method") == "tools/call");
  CHECK(seen.header("Mcp-Name") == "=?base64?d2V0dGVyIGbDvHIgYWxsZQ==?=");
}

TEST_CASE("MCP caller: what a service answers instead of a response") {
  CallerRig rig;
  int status = 202;
  std::string type = "application/json";
  std::string body;
  rig.add("s", [&](ServiceRequest, ServiceReply reply) {
    reply.respond(status, {{"Content-Type", type}}, to_bytes(body));
  });
  SECTION("202 is an empty answer") { CHECK(rig.run(R"({"jsonrpc":"2.0","method":"n"})")->text().empty()); }
  SECTION("an error status is told") {
    status = 503;
    const auto out = rig.run(kCall);
    REQUIRE_FALSE(out->answer->ok());
    CHECK(out->answer->error().text() == "Service error: 503");
  }
  SECTION("HTML is none") {
    status = 200;
    type = "text/html";
    body = "<p>";
    CHECK(rig.run(kCall)->answer->error().is(Errc::malformed));
  }
  SECTION("broken JSON is none") {
    status = 200;
    body = "{";
    CHECK(rig.run(kCall)->answer->error().is(Errc::malformed));
  }
  SECTION("what is no JSON is not sent at all") { CHECK(rig.run("{")->answer->error().is(Errc::malformed)); }
}

TEST_CASE("MCP caller: a service that refuses sessions too keeps its first refusal") {
  CallerRig rig;
  int count = 0;
  rig.add("s",
          [&](ServiceRequest, ServiceReply reply) { reply.respond(++count == 1 ? 400 : 405, {}, to_bytes("no")); });
  CHECK(rig.run(kCall)->answer->error().text() == "Service error: 400");
  CHECK(count == 2);
}

TEST_CASE("MCP headers: text that a header cannot carry is wrapped") {
  CHECK(services::encode_mcp_header("plain text") == "plain text");
  CHECK(services::encode_mcp_header(" x") == "=?base64?IHg=?=");
  CHECK(services::encode_mcp_header("=?base64?eA==?=") == "=?base64?PT9iYXNlNjQ/ZUE9PT89?=");
}
