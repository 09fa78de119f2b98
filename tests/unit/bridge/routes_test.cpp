#include <axl/version.hpp>
#include <catch2/catch_test_macros.hpp>

#include "bridge/topology_json.hpp"
#include "mcp/json.hpp"
#include "test_mesh.hpp"

using namespace std::chrono_literals;
using axl::PublicKey;
using axl::test::HttpUser;
using axl::test::key_of;
using axl::test::Recorder;
using axl::test::TestMesh;

namespace {

struct Fixture {
  TestMesh mesh;
  axl::test::TestNode& a = mesh.add(1);
  axl::test::TestNode& b = mesh.add(2);
  HttpUser user{mesh, a};

  std::string ask(std::string_view method, std::string_view target) {
    const auto answer = user.ask(method, target);
    return std::to_string(answer.status) + " " + answer.body;
  }
  // Bytes of a client that then sends no more.
  std::string raw(std::string_view text) {
    auto [ours, theirs] = mesh.loop.make_pipe();
    a.bridge().accept_local(std::move(theirs));
    Recorder client{std::move(ours)};
    client.write(text);
    client.stream().shutdown_send();
    mesh.loop.run();
    return client.received;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "routes: each path leads to its handler, what is beside it to none", "[bridge]") {
  const auto peer = b.our_key().to_hex();
  CHECK(ask("GET", "/topology").starts_with("200 {\"our_ipv6\":"));
  CHECK(ask("POST", "/send") == "400 Missing X-Destination-Peer-Id header\n");
  CHECK(ask("GET", "/recv") == "204 ");
  CHECK(ask("POST", "/recv/stream") == "405 Method not allowed\n");
  CHECK(user.ask("POST", "/recv/stream").header("Allow") == "GET, DELETE");
  CHECK(user.ask("GET", "/recv/some-id").header("Allow") == "DELETE");
  CHECK(ask("GET", "/outbox").starts_with("200 {"));
  CHECK(user.ask("GET", "/outbox/some-id").status == 404);
  CHECK(ask("GET", "/outbox/some-id") != "404 404 page not found\n");
  CHECK(ask("POST", "/mcp/" + peer) == "400 URL must be /mcp/{peer_id}/{service}\n");
  CHECK(ask("POST", "/mcp/" + peer + "/none") == "404 Service not found\n");
  CHECK(ask("GET", "/a2a/") == "400 URL must be /a2a/{peer_id}\n");
  CHECK(ask("POST", "/a2a/" + peer) == "404 This node has no agent\n");
  for (const auto* none : {"/topologyx", "/topology/", "/send/", "/send/x", "/recvx", "/outboxes", "/mcpx", "/a2ax",
                           "/messages", "/register", "/route", "/TOPOLOGY"}) {
    INFO(none);
    CHECK(ask("GET", none) == "404 404 page not found\n");
    CHECK(ask("POST", none) == "404 404 page not found\n");
  }
}

TEST_CASE("topology: one peer and one announcement, every field of both", "[bridge]") {
  axl::Topology topology;
  topology.our_key = key_of(1);
  topology.our_address = axl::Address::of(key_of(1));
  topology.our_coords = {3};
  axl::Topology::Peer peer;
  peer.uri = "tls://127.0.0.1:9001";
  peer.up = true;
  peer.key = key_of(2);
  peer.root = key_of(3);
  peer.port = 7;
  peer.coords = {3, 4};
  peer.priority = 1;
  peer.cost = 20;
  peer.latency = 1500us;
  peer.rx_bytes = 10;
  peer.tx_bytes = 11;
  peer.uptime = 90s;
  peer.last_error = "the \"old\" one";
  topology.peers = {peer};
  topology.tree = {{key_of(2), key_of(3), 18'446'744'073'709'551'615U}};
  topology.sessions = 5;
  const auto hex = [](unsigned char number) { return key_of(number).to_hex(); };
  const auto text = axl::bridge::topology_json(topology, {}, 7000);
  CHECK(text.starts_with(
      R"({"our_ipv6":")" + topology.our_address.to_string() + R"(","our_public_key":")" + hex(1) +
      R"(","peers":[{"uri":"tls://127.0.0.1:9001","up":true,"inbound":false,"public_key":")" + hex(2) +
      R"(","root":")" + hex(3) + R"(","port":7,"coords":[3,4],"priority":1,"cost":20,"latency_ms":1.500,)" +
      R"("rx_bytes":10,"tx_bytes":11,"uptime_s":90,"last_error":"the \"old\" one"}],"tree":[{"public_key":")" + hex(2) +
      R"(","parent":")" + hex(3) + R"(","sequence":18446744073709551615}],)"));
  for (const std::string& ours :
       {std::string{R"("our_coords":[3])"}, R"("version":")" + std::string{axl::kVersion} + '"',
        std::string{R"("tcp_port":7000)"}, std::string{R"("sessions":5)"},
        std::string{R"("queue":{"messages":0,"bytes":0,)"}}) {
    CHECK(text.find("," + ours) != std::string::npos);
  }
  CHECK(axl::mcp::json::is_valid(text));
  // A configured peer that is down.
  axl::Topology::Peer down;
  down.uri = "tcp://peer.example:1";
  topology.peers = {down};
  CHECK(
      axl::bridge::topology_json(topology, {}, 7000)
          .find(
              R"("peers":[{"uri":"tcp://peer.example:1","up":false,"inbound":false,"public_key":"","root":"","port":0,)"
              R"("coords":[],)") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "send: a body that cannot be read is told, and nothing is sent", "[bridge]") {
  const auto head = "POST /send HTTP/1.1\r\nHost: localhost\r\nX-Destination-Peer-Id: " + b.our_key().to_hex() + "\r\n";
  const auto cut = raw(head + "Content-Length: 10\r\n\r\nabc");
  CHECK(cut.starts_with("HTTP/1.1 400 "));
  CHECK(cut.ends_with("\r\n\r\nFailed to read body: unexpected EOF\n"));
  const auto broken = raw(head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcX");
  CHECK(broken.starts_with("HTTP/1.1 400 "));
  CHECK(broken.find("\r\n\r\nFailed to read body: ") != std::string::npos);
  CHECK(raw(head + "Content-Length: 3\r\n\r\nabc").starts_with("HTTP/1.1 200 "));
  CHECK(b.router().receive()->body.text() == "abc");
  CHECK_FALSE(b.router().receive());
}

TEST_CASE_METHOD(Fixture, "send: ids of another length are refused, those at the ends of the range are dialled",
                 "[bridge]") {
  const auto send = [this](const std::string& id) {
    const auto answer = user.ask("POST", "/send", {{"X-Destination-Peer-Id", id}}, "x");
    return std::to_string(answer.status) + " " + answer.body;
  };
  for (const std::size_t digits : {1UL, 2UL, 61UL, 62UL, 63UL, 65UL, 66UL, 67UL, 128UL}) {
    CHECK(send(std::string(digits, 'a')) == "400 Invalid destination peer ID\n");
  }
  CHECK(send(std::string(63, 'a') + "-") == "400 Invalid destination peer ID\n");
  CHECK(send(std::string(32, 'a') + " " + std::string(31, 'a')) == "400 Invalid destination peer ID\n");
  for (const std::string& id : {std::string(64, '0'), std::string(64, 'f'), std::string(64, 'F'),
                                std::string(63, '0') + "1", "8" + std::string(63, '0')}) {
    const auto answer = send(id);
    CHECK(answer.starts_with("502 Failed to reach peer: failed to reach peer: connect tcp ["));
    CHECK(answer.ends_with("]:7000: connection was refused\n"));
  }
}
