// Messages that wait for their peer.
#include <catch2/catch_test_macros.hpp>

#include "test_mesh.hpp"

using namespace std::chrono_literals;
using axl::test::HttpUser;
using axl::test::TestMesh;

namespace {

struct Fixture {
  TestMesh mesh;
  axl::NodeConfig config = [] {
    axl::NodeConfig out;
    out.outbox_messages = 3;
    return out;
  }();
  axl::test::TestNode& a = mesh.add(1, config);
  axl::test::TestNode& b = mesh.add(2);
  HttpUser user_a{mesh, a};
  HttpUser user_b{mesh, b};

  void away(bool gone) {
    for (const std::uint16_t port : {std::uint16_t{7000}, std::uint16_t{7001}}) {
      gone ? mesh.silence(b.our_key(), port) : mesh.unsilence(b.our_key(), port);
    }
  }
  axl::test::Answer keep(std::string_view body, std::string id, std::string seconds = "600") {
    return user_a.send(b.our_key(), body,
                       {{"X-Axl-Message-Id", std::move(id)}, {"X-Axl-Retry-For", std::move(seconds)}});
  }
  std::string state(const std::string& id) {
    const auto body = user_a.ask("GET", "/outbox/" + id).body;
    const auto at = body.find("\"state\":\"");
    return at == std::string::npos ? "(none)" : body.substr(at + 9, body.find('"', at + 9) - at - 9);
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "outbox: what is sent while the peer is away arrives once it is back, once, in order",
                 "[bridge]") {
  away(true);
  const auto kept = keep("1", "one");
  CHECK(kept.status == 202);
  CHECK(kept.header("X-Axl-Delivered") == "pending");
  CHECK(kept.header("X-Axl-Message-Id") == "one");
  CHECK(keep("2", "two").status == 202);
  CHECK(keep("1", "one").status == 202);  // the same again: taken once
  CHECK(keep("other", "one").status == 409);
  mesh.loop.advance(2min);
  CHECK(user_a.ask("GET", "/outbox").body.starts_with("{\"count\":2,"));
  CHECK(user_b.ask("GET", "/recv").status == 204);
  away(false);
  mesh.loop.advance(1min);
  CHECK(user_b.ask("GET", "/recv").body == "1");
  CHECK(user_b.ask("GET", "/recv").body == "2");
  CHECK(user_b.ask("GET", "/recv").status == 204);
  CHECK(state("one") == "delivered");
  CHECK(user_a.ask("GET", "/outbox").body == "{\"count\":0,\"bytes\":0,\"messages\":[]}\n");
}

TEST_CASE_METHOD(Fixture, "outbox: a message expires, is given up, or finds no room", "[bridge]") {
  away(true);
  CHECK(keep("1", "one", "60").status == 202);
  CHECK(keep("2", "two", "86400").status == 202);
  CHECK(keep("3", "three").status == 202);
  const auto full = keep("4", "four");
  CHECK(full.status == 503);
  CHECK(full.header("Retry-After") == "1");
  CHECK(user_a.ask("DELETE", "/outbox/three").status == 204);
  CHECK(user_a.ask("DELETE", "/outbox/three").status == 404);
  CHECK(state("three") == "given_up");
  mesh.loop.advance(3min);
  CHECK(state("one") == "expired");
  CHECK(state("none") == "(none)");
  CHECK(keep("5", "five", "86401").status == 400);
  CHECK(keep("5", "five", "x").status == 400);
  away(false);
  mesh.loop.advance(1min);
  CHECK(user_b.ask("GET", "/recv").body == "2");
  CHECK(user_b.ask("GET", "/recv").status == 204);
}

TEST_CASE_METHOD(Fixture, "outbox: the library hears how it ended", "[bridge]") {
  away(true);
  std::optional<axl::Result<axl::SendReport>> late;
  std::optional<axl::Result<axl::SendReport>> good;
  a.bridge().send(b.our_key(), {}, {.id = "late", .retry_for = 10s}, [&](auto result) { late = std::move(result); });
  a.bridge().send(b.our_key(), {}, {.id = "good", .retry_for = 10min}, [&](auto result) { good = std::move(result); });
  mesh.loop.advance(2min);
  REQUIRE(late);
  CHECK_FALSE(static_cast<bool>(*late));
  CHECK_FALSE(good);
  away(false);
  mesh.loop.advance(1min);
  REQUIRE(good);
  CHECK((*good)->delivery == axl::Delivery::queued);
}
