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

TEST_CASE_METHOD(Fixture, "outbox: it lists what waits, oldest first, and tells of one by its id", "[bridge]") {
  away(true);
  const auto to = b.our_key().to_hex();
  CHECK(keep("abc", "one \"quoted\"/%").status == 400);  // ids are names
  CHECK(keep("abc", "one:1", "100").status == 202);
  mesh.loop.advance(10s);
  CHECK(keep("", "two", "86400").status == 202);
  mesh.loop.run();
  const auto first = R"({"id":"one:1","to":")" + to +
                     R"(","bytes":3,"age":10,"expires":90,"attempts":1,"state":"sending","last_error":""})";
  const auto second = R"({"id":"two","to":")" + to +
                      R"(","bytes":0,"age":0,"expires":86400,"attempts":0,"state":"waiting","last_error":""})";
  const auto list = user_a.ask("GET", "/outbox");
  CHECK(list.status == 200);
  CHECK(list.header("Content-Type") == "application/json");
  CHECK(list.body == R"({"count":2,"bytes":515,"messages":[)" + first + "," + second + "]}\n");
  CHECK(user_a.ask("GET", "/outbox/one%3A1").body == first + "\n");
  CHECK(user_a.ask("GET", "/outbox?id=one%3A1").body == first + "\n");
  const auto head = user_a.ask("HEAD", "/outbox");
  CHECK(head.status == 200);
  CHECK(head.body.empty());
  // Once the attempt has failed, why.
  mesh.loop.advance(21s);
  CHECK(user_a.ask("GET", "/outbox/one:1").body.find("operation timed out") != std::string::npos);
  CHECK(user_a.ask("GET", "/outbox/nobody").status == 404);
  CHECK(user_a.ask("GET", "/outbox/%zz").status == 400);
  CHECK(user_a.ask("DELETE", "/outbox").status == 405);
  CHECK(user_a.ask("POST", "/outbox").status == 405);
  CHECK(user_a.ask("DELETE", "/outbox?id=two").status == 204);
  CHECK(user_a.ask("GET", "/outbox").body.starts_with("{\"count\":1,"));
}

TEST_CASE("outbox: its bytes are bounded too, and a message that can never fit is refused for good", "[bridge]") {
  TestMesh mesh;
  axl::NodeConfig config;
  config.outbox_bytes = 10'000;
  auto& a = mesh.add(1, config);
  HttpUser user{mesh, a};
  const auto nobody = axl::test::key_of(9);
  const auto keep = [&](std::size_t size) {
    return user.send(nobody, std::string(size, 'x'), {{"X-Axl-Retry-For", "60"}});
  };
  CHECK(keep(4'500).status == 202);
  CHECK(keep(4'500).status == 202);
  const auto full = keep(4'500);
  CHECK(full.status == 503);
  CHECK(full.header("Retry-After") == "1");
  const auto never = keep(10'000);
  CHECK(never.status == 413);
  CHECK(never.header("Retry-After") == "(none)");
  std::optional<axl::Result<axl::SendReport>> library;
  a.bridge().send(nobody, axl::MessageBody{axl::Bytes(10'000)}, {.retry_for = 60s},
                  [&](auto result) { library = std::move(result); });
  mesh.loop.advance(2min);
  REQUIRE(library);
  CHECK(library->error().is(axl::Errc::too_large));
  CHECK(keep(4'500).status == 202);  // their time was up
}

TEST_CASE("outbox: a peer that has become old gets what cannot have arrived, and nothing else", "[bridge]") {
  TestMesh mesh;
  axl::NodeConfig config;
  config.outbox_messages = 10;
  auto& a = mesh.add(1, config);
  HttpUser user{mesh, a};
  const auto key = axl::test::key_of(6);
  std::vector<std::unique_ptr<axl::test::Recorder>> posts;
  std::vector<std::unique_ptr<axl::test::Recorder>> frames;
  // At first it takes messages over HTTP, and never says so.
  mesh.listen(key, 7001, [&](auto c) { posts.push_back(std::make_unique<axl::test::Recorder>(std::move(c))); });
  const auto keep = [&](std::string_view body, std::string id) {
    return user.send(key, body, {{"X-Axl-Message-Id", std::move(id)}, {"X-Axl-Retry-For", "3600"}}).status;
  };
  CHECK(keep("first", "one") == 202);
  CHECK(keep("second", "two") == 202);
  mesh.loop.advance(5s);
  REQUIRE(posts.size() == 1);
  CHECK(posts[0]->received.find("X-Message-Id: one\r\n") != std::string::npos);
  CHECK(posts[0]->received.find("X-Message-Id: two\r\n") == std::string::npos);
  // It comes back as one of the older kind.
  mesh.listen(key, 7001, nullptr);
  mesh.listen(key, 7000, [&](auto c) { frames.push_back(std::make_unique<axl::test::Recorder>(std::move(c))); });
  mesh.loop.advance(10min);
  std::string got;
  for (const auto& connection : frames) got += connection->received;
  CHECK(got == std::string{axl::as_text(axl::router::frame_header(6))} + "second");
  for (const auto* id : {"one", "two"}) {
    CHECK(user.ask("GET", std::string{"/outbox/"} + id).body.find(R"("state":"handed_over")") != std::string::npos);
  }
  CHECK(user.ask("GET", "/outbox").body == "{\"count\":0,\"bytes\":0,\"messages\":[]}\n");
}

TEST_CASE("outbox: a peer that was old and is renewed takes what waits with a receipt", "[bridge]") {
  TestMesh mesh;
  auto& a = mesh.add(1);
  HttpUser user{mesh, a};
  const auto key = axl::test::key_of(6);
  std::vector<std::unique_ptr<axl::test::Recorder>> frames;
  mesh.listen(key, 7000, [&](auto c) { frames.push_back(std::make_unique<axl::test::Recorder>(std::move(c))); });
  CHECK(user.send(key, "hello").header("X-Axl-Delivered") == "unknown");
  for (const std::uint16_t port : {std::uint16_t{7000}, std::uint16_t{7001}}) mesh.silence(key, port);
  frames.clear();  // it goes, its connections with it
  mesh.loop.run();
  CHECK(user.send(key, "later", {{"X-Axl-Message-Id", "one"}, {"X-Axl-Retry-For", "3600"}}).status == 202);
  mesh.loop.advance(15min);
  // It comes back between two attempts: one under way could find port 7000 first.
  const auto waits = [&] {
    return user.ask("GET", "/outbox/one").body.find(R"("state":"waiting")") != std::string::npos;
  };
  while (!waits()) mesh.loop.advance(100ms);
  auto& renewed = mesh.add(6);
  for (const std::uint16_t port : {std::uint16_t{7000}, std::uint16_t{7001}}) mesh.unsilence(key, port);
  mesh.loop.advance(1min);
  REQUIRE(renewed.router().queue_stats().messages == 1);
  CHECK(renewed.router().receive()->body.text() == "later");
  const auto outcome = user.ask("GET", "/outbox/one").body;
  CAPTURE(outcome);
  CHECK(outcome.find(R"("state":"delivered")") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "outbox: a lost receipt is asked for again under the same id, and the message is there once",
                 "[bridge]") {
  CHECK(user_a.send(b.our_key(), "before").status == 200);
  auto& link = mesh.loop.last_pipe();
  const auto kept = user_a.begin("POST", "/send",
                                 {{"X-Destination-Peer-Id", b.our_key().to_hex()},
                                  {"X-Axl-Message-Id", "one"},
                                  {"X-Axl-Retry-For", "600"}},
                                 "1");
  // Pipes one step at a time, so that the receipt is still on its way when the message is queued.
  while (b.router().queue_stats().accepted < 2) {
    mesh.loop.executor().run_one();
    if (!mesh.loop.step_pipes()) break;
  }
  REQUIRE(b.router().queue_stats().accepted == 2);
  away(true);
  link.break_off();
  mesh.loop.advance(2min);
  CHECK(kept->status == 202);
  CHECK(state("one") != "delivered");
  away(false);
  mesh.loop.advance(1min);
  CHECK(state("one") == "delivered");
  CHECK(user_b.ask("GET", "/recv").body == "before");
  CHECK(user_b.ask("GET", "/recv").body == "1");
  CHECK(user_b.ask("GET", "/recv").status == 204);
}

TEST_CASE_METHOD(Fixture, "outbox: a peer that only comes back slowly is not taken for an old one", "[bridge]") {
  CHECK(user_a.send(b.our_key(), "before").status == 200);
  auto& link = mesh.loop.last_pipe();
  user_a.begin("POST", "/send",
               {{"X-Destination-Peer-Id", b.our_key().to_hex()},
                {"X-Axl-Message-Id", "one"},
                {"X-Axl-Retry-For", "600"}},
               "1");
  while (b.router().queue_stats().accepted < 2) {
    mesh.loop.executor().run_one();
    if (!mesh.loop.step_pipes()) break;
  }
  REQUIRE(b.router().queue_stats().accepted == 2);
  away(true);
  link.break_off();
  // There again while port 7001 is being tried, so that 7000 would answer first.
  mesh.loop.advance(2s);
  away(false);
  mesh.loop.advance(2min);
  CHECK(state("one") == "delivered");
  CHECK(user_b.ask("GET", "/recv").body == "before");
  CHECK(user_b.ask("GET", "/recv").body == "1");
  CHECK(user_b.ask("GET", "/recv").status == 204);
}

TEST_CASE_METHOD(Fixture, "outbox: a node that drains waits for the attempt under way and begins no other", "[bridge]") {
  away(true);
  CHECK(keep("1", "one").status == 202);
  CHECK(keep("2", "two").status == 202);
  mesh.loop.advance(10s);
  bool drained = false;
  a.bridge().drain([&drained] { drained = true; });
  mesh.loop.advance(10s);
  CHECK_FALSE(drained);  // 30 s for the peer to be reached
  mesh.loop.advance(15s);
  CHECK(drained);
  CHECK(a.bridge().outbox_messages() == 2);
  away(false);
  mesh.loop.advance(5min);
  CHECK(user_b.ask("GET", "/recv").status == 204);
  a.destroy();
  mesh.loop.advance(5min);
}
