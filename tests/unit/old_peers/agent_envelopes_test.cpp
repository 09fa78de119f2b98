#include <catch2/catch_test_macros.hpp>

#include "responder_rig.hpp"

using namespace axl;
using namespace axl::test;

namespace {

std::string envelope(std::string_view request) { return R"({"a2a":true,"request":)" + std::string{request} + "}"; }

struct Agent {
  void operator()(const ServiceRequest& request, ServiceReply reply) {
    log.push_back(seen(request, {"A2A-Version", "X-From-Peer-Id"}));
    reply.respond(status, {{"Content-Type", type}}, to_bytes(answer));
  }
  std::vector<std::string> log;
  int status = 200;
  std::string type = "application/json";
  std::string answer = R"({"jsonrpc":"2.0","id":1,"result":{}})";
};

}  // namespace

TEST_CASE("a2a envelopes: without an agent the exact shape is answered, the rest is a message", "[old_peers]") {
  ResponderRig rig;
  const auto off = R"({"a2a":true,"response":null,"error":"A2A is not available on this node"})";
  CHECK(rig.ask(envelope("{}")) == off);
  CHECK(rig.ask(R"({"a2a":true,"agent_card":true,"request":null})") == off);
  CHECK(rig.ask(R"({"a2a":true})") == "(plain)");
}

TEST_CASE("a2a envelopes: the version header follows the method's name", "[old_peers]") {
  ResponderRig rig;
  Agent agent;
  rig.agent = rig.backend(std::ref(agent));
  const auto by = " X-From-Peer-Id=" + rig.caller.to_hex() + " ";
  for (const auto& [method, version] : {std::pair{"SendMessage", " A2A-Version=1.0"}, std::pair{"message/send", ""}}) {
    const auto request = R"({ "jsonrpc":"2.0", "id":1,"method":")" + std::string{method} + "\"}";
    CHECK(rig.ask(envelope(request)) == R"({"a2a":true,"response":{"jsonrpc":"2.0","id":1,"result":{}}})");
    CHECK(agent.log.back() == "POST" + std::string{version} + by + request);
  }
}

TEST_CASE("a2a envelopes: the card comes from the well-known path", "[old_peers]") {
  ResponderRig rig;
  Agent agent;
  agent.answer = R"({"name":"x"})";
  rig.agent = rig.backend(std::ref(agent));
  const auto ask = [&] { return rig.ask(R"({"a2a":true,"agent_card":true,"request":null})"); };
  CHECK(ask() == R"({"a2a":true,"response":{"name":"x"}})");
  CHECK(agent.log[0].starts_with("GET/.well-known/agent-card.json "));
  agent.status = 404;
  CHECK(ask().starts_with(R"({"a2a":true,"response":null,"error":"failed to contact a2a server: status 404)"));
}

TEST_CASE("a2a envelopes: streams are refused at once, the agent is not asked", "[old_peers]") {
  ResponderRig rig;
  Agent agent;
  rig.agent = rig.backend(std::ref(agent));
  for (const auto* method : {"SendStreamingMessage", "SubscribeToTask", "message/stream", "tasks/resubscribe"}) {
    const auto answer = rig.ask(envelope(R"({"jsonrpc":"2.0","id":"q","method":")" + std::string{method} + "\"}"));
    CHECK(answer.starts_with(R"({"a2a":true,"response":{"jsonrpc":"2.0","id":"q","error":{"code":-32004,)"));
  }
  CHECK(agent.log.empty());
}

TEST_CASE("a2a envelopes: there is always an answer", "[old_peers]") {
  ResponderRig rig;
  const auto request = envelope(R"({"jsonrpc":"2.0","id":1,"method":"SendMessage"})");
  const std::string failed = R"({"a2a":true,"response":null,"error":"failed to contact a2a server: )";
  SECTION("to HTML") {
    Agent agent;
    agent.type = "text/html";
    agent.answer = "<html>";
    rig.agent = rig.backend(std::ref(agent));
    CHECK(rig.ask(request).starts_with(failed));
  }
  SECTION("to JSON with a status that is lost, as the reference loses it") {
    Agent agent;
    agent.status = 400;
    rig.agent = rig.backend(std::ref(agent));
    CHECK(rig.ask(request) == R"({"a2a":true,"response":{"jsonrpc":"2.0","id":1,"result":{}}})");
  }
  SECTION("to an event stream that never ends") {
    std::vector<ServiceReply> kept;
    rig.agent = rig.backend([&](const ServiceRequest&, ServiceReply reply) {
      reply.start(200, {{"Content-Type", "text/event-stream"}});
      kept.push_back(std::move(reply));
    });
    const auto answer = rig.begin(request);
    rig.loop.run();
    REQUIRE(answer->text);
    CHECK(answer->text->starts_with(failed));
  }
  SECTION("to silence, within 29 seconds") {
    std::vector<ServiceReply> kept;
    rig.agent = rig.backend([&](const ServiceRequest&, ServiceReply reply) { kept.push_back(std::move(reply)); });
    const auto answer = rig.begin(request);
    rig.loop.advance(29s);
    REQUIRE(answer->text);
    CHECK(answer->text->starts_with(failed));
  }
}
