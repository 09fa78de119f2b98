// Nodes on an io_context of the test's own: every method is there before it runs, in handlers, beside it and in between.
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <axl/asio.hpp>
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <thread>

#include "node_fixture.hpp"

namespace {

using axl::test::dialling;
using axl::test::listening;

struct Pair {
  explicit Pair(asio::io_context& loop)
      : alice{axl::create_node(loop, listening()).value()}, bob{axl::create_node(loop, dialling(*alice)).value()} {}

  std::unique_ptr<axl::Node> alice;
  std::unique_ptr<axl::Node> bob;
};

}  // namespace

TEST_CASE("asio hook: a handler may ask its node, and all of it runs on the thread that runs the loop", "[node]") {
  asio::io_context loop;
  Pair nodes{loop};
  std::string text;
  std::size_t peers = 0;
  auto thread = std::thread::id{};
  nodes.alice->router().on_message([&](const axl::Message& message) {
    text = message.body.text();
    peers = nodes.alice->topology().peers.size();
    thread = std::this_thread::get_id();
    loop.stop();
  });
  REQUIRE(nodes.alice->start().ok());
  REQUIRE(nodes.bob->start().ok());
  nodes.bob->send(nodes.alice->key(), axl::to_bytes("hello"), [](const auto&) {});
  loop.run();
  CHECK(text == "hello");
  CHECK(peers == 1);
  CHECK(thread == std::this_thread::get_id());
}

TEST_CASE("asio hook: other threads may ask while the loop begins, runs and has been stopped", "[node]") {
  asio::io_context loop;
  auto work = asio::make_work_guard(loop);
  Pair nodes{loop};
  REQUIRE(nodes.alice->start().ok());
  REQUIRE(nodes.bob->start().ok());
  std::thread runner{[&] { loop.run(); }};
  for (int call = 0; call < 100; ++call) CHECK(nodes.alice->listeners().size() == 1);
  CHECK(axl::test::send_and_wait(*nodes.bob, nodes.alice->key(), axl::to_bytes("hello")).ok());
  CHECK(nodes.alice->topology().peers.size() == 1);
  loop.stop();
  runner.join();
  CHECK(nodes.alice->topology().queued_messages == 1);
}

TEST_CASE("asio hook: a loop that is turned step by step leaves its thread free to ask in between", "[node]") {
  asio::io_context loop;
  Pair nodes{loop};
  REQUIRE(nodes.alice->start().ok());
  REQUIRE(nodes.bob->start().ok());
  bool sent = false;
  nodes.bob->send(nodes.alice->key(), axl::to_bytes("hello"), [&](const auto& report) { sent = report.ok(); });
  while (!sent) {
    loop.run_one();
    CHECK(nodes.alice->listeners().size() == 1);
  }
  CHECK(nodes.alice->topology().queued_messages == 1);
}
