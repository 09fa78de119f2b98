// Connections on port 7000 that end before, within and behind a frame, with us at either end of them.

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "test_mesh.hpp"

using namespace std::chrono_literals;
using axl::test::HttpUser;
using axl::test::key_of;
using axl::test::PipeConnection;
using axl::test::Recorder;
using axl::test::TestMesh;
using axl::test::TestNode;

namespace {

const std::string kFrame{"\0\0\0\5hello", 9};

std::unique_ptr<Recorder> dial(TestMesh& mesh, TestNode& node) {
  auto [ours, theirs] = mesh.loop.make_pipe();
  node.bridge().accept_frames(
      std::make_unique<PipeConnection>(std::move(theirs), key_of(7), std::uint16_t{7000}, std::uint16_t{50'000}));
  return std::make_unique<Recorder>(std::move(ours));
}

}  // namespace

TEST_CASE("frames: a peer that ends before, within or behind a frame leaves whole messages only", "[bridge]") {
  const auto size = GENERATE(0UL, 1UL, 3UL, 4UL, 5UL, 8UL, 9UL);
  const bool reset = GENERATE(false, true);
  CAPTURE(size, reset);
  TestMesh mesh;
  auto& node = mesh.add(1);
  const auto peer = dial(mesh, node);
  peer->write(kFrame.substr(0, size));
  mesh.loop.run();
  if (reset) {
    peer->stream().abort();
  } else {
    peer->stream().shutdown_send();
  }
  mesh.loop.run();
  CHECK(peer->received.empty());
  if (!reset) {
    CHECK(peer->ended);
    const bool in_length = size > 0 && size < 4;
    const bool in_body = size >= 4 && size < kFrame.size();
    CHECK(node.log.back().starts_with("Read length error from peer ") == in_length);
    CHECK(node.log.back().starts_with("Read data error from peer ") == in_body);
  }
  const auto message = node.router().receive();
  CHECK(message.has_value() == (size == kFrame.size()));
  // The place of the connection is free, and the next one is served.
  const auto next = dial(mesh, node);
  next->write(kFrame);
  mesh.loop.run();
  CHECK(node.router().receive()->body.text() == "hello");
}

TEST_CASE("messenger: an old peer's connection that breaks anywhere in a frame is a 502, never a success", "[bridge]") {
  const auto arrived = GENERATE(0UL, 1UL, 3UL, 4UL, 5UL, 8UL);  // of the length's four bytes and the body's five
  CAPTURE(arrived);
  TestMesh mesh;
  mesh.pipe_options.max_piece = 1;
  auto& node = mesh.add(1);
  HttpUser user{mesh, node};
  const auto key = key_of(5);
  std::vector<std::unique_ptr<Recorder>> connections;
  mesh.listen(key, 7000, [&connections](auto connection) {
    connections.push_back(std::make_unique<Recorder>(std::move(connection)));
  });
  const auto sent = user.begin("POST", "/send", {{"X-Destination-Peer-Id", key.to_hex()}}, "hello");
  const auto so_far = [&] { return connections.empty() ? std::string{} : connections[0]->received; };
  while (connections.empty() || so_far().size() < arrived) {
    if (!mesh.loop.executor().run_one()) REQUIRE(mesh.loop.step_pipes());
  }
  CHECK(so_far() == kFrame.substr(0, arrived));
  connections[0]->stream().abort();
  mesh.loop.run_until([&] { return sent->status != 0; });
  CHECK(sent->status == 502);
  CHECK(sent->body.starts_with("delivery unknown"));
  CHECK(sent->header("X-Axl-Message-Id").size() == 32);
  CHECK(connections.size() == 1);  // what may have arrived is not sent again
  const auto again = user.send(key, "hello");
  CHECK(again.status == 200);
  CHECK(again.header("X-Sent-Bytes") == "5");
  REQUIRE(connections.size() == 2);
  CHECK(connections[1]->received == kFrame);
}
