#include <catch2/catch_test_macros.hpp>

#include "requests_rig.hpp"

using namespace axl;
using namespace axl::test;

namespace {
constexpr std::string_view kSend = R"({ "jsonrpc":"2.0","id":1,"method":"SendMessage" })";
constexpr std::string_view kStream = R"({ "jsonrpc":"2.0","id":1,"method" : "SendStreamingMessage","p":1.50 })";
constexpr std::string_view kResult = R"({"a2a":true,"response":{"id":1,"result":{"task":{}}}})";
}  // namespace

TEST_CASE("old peers: a card is asked for by envelope, and leads through this node", "[old_peers]") {
  RequestsRig rig;
  const std::string card = R"({"a2a":true,"response":{"name":"x","url":"/a2a/)" + rig.peer.to_hex() + R"("}})";
  for (const auto* path : {"/a2a", "/a2a/", "/a2a/.well-known/agent-card.json", "/a2a/.well-known/agent.json"}) {
    const auto answer = rig.ask("GET", path, "", card);
    CHECK(rig.got == R"({"a2a":true,"agent_card":true,"request":null})");
    CHECK(answer.status == 200);
    CHECK(answer.header("X-Axl-Card") == "rewritten");
    CHECK(answer.body == R"({"name":"x","url":"http://127.0.0.1:9002/a2a/)" + rig.peer.to_hex() + "\"}");
  }
  const auto raw = rig.ask("GET", "/a2a?raw=1", "", card);
  CHECK(raw.header("X-Axl-Card") == "(none)");
  CHECK(raw.body == R"({"name":"x","url":"/a2a/)" + rig.peer.to_hex() + "\"}");
}

TEST_CASE("old peers: an A2A request passes untouched, its answer too", "[old_peers]") {
  RequestsRig rig;
  const auto answer = rig.ask("POST", "/a2a", kSend, R"({"a2a":true,"response":{ "id":1 }})");
  CHECK(rig.got == R"({"a2a":true,"request":)" + std::string{kSend} + "}");
  CHECK(answer.status == 200);
  CHECK(answer.body == R"({ "id":1 })");
}

TEST_CASE("old peers: HEAD is GET without the body, with the card's path or without", "[old_peers]") {
  RequestsRig rig;
  for (const auto* path : {"/a2a", "/a2a/", "/a2a/.well-known/agent-card.json"}) {
    INFO(path);
    const auto full = rig.ask("GET", path, "", R"({"a2a":true,"response":{"name":"x","url":"/a2a"}})");
    const auto bare = rig.ask("HEAD", path, "", R"({"a2a":true,"response":{"name":"x","url":"/a2a"}})");
    CHECK(rig.got == R"({"a2a":true,"agent_card":true,"request":null})");
    CHECK(bare.status == 200);
    CHECK(bare.body.empty());
    for (const auto* name : {"Content-Type", "Content-Length", "X-Axl-Card"}) CHECK(bare.header(name) == full.header(name));
    CHECK(full.header("Content-Length") == std::to_string(full.body.size()));
  }
  const auto failed = rig.ask("HEAD", "/a2a", "", R"({"a2a":true,"response":null,"error":"no agent"})");
  CHECK(failed.status == 502);
  CHECK(failed.body.empty());
}

TEST_CASE("old peers: errors of an agent are 502, what is no JSON is 400", "[old_peers]") {
  RequestsRig rig;
  const auto failed = rig.ask("POST", "/a2a", kSend, R"({"a2a":true,"response":null,"error":"failed to contact"})");
  CHECK(failed.status == 502);
  CHECK(failed.body == "failed to contact\n");
  CHECK(rig.ask("POST", "/a2a", kSend, "[]").body == "Invalid response from peer\n");
  const auto sent = rig.peers.size();
  CHECK(rig.ask("POST", "/a2a", "hello", kResult).body == "Invalid JSON-RPC\n");
  const auto refused = rig.ask("DELETE", "/a2a", "", kResult);
  CHECK(refused.status == 405);
  CHECK(refused.header("Allow") == "GET, HEAD, POST");
  CHECK(rig.ask("POST", "/a2a/v1/message:send", kSend, kResult).status == 404);
  CHECK(rig.peers.size() == sent);
}

TEST_CASE("old peers: a stream is refused, or its end sent as one event", "[old_peers]") {
  SECTION("refused") {
    RequestsRig rig;
    CHECK(rig.ask("POST", "/a2a", kStream, kResult).status == 502);
    CHECK(rig.peers.empty());
  }
  SECTION("downgraded") {
    RequestsRig rig{bridge::OldPeerConfig{.a2a_stream_downgrade = true}};
    const auto answer = rig.ask("POST", "/a2a", kStream, "{\"response\":{\"id\":1,\n \"result\":{\"task\":{}}}}");
    CHECK(rig.got == R"({"a2a":true,"request":{ "jsonrpc":"2.0","id":1,"method" : "SendMessage","p":1.50 }})");
    CHECK(answer.status == 200);
    CHECK(answer.header("Content-Type") == "text/event-stream");
    CHECK(answer.body == "data: {\"id\":1,  \"result\":{\"task\":{}}}\n\n");
    const auto again = rig.ask("POST", "/a2a", R"({"id":1,"method":"SubscribeToTask"})", kResult);
    CHECK(again.status == 502);
  }
}
