#include "router/dispatcher.hpp"

#include <axl/router.hpp>
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "crypto/hash.hpp"
#include "peers.hpp"
#include "router/leases.hpp"
#include "router/services.hpp"

using namespace std::chrono_literals;
using axl::Message;
using axl::router::Dispatcher;
using axl::router::Verdict;
using axl::test::peer;

namespace {

constexpr axl::Time t0{};

Message message(unsigned char from, std::string id, std::string_view body, std::string topic = {}) {
  Message out;
  out.sender = peer(from);
  out.id = std::move(id);
  out.topic = std::move(topic);
  out.body = axl::MessageBody{axl::to_bytes(body)};
  return out;
}

// These tests have neither leases, which need a clock (tests/unit/bridge/lease_test.cpp), nor services.
class NoLeases final : public axl::router::Leases {
 public:
  [[nodiscard]] std::optional<axl::Router::Leased> lease(const axl::Router::Selection&, axl::Duration) override {
    return {};
  }
  axl::Router::WaitId lease_next(const axl::Router::Selection&, axl::Router::LeaseHandler, axl::Duration) override {
    return {};
  }
  void stop_waiting(axl::Router::WaitId) override {}
  bool confirm(axl::Router::LeaseId) override { return false; }
  bool give_back(axl::Router::LeaseId) override { return false; }
};


class NoServices final : public axl::router::Services {
 public:
  axl::Result<void> add_handler(std::string, axl::ServiceAccess, axl::ServiceHandler) override { return {}; }
  axl::Result<void> add_url(std::string, const std::string&, axl::ServiceAccess,
                            std::optional<axl::ServiceProbe>) override {
    return {};
  }
  axl::Result<void> add_command(std::string, axl::ServiceCommand, axl::ServiceAccess) override { return {}; }
  bool remove(std::string_view) override { return false; }
  [[nodiscard]] std::vector<axl::ServiceInfo> list() const override { return {}; }
};

struct Fixture {
  axl::crypto::SeededRng rng{1};
  Dispatcher dispatcher{{.queue = {.max_messages = 4}}, rng};
  NoLeases leases;
  NoServices services;
  axl::Router router{dispatcher, leases, services};

  Verdict offer(Message offered, axl::Time now = t0) { return dispatcher.offer(offered, now); }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "dispatcher: a repeated id is acknowledged again and queued once", "[router]") {
  CHECK(offer(message(1, "i", "x")) == Verdict::accepted);
  CHECK(offer(message(1, "i", "x"), t0 + 1min) == Verdict::duplicate);
  CHECK(offer(message(1, "i", "y"), t0 + 1min) == Verdict::conflict);
  CHECK(router.queue_stats().messages == 1);
  CHECK(router.queue_stats().duplicates == 1);
  CHECK(router.receive()->body.text() == "x");
  CHECK(offer(message(1, "i", "x"), t0 + 2min) == Verdict::duplicate);
  CHECK_FALSE(router.receive());
}

TEST_CASE_METHOD(Fixture, "dispatcher: a refused message is not remembered, so it may come again", "[router]") {
  CHECK(offer(message(1, "a", "x")) == Verdict::accepted);
  CHECK(offer(message(1, "b", "x")) == Verdict::peer_share);
  CHECK(router.queue_stats().refused_share == 1);
  CHECK(router.receive());
  CHECK(offer(message(1, "b", "x")) == Verdict::accepted);
}

TEST_CASE_METHOD(Fixture, "dispatcher: a full queue refuses and counts", "[router]") {
  for (unsigned char from = 1; from <= 4; ++from) CHECK(offer(message(from, "", "x")) == Verdict::accepted);
  CHECK(offer(message(5, "", "x")) == Verdict::full);
  CHECK(router.queue_stats().refused_full == 1);
  CHECK(router.queue_stats().accepted == 4);
}

TEST_CASE_METHOD(Fixture, "dispatcher: handlers come before the queue, in their order", "[router]") {
  std::vector<std::string> seen;
  const auto note = [&seen](std::string who) {
    return [&seen, who](Message got) { seen.push_back(who + ":" + std::string{got.body.text()}); };
  };
  const auto topic = router.on_topic("t", note("topic"));
  router.on_sender(peer(2), note("sender"));
  CHECK(offer(message(2, "", "1", "t")) == Verdict::accepted);
  CHECK(offer(message(2, "", "2")) == Verdict::accepted);
  CHECK(offer(message(3, "", "3")) == Verdict::accepted);
  router.remove(topic);
  CHECK(offer(message(4, "", "4", "t")) == Verdict::accepted);
  CHECK(seen == std::vector<std::string>{"topic:1", "sender:2"});
  CHECK(router.receive()->body.text() == "3");
  CHECK_FALSE(router.receive());
  CHECK(router.receive({.topic = "t"})->body.text() == "4");
}

TEST_CASE_METHOD(Fixture, "dispatcher: a handler's message is also taken once per id", "[router]") {
  int calls = 0;
  router.on_message([&calls](const Message&) { ++calls; });
  CHECK(offer(message(1, "i", "x")) == Verdict::accepted);
  CHECK(offer(message(1, "i", "x")) == Verdict::duplicate);
  CHECK(calls == 1);
}

TEST_CASE_METHOD(Fixture, "dispatcher: a handler may remove itself and offer more", "[router]") {
  axl::Router::HandlerId id{};
  id = router.on_message([&](Message got) {
    router.remove(id);
    got.id = "second";
    CHECK(dispatcher.offer(got, t0) == Verdict::accepted);
  });
  CHECK(offer(message(1, "first", "x")) == Verdict::accepted);
  CHECK(router.receive()->id == "second");
}

TEST_CASE_METHOD(Fixture, "dispatcher: wakes its owner once until the events are polled", "[router]") {
  int wakes = 0;
  dispatcher.on_event([&wakes] { ++wakes; });
  CHECK(offer(message(1, "", "x")) == Verdict::accepted);
  CHECK(wakes == 0);  // nobody waits
  CHECK(router.receive());
  const auto first = dispatcher.queue().wait_for_message();
  const auto second = dispatcher.queue().wait_for_message();
  CHECK(offer(message(1, "", "x")) == Verdict::accepted);
  CHECK(offer(message(2, "", "y")) == Verdict::accepted);
  CHECK(wakes == 1);
  auto event = dispatcher.poll_event();
  REQUIRE(event);
  CHECK(std::get<axl::router::ReceiveQueue::ReaderReady>(*event).reader == first);
  event = dispatcher.poll_event();
  REQUIRE(event);
  CHECK(std::get<axl::router::ReceiveQueue::ReaderReady>(*event).reader == second);
  CHECK(router.receive());
  CHECK(router.receive());
  CHECK_FALSE(dispatcher.poll_event());
  static_cast<void>(dispatcher.queue().wait_for_message());
  CHECK(offer(message(1, "", "z")) == Verdict::accepted);
  CHECK(wakes == 2);
}

TEST_CASE_METHOD(Fixture, "dispatcher: a known id is never refused unseen, for it may be a repetition", "[router]") {
  CHECK(offer(message(1, "a", "x")) == Verdict::accepted);
  CHECK(dispatcher.would_refuse(peer(1), "b", 1, t0) == axl::router::Refusal::peer_share);
  CHECK_FALSE(dispatcher.would_refuse(peer(1), "a", 1, t0));
  CHECK(offer(message(1, "a", "x")) == Verdict::duplicate);
  CHECK_FALSE(dispatcher.would_refuse(peer(2), "b", 1, t0));
}
