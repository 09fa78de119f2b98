// Which of a node's parts answers a frame: the services of its own, an external router, the agent, or nobody.

#include <catch2/catch_test_macros.hpp>

#include "requests_rig.hpp"
#include "responder_rig.hpp"

using namespace axl;
using namespace axl::test;

namespace {

constexpr std::string_view kRequest = R"({"jsonrpc":"2.0","id":1,"method":"m"})";

std::string to_service(std::string_view name) {
  return R"({"service":")" + std::string{name} + R"(","request":)" + std::string{kRequest} + "}";
}

void answer_with(ServiceReply& reply, std::string_view who) {
  reply.respond_json(R"({"by":")" + std::string{who} + "\"}");
}

struct Both : ResponderRig {
  Both() {
    add("s", [](const ServiceRequest&, ServiceReply reply) { answer_with(reply, "service"); });
    agent = backend([](const ServiceRequest&, ServiceReply reply) { answer_with(reply, "agent"); });
  }
};

// A whole node whose router and agent are processes that do not run.
std::string ask_unreachable(std::string_view envelope) {
  TestMesh mesh;
  NodeConfig config;
  config.router_addr = "http://127.0.0.1";
  config.a2a_addr = "http://127.0.0.1";
  auto& node = mesh.add(1, config);
  auto [ours, theirs] = mesh.loop.make_pipe();
  node.bridge().accept_frames(
      std::make_unique<PipeConnection>(std::move(theirs), key_of(7), std::uint16_t{7000}, std::uint16_t{50'000}));
  Recorder peer{std::move(ours)};
  peer.write(framed(envelope) + framed("plain"));
  mesh.loop.run();
  const auto message = node.router().receive();
  REQUIRE(message);
  CHECK(message->body.text() == "plain");
  return peer.received.substr(std::min<std::size_t>(peer.received.size(), 4));
}

}  // namespace

TEST_CASE("multiplexer: the first that a frame fits answers it", "[old_peers]") {
  Both rig;
  const std::string by_service = R"({"service":"s","response":{"by":"service"}})";
  const std::string by_agent = R"({"a2a":true,"response":{"by":"agent"}})";
  const std::string request{kRequest};
  CHECK(rig.ask(to_service("s")) == by_service);
  CHECK(rig.ask(R"({"a2a":true,"request":)" + request + "}") == by_agent);
  // Both fit: the service comes first, in whatever order the members stand.
  CHECK(rig.ask(R"({"service":"s","a2a":true,"request":)" + request + "}") == by_service);
  CHECK(rig.ask(R"({"a2a":true,"service":"s","request":)" + request + "}") == by_service);
  // No name of a service, so it is none's.
  CHECK(rig.ask(R"({"service":"","a2a":true,"request":)" + request + "}") == by_agent);
  CHECK(rig.ask(R"({"service":5,"a2a":true,"request":)" + request + "}") == by_agent);
  for (const auto* nobody :
       {"", "{", "[]", "null", "\xff\xfe", R"({"service":"","request":{}})", R"({"service":["s"]})",
        R"({"a2a":false,"request":{}})", R"({"a2a":1,"request":{}})", R"({"other":true})"}) {
    INFO(nobody);
    CHECK(rig.ask(nobody) == "(plain)");
  }
}

TEST_CASE("multiplexer: a service is found once it is registered, and no more when it is removed", "[old_peers]") {
  ResponderRig rig;
  const std::string unknown = R"({"service":"s","response":null,"error":"router error: Service not found: s"})";
  CHECK(rig.ask(to_service("s")) == unknown);
  rig.add("s", [](const ServiceRequest&, ServiceReply reply) { answer_with(reply, "service"); });
  CHECK(rig.ask(to_service("s")) == R"({"service":"s","response":{"by":"service"}})");
  CHECK(rig.ask(to_service("S")) == R"({"service":"S","response":null,"error":"router error: Service not found: S"})");
  CHECK(rig.table.remove("s"));
  CHECK(rig.ask(to_service("s")) == unknown);
}

TEST_CASE("multiplexer: a router or an agent that does not run is an answer, and the connection goes on",
          "[old_peers]") {
  CHECK(ask_unreachable(to_service("s"))
            .starts_with(R"({"service":"s","response":null,"error":"failed to contact router: )"));
  CHECK(ask_unreachable(R"({"a2a":true,"agent_card":true,"request":null})")
            .starts_with(R"({"a2a":true,"response":null,"error":"failed to contact a2a server: )"));
  CHECK(ask_unreachable(R"({"a2a":true,"request":)" + std::string{kRequest} + "}")
            .starts_with(R"({"a2a":true,"response":null,"error":"failed to contact a2a server: )"));
}

TEST_CASE("external router: what counts of its answer are the members, whatever the status", "[old_peers]") {
  ResponderRig rig;
  int status = 200;
  std::string answer;
  rig.responder->use_router(rig.backend([&](const ServiceRequest&, ServiceReply reply) {
    reply.respond(status, {{"Content-Type", "application/json"}}, to_bytes(answer));
  }));
  const auto ask = [&](int with_status, std::string text) {
    status = with_status;
    answer = std::move(text);
    return rig.ask(to_service("s"));
  };
  const auto error = [](std::string_view text) {
    return R"({"service":"s","response":null,"error":")" + std::string{text} + "\"}";
  };
  CHECK(ask(200, R"({"response":{"x":1},"error":null})") == R"({"service":"s","response":{"x":1}})");
  CHECK(ask(200, R"({"response":{"x":1}})") == R"({"service":"s","response":{"x":1}})");
  CHECK(ask(200, R"({"response":null,"error":null})") == R"({"service":"s","response":null})");
  CHECK(ask(200, R"({"response":null,"error":""})") == R"({"service":"s","response":null})");
  CHECK(ask(500, R"({"response":{"x":1},"error":null})") == R"({"service":"s","response":{"x":1}})");
  CHECK(ask(200, R"({"response":null,"error":"Service timeout"})") == error("router error: Service timeout"));
  CHECK(ask(502, R"({"response":null,"error":"Service error: 500"})") == error("router error: Service error: 500"));
  for (const auto* none : {"", " ", "<html>", "[]", "null", "5", R"({"error":5})", R"({"response":)"}) {
    INFO(none);
    CHECK(ask(200, none).starts_with(R"({"service":"s","response":null,"error":"failed to parse router response: )"));
    CHECK(ask(500, none).starts_with(R"({"service":"s","response":null,"error":"failed to parse router response: )"));
  }
}
