// Leases of axl::Router, which share the queue with `/recv`.
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "test_mesh.hpp"

using namespace std::chrono_literals;
using axl::Router;
using axl::test::HttpUser;
using axl::test::TestMesh;

namespace {

struct Fixture {
  TestMesh mesh;
  axl::test::TestNode& a = mesh.add(1);
  axl::test::TestNode& b = mesh.add(2);
  axl::test::TestNode& c = mesh.add(3);
  HttpUser user_a{mesh, a};
  HttpUser user_b{mesh, b};
  HttpUser user_c{mesh, c};
  Router router = b.router();
  std::vector<std::string> seen;  // by handlers

  void to_b(HttpUser& from, std::string_view body, std::string topic = {}) {
    std::vector<std::pair<std::string, std::string>> headers;
    if (!topic.empty()) headers.emplace_back("X-Axl-Topic", topic);
    REQUIRE(from.send(b.our_key(), body, std::move(headers)).status == 200);
  }
  static std::string text(const std::optional<Router::Leased>& leased) {
    return leased ? std::string{leased->message.body.text()} : "(none)";
  }
  std::string received() {
    const auto message = router.receive();
    return message ? std::string{message->body.text()} : "(none)";
  }
  Router::LeaseHandler note(std::string who) {
    return [this, who](const Router::Leased& leased) {
      seen.push_back(who + ":" + std::string{leased.message.body.text()} + ":" + std::to_string(leased.id.reading));
    };
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "lease: what is not confirmed comes again at its old place", "[bridge]") {
  to_b(user_a, "one");
  to_b(user_a, "two");
  const auto leased = router.lease();
  REQUIRE(text(leased) == "one");
  CHECK(leased->message.sender == a.our_key());
  CHECK_FALSE(leased->message.id.empty());
  CHECK(leased->id.reading == 1);
  CHECK(router.queue_stats().leased == 1);
  CHECK(router.queue_stats().messages == 2);
  mesh.loop.advance(29s);
  CHECK(text(router.lease({}, 2min)) == "two");
  CHECK(text(router.lease()) == "(none)");
  CHECK(user_b.ask("GET", "/recv").status == 204);
  mesh.loop.advance(1s);
  const auto again = router.lease();
  REQUIRE(text(again) == "one");
  CHECK(again->id.message == leased->id.message);
  CHECK(again->id.reading == 2);
  mesh.loop.advance(2min);
  CHECK(received() == "one");
  CHECK(received() == "two");
  CHECK(mesh.loop.timers() == 0);
}

TEST_CASE_METHOD(Fixture, "lease: what is confirmed is gone, and makes room", "[bridge]") {
  to_b(user_a, "one");
  const auto leased = router.lease();
  REQUIRE(leased);
  CHECK(router.confirm(leased->id));
  CHECK_FALSE(router.confirm(leased->id));
  CHECK_FALSE(router.give_back(leased->id));
  CHECK(router.queue_stats().messages == 0);
  CHECK(router.queue_stats().bytes == 0);
  mesh.loop.advance(1min);
  CHECK(text(router.lease()) == "(none)");
  CHECK_FALSE(router.confirm({}));
  CHECK_FALSE(router.confirm({.message = 77, .reading = 1}));
}

TEST_CASE_METHOD(Fixture, "lease: given back, it is there at once, before later ones, by HTTP too", "[bridge]") {
  to_b(user_a, "one");
  to_b(user_a, "two");
  auto leased = router.lease();
  REQUIRE(leased);
  CHECK(router.give_back(leased->id));
  CHECK_FALSE(router.give_back(leased->id));
  CHECK(user_b.ask("GET", "/recv").body == "one");
  CHECK_FALSE(router.confirm(leased->id));  // somebody has it
  leased = router.lease();
  REQUIRE(text(leased) == "two");
  const auto waiting = user_b.begin("GET", "/recv?wait=60");
  mesh.loop.run();
  CHECK(waiting->status == 0);
  CHECK(router.give_back(leased->id));
  mesh.loop.run();
  CHECK(waiting->body == "two");
}

TEST_CASE_METHOD(Fixture, "lease: one that has run out takes nothing from the next reader but may still be confirmed",
                 "[bridge]") {
  to_b(user_a, "one");
  const auto first = router.lease({}, 5s);
  REQUIRE(first);
  mesh.loop.advance(5s);
  const auto second = router.lease();
  REQUIRE(second);
  CHECK_FALSE(router.give_back(first->id));
  CHECK(text(router.lease()) == "(none)");
  CHECK(router.confirm(first->id));
  CHECK_FALSE(router.confirm(second->id));
  mesh.loop.advance(1min);
  CHECK(text(router.lease()) == "(none)");
}

TEST_CASE_METHOD(Fixture, "lease: by topic and by sender", "[bridge]") {
  to_b(user_a, "a");
  to_b(user_a, "at", "t");
  to_b(user_c, "ct", "t");
  CHECK(text(router.lease({.topic = "t", .sender = c.our_key()})) == "ct");
  CHECK(text(router.lease({.sender = c.our_key()})) == "(none)");
  CHECK(text(router.lease({.topic = "t"})) == "at");
  CHECK(text(router.lease()) == "a");
}

TEST_CASE_METHOD(Fixture, "lease: who waits is called once, with the next message that is wanted", "[bridge]") {
  router.lease_next({}, note("plain"));
  router.lease_next({.topic = "t"}, note("topic"), 5s);
  const auto gone = router.lease_next({}, note("gone"));
  router.stop_waiting(gone);
  mesh.loop.run();
  CHECK(seen.empty());
  to_b(user_a, "one");
  to_b(user_a, "two");
  to_b(user_a, "three", "t");
  CHECK(seen == std::vector<std::string>{"plain:one:1", "topic:three:1"});
  CHECK(received() == "two");
  router.lease_next({.topic = "t"}, note("again"));
  mesh.loop.advance(5s);  // the end of its lease is another's turn
  CHECK(seen.back() == "again:three:2");
  CHECK(seen.size() == 3);
}

TEST_CASE_METHOD(Fixture, "lease: a handler is not called inside the call, and may confirm and wait again", "[bridge]") {
  to_b(user_a, "one");
  to_b(user_a, "two");
  Router::LeaseHandler next = [&](const Router::Leased& leased) {
    seen.emplace_back(leased.message.body.text());
    CHECK(router.confirm(leased.id));
    router.lease_next({}, next);
  };
  router.lease_next({}, next);
  CHECK(seen.empty());
  mesh.loop.run();
  CHECK(seen == std::vector<std::string>{"one", "two"});
  CHECK(router.queue_stats().messages == 0);
}
