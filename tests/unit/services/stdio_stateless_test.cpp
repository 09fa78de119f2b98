// Requests of revision 2026-07-28: no session, one process per caller.
#include <catch2/catch_test_macros.hpp>

#include "stdio_rig.hpp"

using namespace std::chrono_literals;
using namespace axl;
using namespace axl::test;

namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::vector<std::string> modern_program() { return StdioRig::program({"--modern"}); }

constexpr auto kDiscover = R"({"jsonrpc":"2.0","id":"d","method":"server/discover","params":{}})";

}  // namespace

TEST_CASE("stateless: one process for all requests of a caller, another for another's", "[services]") {
  StdioRig rig{{}, modern_program()};
  const auto found = rig.ask("POST", StdioRig::modern_headers(), kDiscover);
  CHECK(found->head.status == 200);
  CHECK(found->header("Content-Type") == "application/json");
  CHECK(found->header("Mcp-Session-Id").empty());
  CHECK(found->text == R"({"jsonrpc":"2.0","id":"d","result":{"supportedVersions":["2026-07-28"]}})");
  const auto first = rig.ask("POST", StdioRig::modern_headers(), StdioRig::tool("7", "pid"))->text;
  CHECK(rig.ask("POST", StdioRig::modern_headers("application/json"), StdioRig::tool("7", "pid"))->text == first);
  CHECK(rig.server->processes() == 1);
  CHECK(rig.ask("POST", StdioRig::modern_headers(), StdioRig::tool("7", "pid"), 2)->text != first);
  CHECK(rig.server->processes() == 2);
  CHECK(rig.ask("GET", StdioRig::modern_headers("text/event-stream"))->head.status == 405);
}

TEST_CASE("stateless: clients of one key may use the same ids and tokens at once", "[services]") {
  StdioRig rig{{}, modern_program()};
  const auto hold = [&](std::string_view id, const std::string& name) {
    return rig.begin("POST", StdioRig::modern_headers(), StdioRig::tool(id, "hold", R"({"name":")" + name + "\"}"));
  };
  const auto a = hold("1", "a");
  const auto b = hold("1", "b");
  const auto c = hold("\"1\"", "c");
  const auto progress =
      rig.ask("POST", StdioRig::modern_headers(), StdioRig::tool("1", "progress", R"({"steps":2})", "1"));
  REQUIRE(progress->events().size() == 3);
  CHECK(contains(progress->events()[0], R"("progressToken":1,)"));
  CHECK(contains(progress->events()[2], R"("id":1,)"));
  CHECK(progress->ids().empty());  // nobody comes back
  rig.ask("POST", StdioRig::modern_headers(), StdioRig::tool("1", "release", R"({"names":["b","c","a"]})"));
  REQUIRE(rig.wait([&] { return a->over() && b->over() && c->over(); }));
  CHECK(a->text == R"({"jsonrpc":"2.0","id":1,"result":{"released":"a"}})");
  CHECK(b->text == R"({"jsonrpc":"2.0","id":1,"result":{"released":"b"}})");
  CHECK(c->text == R"({"jsonrpc":"2.0","id":"1","result":{"released":"c"}})");
}

TEST_CASE("stateless: closing the stream cancels the request", "[services]") {
  StdioRig rig{{}, modern_program()};
  const auto held =
      rig.begin("POST", StdioRig::modern_headers(), StdioRig::tool("\"mine\"", "hold", R"({"name":"a"})"));
  rig.ask("POST", StdioRig::modern_headers(), kDiscover);
  held->vanish();
  std::string seen;
  REQUIRE(rig.wait([&] {
    seen = rig.ask("POST", StdioRig::modern_headers(), StdioRig::tool("1", "seen"))->text;
    return contains(seen, "notifications/cancelled");
  }));
  CHECK(contains(seen, R"({"requestId":"axl-1"})"));
  // The late answer goes nowhere, and nothing breaks.
  CHECK(
      rig.ask("POST", StdioRig::modern_headers(), StdioRig::tool("2", "release", R"({"names":["a"]})"))->head.status ==
      200);
}

TEST_CASE("stateless: a cancellation that the client sends names the request as the program knows it", "[services]") {
  StdioRig rig{{}, modern_program()};
  const auto held =
      rig.begin("POST", StdioRig::modern_headers(), StdioRig::tool("\"mine\"", "hold", R"({"name":"a"})"));
  rig.ask("POST", StdioRig::modern_headers(), kDiscover);
  const auto cancel = [&](const std::string& id) {
    return rig.ask("POST", StdioRig::modern_headers(),
                   R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":)" + id + "}}");
  };
  CHECK(cancel("\"mine\"")->head.status == 202);
  CHECK(cancel("\"unknown\"")->head.status == 202);
  const auto seen = rig.ask("POST", StdioRig::modern_headers(), StdioRig::tool("1", "seen"))->text;
  CHECK(contains(seen, R"({"requestId":"axl-1"})"));
  CHECK_FALSE(contains(seen, "unknown"));
}

TEST_CASE("stateless: a subscription's notifications come on its stream under its own id", "[services]") {
  StdioRig rig{{}, modern_program()};
  const auto subscribe = [&](const std::string& id) {
    return rig.begin("POST", StdioRig::modern_headers(),
                     R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":"subscriptions/listen","params":{}})");
  };
  const auto first = subscribe("5");
  const auto second = subscribe("5");
  REQUIRE(rig.wait([&] { return first->events().size() == 1 && second->events().size() == 1; }));
  CHECK(first->header("Content-Type") == "text/event-stream");
  CHECK(contains(first->events()[0], R"("io.modelcontextprotocol/subscriptionId":5})"));
  CHECK(contains(second->events()[0], R"("io.modelcontextprotocol/subscriptionId":5})"));
}

TEST_CASE("stateless: an unknown method is 404", "[services]") {
  StdioRig rig{{}, modern_program()};
  const auto call = rig.ask("POST", StdioRig::modern_headers(), R"({"jsonrpc":"2.0","id":1,"method":"no/such"})");
  CHECK(call->head.status == 404);
  CHECK(contains(call->text, "-32601"));
}

TEST_CASE("stateless: a program of the older kind is found out once, and clients fall back", "[services]") {
  StdioRig rig;
  const auto found = rig.ask("POST", StdioRig::modern_headers(), kDiscover);
  CHECK(found->head.status == 400);
  CHECK_FALSE(contains(found->text, "jsonrpc"));
  REQUIRE(rig.wait([&] { return rig.server->processes() == 0; }));
  CHECK(rig.ask("POST", StdioRig::modern_headers(), kDiscover)->head.status == 400);
  CHECK(rig.server->processes() == 0);
  CHECK_FALSE(rig.open().empty());
}

TEST_CASE("stateless: the end of the process is told to all who wait", "[services]") {
  StdioRig rig{{}, modern_program()};
  const auto held = rig.begin("POST", StdioRig::modern_headers(), StdioRig::tool("1", "hold", R"({"name":"a"})"));
  rig.ask("POST", StdioRig::modern_headers(), kDiscover);
  CHECK(rig.ask("POST", StdioRig::modern_headers(), StdioRig::tool("2", "die"))->head.status == 502);
  REQUIRE(rig.wait([&] { return held->over(); }));
  CHECK(held->head.status == 502);
  CHECK(rig.ask("POST", StdioRig::modern_headers(), StdioRig::tool("3", "echo"))->head.status == 200);
}
