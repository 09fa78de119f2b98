// What the log says of envelopes that could not be answered with a response.
#include <catch2/catch_test_macros.hpp>

#include "responder_rig.hpp"

using namespace axl;
using namespace axl::test;

namespace {

constexpr std::string_view kMcp = R"({"service":"s","request":{"jsonrpc":"2.0","id":1,"method":"tools/list"}})";
constexpr std::string_view kA2a = R"({"a2a":true,"request":{"jsonrpc":"2.0","id":1,"method":"SendMessage"}})";

struct Fixture {
  ResponderRig rig;
  int status = 200;
  std::string type = "application/json";
  std::string body = R"({"jsonrpc":"2.0","id":1,"result":{}})";
  std::vector<ServiceReply> kept;
  const std::string who = " (for peer " + rig.caller.to_hex().substr(0, 16) + "...)";

  ServiceHandler answering() {
    return [this](const ServiceRequest&, ServiceReply reply) {
      if (status == 0) return kept.push_back(std::move(reply));
      reply.respond(status, {{"Content-Type", type}}, to_bytes(body));
    };
  }
  std::string only_line() {
    REQUIRE(rig.log.size() == 1);
    return std::exchange(rig.log, {}).front();
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "forward errors: a service's failure is one line, in the words of the answer", "[old_peers]") {
  rig.add("s", answering());
  body = "<html>";
  type = "text/plain";
  status = 500;
  CHECK(rig.ask(kMcp).find("router error: Service error: 500") != std::string::npos);
  CHECK(only_line() == "Stream mcp forward error: router error: Service error: 500" + who);
  status = 200;
  type = "text/html";
  rig.ask(kMcp);
  CHECK(only_line().starts_with("Stream mcp forward error: router error: Forward error: "));
  status = 0;
  const auto answer = rig.begin(kMcp);
  rig.loop.advance(29s);
  CHECK(answer->text);
  CHECK(only_line() == "Stream mcp forward error: router error: Service timeout" + who);
}

TEST_CASE_METHOD(Fixture, "forward errors: the agent's and the external router's are lines too", "[old_peers]") {
  rig.agent = rig.backend(answering());
  body = "<html>";
  rig.ask(kA2a);
  CHECK(only_line() == "Stream a2a forward error: failed to contact a2a server: status 200, and no JSON that could be "
                       "passed on" + who);
  rig.responder->use_router(rig.backend(answering()));
  rig.ask(kMcp);
  CHECK(only_line() == "Stream mcp forward error: failed to parse router response: status 200, not a JSON object" + who);
  body = R"({"response":null,"error":"a\nb\u001b[31m\u202e)" + std::string(600, 'x') + "\"}";
  rig.ask(kMcp);
  const auto line = only_line();
  CHECK(line.starts_with("Stream mcp forward error: router error: a\\x0ab\\x1b[31m\\xe2\\x80\\xaexxx"));
  CHECK(line.ends_with("xxx..." + who));
  CHECK(line.size() < 700);
  status = 0;
  for (const auto& [envelope, expected] :
       {std::pair{kA2a, "Stream a2a forward error: failed to contact a2a server: no answer in time"},
        std::pair{kMcp, "Stream mcp forward error: failed to contact router: no answer in time"}}) {
    const auto answer = rig.begin(envelope);
    rig.loop.advance(29s);
    CHECK(only_line() == expected + who);
  }
}

TEST_CASE_METHOD(Fixture, "forward errors: what went well, was refused or was given up is none", "[old_peers]") {
  rig.add("s", answering());
  rig.add("closed", answering(), {.everyone = false, .allow = {key_of(9)}});
  rig.agent = rig.backend(answering());
  rig.ask(kMcp);
  rig.ask(kA2a);
  rig.ask(R"({"service":"none","request":{"jsonrpc":"2.0","id":1,"method":"m"}})");
  rig.ask(R"({"service":"closed","request":{"jsonrpc":"2.0","id":1,"method":"m"}})");
  rig.ask(R"({"a2a":true,"request":{"jsonrpc":"2.0","id":1,"method":"SendStreamingMessage"}})");
  body = R"({"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}})";
  rig.ask(kMcp);
  rig.ask(kA2a);
  status = 202;
  body.clear();
  rig.ask(R"({"service":"s","request":{"jsonrpc":"2.0","method":"notifications/cancelled"}})");
  status = 0;
  auto answer = rig.begin(kMcp);
  rig.loop.run();
  answer->call.reset();
  rig.loop.advance(1min);
  CHECK(rig.log.empty());
}
