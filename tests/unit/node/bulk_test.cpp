#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <vector>

#include "node_fixture.hpp"

using namespace axl;
using namespace axl::test;

namespace {

constexpr std::uint32_t kMessages = 30;

// Each byte follows from its place and the message's number.
Bytes body_of(std::uint32_t number) {
  Bytes body(600'000 + number * 1'000);
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<std::byte>((i >> 4U) + number);
  return body;
}

// Takes the messages of one node in turn; what is wrong is counted on the loop and looked at by the test.
class Taker {
 public:
  explicit Taker(Node& node) {
    node.router().on_message([this](const Message& message) {
      const auto wanted = body_of(next_);
      if (!std::ranges::equal(message.body.span(), wanted)) ++wrong_;
      if (++next_ == kMessages) all_.set(true);
    });
  }
  [[nodiscard]] int wait() {
    static_cast<void>(all_.get());
    return wrong_;
  }

 private:
  std::uint32_t next_ = 0;
  std::atomic<int> wrong_{0};
  Awaited<bool> all_;
};

std::ptrdiff_t threads() {
  std::error_code failure;
  return std::distance(std::filesystem::directory_iterator{"/proc/self/task", failure}, {});
}

NodeConfig with(NodeConfig config, BulkThread where) {
  config.bulk_thread = where;
  config.send_timeout = std::chrono::seconds{600};  // all are sent at once, and a machine may be slow
  return config;
}

}  // namespace

TEST_CASE("node: large messages both ways at once, with TLS on a second thread", "[node]") {
  const auto before = threads();
  const auto alice = make_node(with(listening(), BulkThread::always));
  const auto bob = make_node(with(dialling(*alice), BulkThread::always));
  Taker alices{*alice};
  Taker bobs{*bob};
  REQUIRE(alice->start());
  REQUIRE(bob->start());
  REQUIRE(send_and_wait(*alice, bob->key(), body_of(0)));
  REQUIRE(send_and_wait(*bob, alice->key(), body_of(0)));
  std::atomic<int> failures{0};
  for (std::uint32_t i = 1; i < kMessages; ++i) {
    alice->send(bob->key(), body_of(i), [&](const auto& report) { failures += report ? 0 : 1; });
    bob->send(alice->key(), body_of(i), [&](const auto& report) { failures += report ? 0 : 1; });
  }
  CHECK(alices.wait() == 0);
  CHECK(bobs.wait() == 0);
#ifdef __linux__
  CHECK(threads() > before + 2);  // besides the nodes' loops
#endif
  alice->stop();
  bob->stop();
  CHECK(failures == 0);
}

TEST_CASE("node: stopping in the middle of bulk on a second thread", "[node]") {
  for (int round = 0; round < 5; ++round) {
    const auto alice = make_node(with(listening(), BulkThread::always));
    auto bob = make_node(with(dialling(*alice), BulkThread::always));
    Awaited<bool> begun;
    alice->router().on_message([&, first = true](const Message&) mutable {
      if (std::exchange(first, false)) begun.set(true);
    });
    REQUIRE(alice->start());
    REQUIRE(bob->start());
    for (std::uint32_t i = 0; i < 10; ++i) bob->send(alice->key(), body_of(i), [](const auto&) {});
    REQUIRE(begun.get());
    if (round % 2 == 0) bob->stop();
    bob.reset();
  }
}

TEST_CASE("node: one that the caller turns has no second thread unless told to", "[node]") {
  const auto alice = make_node(listening());
  const auto bob = make_node(dialling(*alice, RunMode::poll));
  std::atomic<bool> done{false};
  std::atomic<bool> well{false};
  REQUIRE(alice->start());
  REQUIRE(bob->start());
  const auto before = threads();
  bob->send(alice->key(), body_of(5), [&](const auto& report) {
    well = report.ok();
    done = true;
  });
  while (!done) bob->poll(std::chrono::milliseconds{5}, std::chrono::milliseconds{5});
  CHECK(well);
#ifdef __linux__
  CHECK(threads() == before);
#endif
}
