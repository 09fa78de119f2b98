// Whatever goes wrong between us and an old peer, for each kind of request that we make of one.

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "requests_rig.hpp"

using namespace axl;
using namespace axl::test;

namespace {

struct Kind {
  const char* method;
  const char* target;
  const char* body;
};
constexpr Kind kCall{"POST", "/mcp/svc", R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})"};
constexpr Kind kInitialize{"POST", "/mcp/svc", R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{}})"};
constexpr Kind kNotification{"POST", "/mcp/svc", R"({"jsonrpc":"2.0","method":"notifications/cancelled"})"};
constexpr Kind kSend{"POST", "/a2a", R"({"jsonrpc":"2.0","id":1,"method":"SendMessage"})"};
constexpr Kind kCard{"GET", "/a2a", ""};

// What a client that stops sending in the middle is told.
std::string cut_short(RequestsRig& rig, const std::string& target) {
  auto [ours, theirs] = rig.mesh.loop.make_pipe();
  rig.server.accept(std::move(theirs), {}, rig.mesh.loop.now());
  Recorder client{std::move(ours)};
  client.write("POST " + target + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{\"jsonrpc\":\"2.0\"");
  client.stream().shutdown_send();
  rig.mesh.loop.run();
  return client.received;
}

}  // namespace

TEST_CASE("old peers: what breaks on the way is 502 with its reason, for every kind of request", "[old_peers]") {
  RequestsRig rig;
  const auto kind = GENERATE(kCall, kInitialize, kNotification, kSend, kCard);
  CAPTURE(kind.target, kind.body);
  const auto place = "connect tcp [" + Address::of(rig.peer).to_string() + "]:7000: ";
  const auto begin = [&] { return rig.begin(kind.method, kind.target, kind.body); };
  const auto check = [&](const std::shared_ptr<Answer>& answer, const std::string& text) {
    rig.mesh.loop.run_until([&] { return answer->status != 0; });
    CHECK(answer->status == 502);
    CHECK(answer->body == text + "\n");
    CHECK(answer->header("Content-Type") == "text/plain; charset=utf-8");
    CHECK(answer->header("X-Content-Type-Options") == "nosniff");
    CHECK(answer->header("Mcp-Session-Id") == "(none)");
    CHECK(rig.requests->under_way() == 0);
  };
  SECTION("nobody listens") {
    rig.mesh.listen(rig.peer, 7000, nullptr);
    check(begin(), "Failed to reach peer: failed to reach peer: " + place + "connection was refused");
  }
  SECTION("nobody answers the dialling") {
    rig.mesh.silence(rig.peer, 7000);
    check(begin(), "Failed to reach peer: failed to reach peer: " + place + "operation timed out");
  }
  SECTION("the connection breaks before the request is through") {
    rig.mesh.listen(rig.peer, 7000, [](const std::unique_ptr<tcpip::Connection>& connection) { connection->abort(); });
    check(begin(), "Failed to send to peer");
  }
  SECTION("the connection breaks before the answer") {
    const auto answer = begin();
    rig.peers.at(0)->stream().abort();
    check(answer, "no response from peer: connection reset");
  }
  SECTION("the connection breaks within the answer") {
    const auto answer = begin();
    rig.peers.at(0)->write(framed(R"({"response":{}})").substr(0, 9));
    rig.mesh.loop.run();
    rig.peers.at(0)->stream().abort();
    check(answer, "no response from peer: connection reset");
  }
  SECTION("the connection ends within the answer's length") {
    const auto answer = begin();
    rig.peers.at(0)->write(std::string_view{"\0\0", 2});
    rig.peers.at(0)->stream().close();
    check(answer, "no response from peer: EOF");
  }
  SECTION("no answer comes") {
    const auto start = rig.mesh.loop.now();
    check(begin(), "no response from peer: i/o timeout");
    CHECK(rig.mesh.loop.now() - start == 30s);
  }
  SECTION("the answer is too long") {
    const auto answer = begin();
    rig.peers.at(0)->write(std::string_view{"\1\0\0\1", 4});
    check(answer, "message size 16777217 exceeds maximum 16777216");
  }
  SECTION("the answer is no envelope") {
    if (kind.body == kNotification.body) return;  // nothing in the answer matters to it
    const auto answer = begin();
    rig.peers.at(0)->write(framed("hello"));
    check(answer, "Invalid response from peer");
  }
}

TEST_CASE("old peers: a body that cannot be read is 400, and the peer hears nothing of it", "[old_peers]") {
  RequestsRig rig;
  for (const auto* target : {"/mcp/svc", "/a2a"}) {
    const auto answer = cut_short(rig, target);
    CHECK(answer.starts_with("HTTP/1.1 400 "));
    CHECK(answer.ends_with("\r\n\r\nFailed to read body: unexpected EOF\n"));
  }
  CHECK(rig.peers.empty());
}
