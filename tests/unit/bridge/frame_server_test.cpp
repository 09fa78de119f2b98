#include <catch2/catch_test_macros.hpp>

#include "bridge/frame_server.hpp"
#include "test_mesh.hpp"

using namespace std::chrono_literals;
using axl::NodeConfig;
using axl::test::key_of;
using axl::test::PipeConnection;
using axl::test::Recorder;
using axl::test::TestMesh;
using axl::test::TestNode;

namespace {

std::string framed(std::string_view body) {
  return std::string{axl::as_text(axl::router::frame_header(body.size()))} + std::string{body};
}

// A connection of `from` to the node's port 7000.
std::unique_ptr<Recorder> dial(TestMesh& mesh, TestNode& node, unsigned char from) {
  auto [ours, theirs] = mesh.loop.make_pipe(mesh.pipe_options);
  node.bridge().accept_frames(
      std::make_unique<PipeConnection>(std::move(theirs), key_of(from), std::uint16_t{7000}, std::uint16_t{50'000}));
  return std::make_unique<Recorder>(std::move(ours));
}

std::string next_body(TestNode& node) {
  const auto message = node.router().receive();
  return message ? std::string{message->body.text()} : "(none)";
}

}  // namespace

TEST_CASE("frames: several on one connection arrive in order, in whatever pieces", "[bridge]") {
  for (const std::size_t piece : {1UL, 3UL, 64UL * 1024}) {
    TestMesh mesh;
    mesh.pipe_options.max_piece = piece;
    auto& node = mesh.add(1);
    const auto peer = dial(mesh, node, 7);
    peer->write(framed("one") + framed("") + framed(R"({"json":"plain"})"));
    mesh.loop.run();
    const auto first = node.router().receive();
    REQUIRE(first);
    CHECK(first->sender == key_of(7));
    CHECK(first->body.text() == "one");
    CHECK(first->id.size() == 32);
    CHECK(next_body(node).empty());
    CHECK(next_body(node) == R"({"json":"plain"})");
    CHECK(peer->received.empty());
    CHECK_FALSE(peer->ended);
  }
}

TEST_CASE("frames: an envelope is answered at once and not queued", "[bridge]") {
  TestMesh mesh;
  auto& node = mesh.add(1);
  const auto peer = dial(mesh, node, 7);
  peer->write(framed(R"({"service":"echo","request":{"jsonrpc":"2.0","id":1}})") + framed("plain") +
              framed(R"({"a2a":true,"agent_card":true,"request":null})"));
  peer->stream().shutdown_send();
  mesh.loop.run();
  CHECK(peer->received == framed(R"({"service":"echo","response":null,"error":"router error: Service not found: echo"})") +
                              framed(R"({"a2a":true,"response":null,"error":"A2A is not available on this node"})"));
  CHECK(next_body(node) == "plain");
  CHECK(next_body(node) == "(none)");
  CHECK(peer->ended);
}

TEST_CASE("frames: the maximum is taken, a longer one ends the connection", "[bridge]") {
  TestMesh mesh;
  NodeConfig config;
  config.max_message_size = 1'000;
  auto& node = mesh.add(1, config);
  const auto peer = dial(mesh, node, 7);
  peer->write(framed(std::string(1'000, 'x')));
  mesh.loop.run();
  CHECK(next_body(node).size() == 1'000);
  peer->write(framed(std::string(1'001, 'x')));
  mesh.loop.run();
  CHECK(peer->ended);
  CHECK(next_body(node) == "(none)");
  CHECK(node.log.back() == "Message size 1001 from peer " + key_of(7).to_hex().substr(0, 16) +
                               " exceeds maximum 1000, closing connection");
  const auto http = dial(mesh, node, 7);
  http->write("GET / HTTP/1.1\r\n\r\n");
  mesh.loop.run();
  CHECK(http->ended);
}

TEST_CASE("frames: silence and unfinished frames end with their time", "[bridge]") {
  TestMesh mesh;
  auto& node = mesh.add(1);
  SECTION("no byte at all") {
    const auto peer = dial(mesh, node, 7);
    mesh.loop.advance(299s);
    CHECK_FALSE(peer->ended);
    mesh.loop.advance(1s);
    CHECK(peer->ended);
  }
  SECTION("half a length") {
    const auto peer = dial(mesh, node, 7);
    peer->write(std::string_view{"\0\0", 2});
    mesh.loop.advance(301s);
    CHECK(peer->ended);
  }
  SECTION("a body must come in a minute, however it trickles") {
    const auto peer = dial(mesh, node, 7);
    peer->write(framed("0123456789").substr(0, 6));
    mesh.loop.advance(50s);
    peer->write("2");
    mesh.loop.advance(9s);
    CHECK_FALSE(peer->ended);
    mesh.loop.advance(1s);
    CHECK(peer->ended);
  }
  CHECK(node.router().queue_stats().messages == 0);
}

TEST_CASE("frames: a full queue stops reading, drops nothing and stops our clocks", "[bridge]") {
  TestMesh mesh;
  NodeConfig config;
  config.recv_queue_messages = 8;  // a peer's share is two
  auto& node = mesh.add(1, config);
  const auto peer = dial(mesh, node, 7);
  std::string wire;
  for (int i = 0; i < 50; ++i) wire += framed(std::to_string(i));
  peer->write(wire);
  mesh.loop.advance(1h);
  CHECK(node.router().queue_stats().messages == 2);
  CHECK_FALSE(peer->ended);
  for (int i = 0; i < 50; ++i) {
    mesh.loop.run();
    CHECK(next_body(node) == std::to_string(i));
  }
  CHECK(next_body(node) == "(none)");
}

TEST_CASE("frames: a body's clock goes on where it stopped", "[bridge]") {
  TestMesh mesh;
  NodeConfig config;
  config.recv_queue_messages = 4;
  auto& node = mesh.add(1, config);
  const auto peer = dial(mesh, node, 7);
  peer->write(framed("1") + framed("2") + framed("0123456789").substr(0, 6));
  mesh.loop.advance(10min);  // "2" has no room
  CHECK(next_body(node) == "1");
  mesh.loop.run();
  CHECK_FALSE(peer->ended);
  mesh.loop.advance(59s);
  CHECK_FALSE(peer->ended);
  peer->write("23456789");
  mesh.loop.run();
  CHECK(next_body(node) == "2");
  mesh.loop.run();
  CHECK(next_body(node) == "0123456789");
}

TEST_CASE("frames: connections over the limit wait, and nothing on them is lost", "[bridge]") {
  TestMesh mesh;
  NodeConfig config;
  config.max_concurrent_conns = 4;
  auto& node = mesh.add(1, config);
  std::vector<std::unique_ptr<Recorder>> peers;
  for (unsigned char from = 10; from < 30; ++from) {
    auto& peer = *peers.emplace_back(dial(mesh, node, from));
    peer.write(framed(std::to_string(from)));
    peer.stream().shutdown_send();  // as the reference does: one connection per message
  }
  mesh.loop.run();
  CHECK(node.router().queue_stats().messages == 20);
}

TEST_CASE("frames: idle connections make room for those that wait, the largest holder's first", "[bridge]") {
  TestMesh mesh;
  NodeConfig config;
  config.max_concurrent_conns = 8;
  auto& node = mesh.add(1, config);
  std::vector<std::unique_ptr<Recorder>> greedy;
  for (int i = 0; i < 7; ++i) greedy.push_back(dial(mesh, node, 7));
  const auto modest = dial(mesh, node, 8);
  mesh.loop.advance(5s);
  const auto late = dial(mesh, node, 9);
  late->write(framed("late"));
  mesh.loop.advance(2s);
  CHECK(next_body(node) == "late");
  CHECK(greedy[0]->ended);
  CHECK_FALSE(greedy[1]->ended);
  CHECK_FALSE(modest->ended);
}

TEST_CASE("frames: one peer does not take the place of another's only connection", "[bridge]") {
  TestMesh mesh;
  NodeConfig config;
  config.max_concurrent_conns = 4;
  auto& node = mesh.add(1, config);
  const auto modest = dial(mesh, node, 8);
  std::vector<std::unique_ptr<Recorder>> greedy;
  for (int i = 0; i < 6; ++i) {
    greedy.push_back(dial(mesh, node, 7));
    greedy.back()->write(framed("x").substr(0, 3));  // busy
  }
  mesh.loop.advance(30s);
  CHECK_FALSE(modest->ended);
}

TEST_CASE("frames: those that wait are bounded too", "[bridge]") {
  TestMesh mesh;
  NodeConfig config;
  config.max_concurrent_conns = 1;
  auto& node = mesh.add(1, config);
  std::vector<std::unique_ptr<Recorder>> peers;
  for (int i = 0; i < 70; ++i) {
    peers.push_back(dial(mesh, node, 7));
    peers.back()->write(framed("x").substr(0, 3));
  }
  mesh.loop.run();
  const auto closed = std::count_if(peers.begin(), peers.end(), [](const auto& peer) { return peer->closed; });
  CHECK(closed == 70 - 1 - 64);
}

TEST_CASE("frames: allow_peers decides who may connect", "[bridge]") {
  TestMesh mesh;
  NodeConfig config;
  config.allow_peers = {key_of(7)};
  auto& node = mesh.add(1, config);
  const auto stranger = dial(mesh, node, 8);
  stranger->write(framed("x"));
  const auto allowed = dial(mesh, node, 7);
  allowed->write(framed("y"));
  mesh.loop.run();
  CHECK(stranger->closed);
  CHECK(next_body(node) == "y");
  CHECK(next_body(node) == "(none)");
}

TEST_CASE("frames: a key that deny names is neither heard nor answered, in an envelope too", "[bridge]") {
  TestMesh mesh;
  NodeConfig config;
  config.deny = {key_of(7)};
  auto& node = mesh.add(1, config);
  const auto envelope = framed(R"({"service":"s","request":{"jsonrpc":"2.0","id":1,"method":"m"}})");
  const auto denied = dial(mesh, node, 7);
  denied->write(framed("x"));
  const auto asking = dial(mesh, node, 7);
  asking->write(envelope);
  const auto other = dial(mesh, node, 8);
  other->write(envelope);
  mesh.loop.run();
  CHECK(denied->closed);
  CHECK(asking->closed);
  CHECK(asking->received.empty());
  CHECK(next_body(node) == "(none)");
  CHECK(other->received.find("Service not found: s") != std::string::npos);
}

TEST_CASE("frames: garbage of every kind is survived", "[bridge]") {
  TestMesh mesh;
  auto& node = mesh.add(1);
  axl::crypto::SeededRng rng{99};
  for (int round = 0; round < 200; ++round) {
    const auto peer = dial(mesh, node, 7);
    axl::Bytes bytes(static_cast<std::size_t>(rng.next_u64() % 400));
    rng.fill(bytes);
    if (bytes.size() > 2 && round % 2 == 0) bytes[0] = bytes[1] = std::byte{0};
    peer->write(axl::as_text(bytes));
    mesh.loop.run();
    while (node.router().receive()) {
    }
  }
  CHECK(node.router().queue_stats().messages == 0);
}

TEST_CASE("frames: draining closes what idles and finishes what is under way", "[bridge]") {
  TestMesh mesh;
  auto& node = mesh.add(1);
  const auto idle = dial(mesh, node, 7);
  const auto busy = dial(mesh, node, 8);
  busy->write(framed("hello").substr(0, 6));
  mesh.loop.run();
  bool drained = false;
  node.bridge().drain([&drained] { drained = true; });
  mesh.loop.advance(1s);
  CHECK(idle->ended);
  CHECK_FALSE(drained);
  busy->write("llo");
  mesh.loop.advance(1s);
  CHECK(drained);
  CHECK(busy->ended);
  CHECK(next_body(node) == "hello");
}

TEST_CASE("frames: one connection for each message, and still in the order of sending", "[bridge]") {
  TestMesh mesh;
  auto& node = mesh.add(1);
  const auto first = dial(mesh, node, 7);
  const auto second = dial(mesh, node, 7);
  const auto third = dial(mesh, node, 7);
  const auto stranger = dial(mesh, node, 8);
  mesh.loop.run();
  third->write(framed("third"));
  second->write(framed("second"));
  first->write(framed("first").substr(0, 6));
  stranger->write(framed("another's"));
  mesh.loop.run();
  CHECK(next_body(node) == "another's");
  CHECK(next_body(node) == "(none)");

  SECTION("the older ones come to an end") {
    first->write(framed("first").substr(6));
    mesh.loop.run();
    CHECK(next_body(node) == "first");
    CHECK(next_body(node) == "second");
    CHECK(next_body(node) == "third");
  }
  SECTION("the oldest is given up") {
    first->stream().abort();
    mesh.loop.run();
    CHECK(next_body(node) == "second");
    CHECK(next_body(node) == "third");
  }
  SECTION("the oldest shows no life") {
    mesh.loop.advance(2s);
    CHECK(next_body(node) == "second");
    CHECK(next_body(node) == "third");
    first->write(framed("first").substr(6));
    mesh.loop.run();
    CHECK(next_body(node) == "first");
  }
}
