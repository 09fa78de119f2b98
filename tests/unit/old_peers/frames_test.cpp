// Envelopes on port 7000 of a whole bridge, answered by services in the program.

#include <catch2/catch_test_macros.hpp>

#include "requests_rig.hpp"

using namespace axl;
using namespace axl::test;

namespace {

struct Bridged {
  Bridged() {
    REQUIRE(node.router().add_service(
        "slow", {}, [this](const ServiceRequest&, ServiceReply reply) { slow.push_back(std::move(reply)); }));
    REQUIRE(node.router().add_service("quick", {}, [](const ServiceRequest&, ServiceReply reply) {
      reply.respond_json(R"({"id":1,"result":"quick"})");
    }));
  }
  std::unique_ptr<Recorder> dial(unsigned char from) {
    auto [ours, theirs] = mesh.loop.make_pipe();
    node.bridge().accept_frames(
        std::make_unique<PipeConnection>(std::move(theirs), key_of(from), std::uint16_t{7000}, std::uint16_t{50'000}));
    return std::make_unique<Recorder>(std::move(ours));
  }

  TestMesh mesh;
  TestNode& node = mesh.add(1);
  std::vector<ServiceReply> slow;
};

std::string call(std::string_view service) {
  return framed(R"({"service":")" + std::string{service} + R"(","request":{"jsonrpc":"2.0","id":1,"method":"m"}})");
}
std::string answer(std::string_view service) {
  const std::string name{service};
  return framed(R"({"service":")" + name + R"(","response":{"id":1,"result":")" + name + "\"}}");
}

}  // namespace

TEST_CASE("frames: a slow service holds up what stands behind it on its connection only", "[old_peers]") {
  Bridged b;
  const auto held = b.dial(7);
  held->write(call("slow") + framed("behind") + call("quick"));
  b.mesh.loop.run();
  CHECK(held->received.empty());
  CHECK_FALSE(b.node.router().receive());
  const auto other = b.dial(7);
  other->write(call("quick") + framed("other"));
  b.mesh.loop.run();
  CHECK(other->received == answer("quick"));
  CHECK(b.node.router().receive()->body.text() == "other");
  REQUIRE(b.slow.size() == 1);
  b.slow[0].respond_json(R"({"id":1,"result":"slow"})");
  b.mesh.loop.run();
  CHECK(held->received == answer("slow") + answer("quick"));
  CHECK(b.node.router().receive()->body.text() == "behind");
}

TEST_CASE("frames: a half-closed connection still gets its answers, then ends", "[old_peers]") {
  Bridged b;
  const auto peer = b.dial(7);
  peer->write(call("slow") + call("quick"));
  peer->stream().shutdown_send();
  b.mesh.loop.run();
  CHECK_FALSE(peer->ended);
  b.slow.at(0).respond_json(R"({"id":1,"result":"slow"})");
  b.mesh.loop.run();
  CHECK(peer->received == answer("slow") + answer("quick"));
  CHECK(peer->ended);
}

TEST_CASE("frames: a peer that goes cuts its call", "[old_peers]") {
  Bridged b;
  auto peer = b.dial(7);
  peer->write(call("slow"));
  b.mesh.loop.run();
  REQUIRE(b.slow.size() == 1);
  peer->stream().abort();
  b.mesh.loop.run();
  CHECK_FALSE(b.slow[0].connected());
}

TEST_CASE("frames: a service that fails costs its connection nothing", "[old_peers]") {
  Bridged b;
  REQUIRE(b.node.router().add_service("fails", {},
                                      [](const ServiceRequest&, ServiceReply reply) { reply.respond(500, {}, {}); }));
  const auto peer = b.dial(7);
  peer->write(call("fails") + call("none") + framed("plain") + call("quick"));
  b.mesh.loop.run();
  const auto error = [](std::string_view service, std::string_view text) {
    return framed(R"({"service":")" + std::string{service} + R"(","response":null,"error":"router error: )" +
                  std::string{text} + "\"}");
  };
  CHECK(peer->received ==
        error("fails", "Service error: 500") + error("none", "Service not found: none") + answer("quick"));
  CHECK(b.node.router().receive()->body.text() == "plain");
  CHECK_FALSE(peer->ended);
}

TEST_CASE("frames: an answer that cannot be delivered any more harms nobody else", "[old_peers]") {
  Bridged b;
  const auto peer = b.dial(7);
  peer->write(call("slow"));
  b.mesh.loop.run();
  peer->stream().pause_reading();
  REQUIRE(b.slow.size() == 1);
  b.slow[0].respond_json(R"({"id":1,"result":")" + std::string(300'000, 'x') + "\"}");
  b.mesh.loop.run();
  CHECK(peer->received.empty());
  peer->stream().abort();
  b.mesh.loop.run();
  const auto other = b.dial(7);
  other->write(call("quick") + framed("other"));
  b.mesh.loop.run();
  CHECK(other->received == answer("quick"));
  CHECK(b.node.router().receive()->body.text() == "other");
}

TEST_CASE("frames: a node that drains waits for the answer under way", "[old_peers]") {
  Bridged b;
  const auto peer = b.dial(7);
  peer->write(call("slow"));
  b.mesh.loop.run();
  bool drained = false;
  b.node.bridge().drain([&] { drained = true; });
  b.mesh.loop.advance(1s);
  CHECK_FALSE(drained);
  b.slow.at(0).respond_json(R"({"id":1,"result":"slow"})");
  b.mesh.loop.advance(1s);
  CHECK(peer->received == answer("slow"));
  CHECK(peer->ended);
  CHECK(drained);
}
