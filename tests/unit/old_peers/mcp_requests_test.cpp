#include <catch2/catch_test_macros.hpp>

#include "requests_rig.hpp"

using namespace axl;
using namespace axl::test;

namespace {
constexpr std::string_view kList = R"({ "jsonrpc":"2.0","id": "a", "method":"tools/list","x":1e400 })";
constexpr std::string_view kInitialize = R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{}})";
constexpr std::string_view kResult = R"({"service":"svc","response":{"jsonrpc":"2.0","id":"a","result":{}}})";
}  // namespace

TEST_CASE("old peers: a request is one envelope with its bytes untouched, on a connection of its own", "[old_peers]") {
  RequestsRig rig;
  const auto answer = rig.mcp(kList, R"({"service":"svc","more":1,"response":{ "id":"a","result":1e400 }})");
  CHECK(rig.got == R"({"service":"svc","request":)" + std::string{kList} + "}");
  CHECK(answer.status == 200);
  CHECK(answer.body == R"({ "id":"a","result":1e400 })");
  CHECK(answer.header("Content-Type") == "application/json");
  CHECK(answer.header("X-Content-Type-Options") == "nosniff");
  CHECK(answer.header("Mcp-Session-Id") == "(none)");
  rig.mesh.loop.run();
  CHECK(rig.peers[0]->closed);
  CHECK(rig.requests->under_way() == 0);
  CHECK(rig.mcp(kList, kResult).status == 200);
  CHECK(rig.peers.size() == 2);
}

TEST_CASE("old peers: what is no JSON-RPC message stays here", "[old_peers]") {
  RequestsRig rig;
  for (const auto* body : {"", "hello", "{", "[]", R"([{"id":1,"method":"m"}])", R"("text")", R"({"method":5})"}) {
    INFO(body);
    const auto answer = rig.mcp(body, kResult);
    CHECK(answer.status == 400);
    CHECK(answer.body == "Invalid JSON-RPC\n");
  }
  CHECK(rig.peers.empty());
}

TEST_CASE("old peers: GET is 405, DELETE is 200 and ends the session", "[old_peers]") {
  RequestsRig rig;
  const auto get = rig.ask("GET", "/mcp/svc", "", "");
  CHECK(get.status == 405);
  CHECK(get.body == "Method not allowed\n");
  CHECK(get.header("Allow") == "POST, DELETE");
  const auto opened = rig.mcp(kInitialize, R"({"service":"svc","response":{"id":1,"result":{}}})");
  const std::string id = opened.header("Mcp-Session-Id");
  REQUIRE(id.size() == 32);
  CHECK(rig.mcp(kList, kResult, {{"Mcp-Session-Id", id}}).header("Mcp-Session-Id") == id);
  SECTION("deleted") { CHECK(rig.ask("DELETE", "/mcp/svc", "", "", {{"Mcp-Session-Id", id}}).status == 200); }
  SECTION("after an hour") { rig.mesh.loop.advance(1h); }
  SECTION("elsewhere") {
    CHECK(rig.ask("DELETE", "/mcp/other", "", "", {{"Mcp-Session-Id", id}}).status == 200);
    CHECK(rig.ask("POST", "/mcp/other", kList, kResult, {{"Mcp-Session-Id", id}}).status == 404);
    CHECK(rig.mcp(kList, kResult, {{"Mcp-Session-Id", id}}).status == 200);
    return;
  }
  const auto unknown = rig.mcp(kList, kResult, {{"Mcp-Session-Id", id}});
  CHECK(unknown.status == 404);
  CHECK(unknown.body == "Invalid or expired session\n");
}

TEST_CASE("old peers: an initialize that failed opens no session", "[old_peers]") {
  RequestsRig rig;
  CHECK(rig.mcp(kInitialize, R"({"response":{"id":1,"error":{}}})").header("Mcp-Session-Id") == "(none)");
  CHECK(rig.mcp(kInitialize, R"({"response":null,"error":"x"})").header("Mcp-Session-Id") == "(none)");
}

TEST_CASE("old peers: notifications and responses of the client are 202 whatever comes back", "[old_peers]") {
  RequestsRig rig;
  const auto error = R"({"service":"svc","response":null,"error":"router error: Service error: 202"})";
  const auto cancelled = R"({"jsonrpc":"2.0","method":"notifications/cancelled"})";
  const auto answer = rig.mcp(cancelled, error);
  CHECK(answer.status == 202);
  CHECK(answer.body.empty());
  CHECK(rig.got == R"({"service":"svc","request":)" + std::string{cancelled} + "}");
  CHECK(rig.mcp(R"({"jsonrpc":"2.0","id":1,"result":{}})", error).status == 202);
  const auto sent = rig.peers.size();
  CHECK(rig.mcp(R"({"jsonrpc":"2.0","method":"notifications/initialized"})", error).status == 202);
  CHECK(rig.peers.size() == sent);
}

TEST_CASE("old peers: the stateless revision is refused with an error that is not of its own", "[old_peers]") {
  RequestsRig rig;
  const auto refused = [&](const Answer& answer) {
    CHECK(answer.status == 400);
    CHECK(answer.header("Content-Type") == "text/plain; charset=utf-8");
  };
  refused(rig.mcp(R"({"jsonrpc":"2.0","id":1,"method":"server/discover"})", kResult));
  refused(rig.mcp(kList, kResult, {{"MCP-Protocol-Version", "2026-07-28"}}));
  refused(rig.mcp(
      R"({"id":1,"method":"m","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}})", kResult));
  CHECK(rig.peers.empty());
  CHECK(rig.mcp(kList, kResult, {{"MCP-Protocol-Version", "2025-11-25"}}).status == 200);
}

TEST_CASE("old peers: an error envelope is a JSON-RPC error with the request's id", "[old_peers]") {
  RequestsRig rig;
  const auto answer = rig.mcp(kList, R"({"service":"svc","response":null,"error":"router error: \"x\""})");
  CHECK(answer.status == 200);
  CHECK(answer.body == R"({"jsonrpc":"2.0","id":"a","error":{"code":-32603,"message":"router error: \"x\""}})");
}

TEST_CASE("old peers: what goes wrong on the way has the reference's words", "[old_peers]") {
  RequestsRig rig;
  SECTION("nobody listens") {
    rig.mesh.listen(rig.peer, 7000, nullptr);
    const auto answer = rig.mcp(kList, "");
    CHECK(answer.status == 502);
    CHECK(answer.body == "Failed to reach peer: failed to reach peer: connect tcp [" +
                             Address::of(rig.peer).to_string() + "]:7000: connection was refused\n");
  }
  SECTION("nobody answers the dialling") {
    rig.mesh.silence(rig.peer, 7000);
    const auto answer = rig.mcp(kList, "");
    CHECK(answer.status == 502);
    CHECK(answer.body.ends_with("operation timed out\n"));
  }
  SECTION("no answer in time") {
    const auto answer = rig.begin("POST", "/mcp/svc", kList);
    rig.mesh.loop.advance(29s);
    CHECK(answer->status == 0);
    rig.mesh.loop.advance(1s);
    CHECK(answer->status == 502);
    CHECK(answer->body == "no response from peer: i/o timeout\n");
  }
  SECTION("the connection ends") {
    const auto answer = rig.begin("POST", "/mcp/svc", kList);
    rig.peers[0]->stream().close();
    rig.mesh.loop.run();
    CHECK(answer->status == 502);
    CHECK(answer->body == "no response from peer: EOF\n");
  }
  SECTION("the answer is too long") {
    const auto answer = rig.begin("POST", "/mcp/svc", kList);
    rig.peers[0]->write("HTTP/1.1 400");
    rig.mesh.loop.run();
    CHECK(answer->status == 502);
    CHECK(answer->body == "message size 1213486160 exceeds maximum 16777216\n");
  }
  SECTION("the answer is no envelope") {
    for (const auto* text : {"", "hello", "[]", R"({"response":1,"error":5})"}) {
      const auto answer = rig.mcp(kList, text);
      CHECK(answer.status == 502);
      CHECK(answer.body == "Invalid response from peer\n");
    }
  }
}

TEST_CASE("old peers: a client that goes takes its connection to the peer with it", "[old_peers]") {
  RequestsRig rig;
  const auto answer = rig.begin("POST", "/mcp/svc", kList);
  CHECK(rig.requests->under_way() == 1);
  SECTION("the client") { rig.client.reset(); }
  SECTION("or the requester") { rig.requests.reset(); }
  rig.mesh.loop.run();
  CHECK(rig.peers[0]->closed);
  CHECK((!rig.requests || rig.requests->under_way() == 0));
}

TEST_CASE("old peers: an envelope that the peer would not take is refused here", "[old_peers]") {
  RequestsRig rig{bridge::OldPeerConfig{.max_message_size = 100}};
  const auto answer = rig.mcp(R"({"method":")" + std::string(70, 'x') + R"("})", kResult);
  CHECK(answer.status == 413);
  CHECK(answer.body.ends_with(" exceeds maximum 100\n"));
  CHECK(rig.peers.empty());
}

TEST_CASE("old peers: what one peer does not take at once waits for its turn", "[old_peers]") {
  constexpr std::size_t kAtOnce = 64;
  RequestsRig rig{bridge::OldPeerConfig{.dial_timeout = 60s, .answer_timeout = 30s}};
  std::vector<std::unique_ptr<http::ClientConnection>> clients;
  std::vector<std::shared_ptr<Answer>> answers;
  const auto begin = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      answers.push_back(rig.begin_on(*clients.emplace_back(rig.connect()), "POST", "/mcp/svc", kList));
    }
  };
  SECTION("in order, one for each that ends") {
    begin(kAtOnce + 10);
    CHECK(rig.peers.size() == kAtOnce);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      REQUIRE(i < rig.peers.size());
      rig.peers[i]->write(framed(kResult));
      rig.mesh.loop.run();
      CHECK(answers[i]->status == 200);
      CHECK(rig.peers.size() == std::min(kAtOnce + i + 1, answers.size()));
    }
    CHECK(rig.requests->under_way() == 0);
  }
  SECTION("not for those whose client goes") {
    begin(kAtOnce + 2);
    clients[kAtOnce].reset();
    rig.mesh.loop.run();
    CHECK(rig.requests->under_way() == kAtOnce + 1);
    clients[0].reset();
    rig.mesh.loop.run();
    REQUIRE(rig.peers.size() == kAtOnce + 1);
    rig.peers.back()->write(framed(kResult));
    rig.mesh.loop.run();
    CHECK(answers.back()->status == 200);
  }
  SECTION("for as long as an answer may take") {
    rig.mesh.silence(rig.peer, 7000);
    begin(kAtOnce + 1);
    rig.mesh.loop.advance(29s);
    CHECK(answers.back()->status == 0);
    rig.mesh.loop.advance(1s);
    CHECK(answers.back()->status == 503);
    CHECK(answers.back()->header("Retry-After") == "1");
    CHECK(answers.front()->status == 0);
  }
  SECTION("in a line that ends somewhere") {
    begin(kAtOnce + 448);
    CHECK(rig.requests->under_way() == kAtOnce + 448);
    begin(1);
    CHECK(answers.back()->status == 503);
  }
}
