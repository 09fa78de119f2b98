#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "test_mesh.hpp"

using namespace std::chrono_literals;
using axl::NodeConfig;
using axl::test::Answer;
using axl::test::HttpUser;
using axl::test::key_of;
using axl::test::Recorder;
using axl::test::TestMesh;

namespace {

std::string framed(std::string_view body) {
  return std::string{axl::as_text(axl::router::frame_header(body.size()))} + std::string{body};
}

// A scripted old peer: frames on port 7000, nobody on 7001.
struct OldPeer {
  OldPeer(TestMesh& mesh, unsigned char number) : key{key_of(number)} {
    mesh.listen(key, 7000, [this](auto connection) {
      connections.push_back(std::make_unique<Recorder>(std::move(connection)));
      if (!reading) connections.back()->stream().pause_reading();
    });
  }
  axl::PublicKey key;
  bool reading = true;
  std::vector<std::unique_ptr<Recorder>> connections;
};

struct Fixture {
  TestMesh mesh;
  axl::test::TestNode& a = mesh.add(1);
  HttpUser user{mesh, a};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "messenger: sequential messages share one connection and keep their order", "[bridge]") {
  auto& b = mesh.add(2);
  mesh.connects = 0;
  for (int i = 0; i < 100; ++i) CHECK(user.send(b.our_key(), std::to_string(i)).status == 200);
  CHECK(mesh.connects == 1);
  for (int i = 0; i < 100; ++i) CHECK(b.router().receive()->body.text() == std::to_string(i));
  // Idle for a minute: closed, and opened again when needed.
  mesh.loop.advance(2min);
  CHECK(user.send(b.our_key(), "again").status == 200);
  CHECK(mesh.connects == 2);
}

TEST_CASE("messenger: 512 senders at once, small queue and large messages: what was answered 200 is there once",
          "[bridge]") {
  TestMesh mesh;
  NodeConfig config;
  config.recv_queue_messages = 800;
  auto& a = mesh.add(1);
  auto& b = mesh.add(2, config);
  std::vector<std::unique_ptr<HttpUser>> users;
  std::vector<std::shared_ptr<Answer>> answers;
  for (int i = 0; i < 512; ++i) {
    auto& user = *users.emplace_back(std::make_unique<HttpUser>(mesh, a));
    const auto body = std::to_string(i) + std::string(i % 50 == 0 ? 200'000 : 10, '.');
    answers.push_back(user.begin("POST", "/send", {{"X-Destination-Peer-Id", b.our_key().to_hex()}}, body));
  }
  mesh.loop.advance(6s);
  std::vector<int> expected;
  for (int i = 0; i < 512; ++i) {
    const auto status = answers[static_cast<std::size_t>(i)]->status;
    CHECK((status == 200 || status == 503));
    if (status == 200) expected.push_back(i);
  }
  CHECK(expected.size() == 200);  // a quarter of the queue
  std::vector<int> arrived;
  while (const auto message = b.router().receive())
    arrived.push_back(std::stoi(std::string{message->body.text().substr(0, 3)}));
  std::ranges::sort(arrived);
  CHECK(arrived == expected);
}

TEST_CASE_METHOD(Fixture, "messenger: a full queue of the peer that stays full is told in seconds", "[bridge]") {
  NodeConfig config;
  config.recv_queue_messages = 4;
  auto& b = mesh.add(2, config);
  CHECK(user.send(b.our_key(), "1").status == 200);
  const auto before = mesh.loop.now();
  const auto refused = user.send(b.our_key(), "2");
  CHECK(refused.status == 503);
  CHECK(refused.header("Retry-After") == "1");
  CHECK(refused.header("X-Axl-Message-Id").size() == 32);
  CHECK(mesh.loop.now() - before == 5s);
  CHECK(user.send(b.our_key(), "2").status == 503);  // nothing has been read since: told at once
  CHECK(mesh.loop.now() - before == 5s);
  CHECK(b.router().receive());
  CHECK(user.send(b.our_key(), "2").status == 200);
}

TEST_CASE_METHOD(Fixture, "messenger: a message waits for room that a reader makes, and others go on meanwhile",
                 "[bridge]") {
  NodeConfig config;
  config.recv_queue_messages = 4;  // of which one peer gets one
  auto& b = mesh.add(2, config);
  auto& c = mesh.add(3);
  HttpUser other{mesh, c};
  CHECK(user.send(b.our_key(), "1").status == 200);
  const auto second = user.begin("POST", "/send", {{"X-Destination-Peer-Id", b.our_key().to_hex()}}, "2");
  mesh.loop.advance(4s);
  CHECK(second->status == 0);
  CHECK(other.send(b.our_key(), "of another").status == 200);
  CHECK(b.router().receive()->body.text() == "1");
  mesh.loop.run();
  CHECK(second->status == 200);
  // The patience with this peer begins anew.
  const auto third = user.begin("POST", "/send", {{"X-Destination-Peer-Id", b.our_key().to_hex()}}, "3");
  mesh.loop.advance(4s);
  CHECK(third->status == 0);
  mesh.loop.advance(2s);
  CHECK(third->status == 503);
}

TEST_CASE_METHOD(Fixture, "messenger: our own queue full, by a message to ourselves", "[bridge]") {
  auto config = NodeConfig{};
  config.recv_queue_messages = 4;
  auto& self = mesh.add(3, config);
  HttpUser local{mesh, self};
  CHECK(local.send(self.our_key(), "1", {{"X-Axl-Message-Id", "i"}}).status == 200);
  CHECK(local.send(self.our_key(), "1", {{"X-Axl-Message-Id", "i"}}).status == 200);
  CHECK(local.send(self.our_key(), "2", {{"X-Axl-Message-Id", "i"}}).status == 409);
  CHECK(local.send(self.our_key(), "2").status == 503);
}

TEST_CASE_METHOD(Fixture, "messenger: the same id again is queued once; with another body it is a conflict",
                 "[bridge]") {
  auto& b = mesh.add(2);
  CHECK(user.send(b.our_key(), "x", {{"X-Axl-Message-Id", "i"}}).status == 200);
  CHECK(user.send(b.our_key(), "x", {{"X-Axl-Message-Id", "i"}}).status == 200);
  CHECK(user.send(b.our_key(), "y", {{"X-Axl-Message-Id", "i"}}).status == 409);
  CHECK(b.router().queue_stats().messages == 1);
}

TEST_CASE_METHOD(Fixture, "messenger: an old peer gets frames on one connection, and is remembered", "[bridge]") {
  OldPeer old{mesh, 5};
  mesh.connects = 0;
  const auto first = user.send(old.key, "hello");
  CHECK(first.status == 200);
  CHECK(first.header("X-Axl-Delivered") == "unknown");
  CHECK(first.header("X-Sent-Bytes") == "5");
  CHECK(mesh.connects == 2);  // 7001 refused, 7000
  CHECK(user.send(old.key, "").status == 200);
  CHECK(user.send(old.key, std::string(1'000'000, 'x')).status == 200);
  CHECK(mesh.connects == 2);
  REQUIRE(old.connections.size() == 1);
  CHECK(old.connections[0]->received == framed("hello") + framed("") + framed(std::string(1'000'000, 'x')));
  mesh.loop.advance(2min);  // idle: closed in order
  CHECK(old.connections[0]->ended);
  CHECK(user.send(old.key, "x").status == 200);
  CHECK(mesh.connects == 3);  // port 7001 is not asked again so soon
  mesh.loop.advance(11min);
  CHECK(user.send(old.key, "x").status == 200);
  CHECK(mesh.connects == 5);
}

TEST_CASE_METHOD(Fixture, "messenger: an old peer that becomes a new one is noticed", "[bridge]") {
  OldPeer old{mesh, 5};
  CHECK(user.send(old.key, "x").header("X-Axl-Delivered") == "unknown");
  auto& renewed = mesh.add(5);
  mesh.loop.advance(11min);
  CHECK(user.send(renewed.our_key(), "y").header("X-Axl-Delivered") == "1");
}

TEST_CASE_METHOD(Fixture, "messenger: a peer silent on 7001 is tried on 7000 after three seconds", "[bridge]") {
  OldPeer old{mesh, 5};
  mesh.silence(old.key, 7001);
  const auto start = mesh.loop.now();
  const auto sent = user.send(old.key, "x");
  CHECK(sent.status == 200);
  CHECK(mesh.loop.now() - start >= 3s);
  CHECK(mesh.loop.now() - start < 4s);
}

TEST_CASE_METHOD(Fixture, "messenger: a peer that cannot be reached is a 502 in the reference's words", "[bridge]") {
  const auto key = key_of(9);
  const auto address = axl::Address::of(key).to_string();
  SECTION("nobody listens: at once") {
    const auto start = mesh.loop.now();
    const auto answer = user.send(key, "x");
    CHECK(answer.status == 502);
    CHECK(answer.body ==
          "Failed to reach peer: failed to reach peer: connect tcp [" + address + "]:7000: connection was refused\n");
    CHECK(mesh.loop.now() == start);
    CHECK(answer.header("X-Axl-Message-Id").size() == 32);
  }
  SECTION("silence: after dial_timeout") {
    mesh.silence(key, 7000);
    mesh.silence(key, 7001);
    const auto start = mesh.loop.now();
    const auto answer = user.send(key, "x");
    CHECK(answer.status == 502);
    CHECK(answer.body ==
          "Failed to reach peer: failed to reach peer: connect tcp [" + address + "]:7000: operation timed out\n");
    CHECK(mesh.loop.now() - start == 30s);
  }
  SECTION("another key has that address") {
    auto& b = mesh.add(2);
    auto bytes = axl::to_bytes(b.our_key().bytes());
    bytes[31] ^= std::byte{1};
    const axl::PublicKey wrong_tail{std::span<const std::byte, 32>{bytes}};
    const auto answer = user.send(wrong_tail, "x");
    CHECK(answer.status == 502);
    CHECK(answer.body == "Failed to reach peer: peer key mismatch\n");
    CHECK(b.router().queue_stats().messages == 0);
  }
}

TEST_CASE_METHOD(Fixture, "messenger: a connection lost under a message is replaced, and the message arrives once",
                 "[bridge]") {
  auto& b = mesh.add(2);
  CHECK(user.send(b.our_key(), "first").status == 200);
  auto& link = mesh.loop.last_pipe();
  SECTION("before it was answered") {
    const auto sent = user.begin("POST", "/send", {{"X-Destination-Peer-Id", b.our_key().to_hex()}}, "second");
    while (b.router().queue_stats().accepted < 2) {
      mesh.loop.executor().run_one();
      // The mesh's pipes one step at a time, so that the receipt is still on its way when the message is queued.
      if (!mesh.loop.step_pipes()) break;
    }
    CHECK(b.router().queue_stats().accepted == 2);
    link.break_off();
    mesh.loop.run_until([&] { return sent->status != 0; });
    CHECK(sent->status == 200);
    CHECK(sent->header("X-Axl-Delivered") == "1");
  }
  SECTION("while it idled") {
    link.break_off();
    mesh.loop.run();
    CHECK(user.send(b.our_key(), "second").status == 200);
  }
  CHECK(b.router().receive()->body.text() == "first");
  CHECK(b.router().receive()->body.text() == "second");
  CHECK_FALSE(b.router().receive());
}

TEST_CASE_METHOD(Fixture, "messenger: a peer that takes a message and never answers is a 504", "[bridge]") {
  const auto key = key_of(6);
  std::vector<std::unique_ptr<Recorder>> connections;
  mesh.listen(key, 7001, [&connections](auto connection) {
    connections.push_back(std::make_unique<Recorder>(std::move(connection)));
  });
  const auto start = mesh.loop.now();
  const auto answer = user.send(key, "x", {{"X-Axl-Message-Id", "mine"}});
  CHECK(answer.status == 504);
  CHECK(answer.header("X-Axl-Message-Id") == "mine");
  CHECK(answer.body.starts_with("delivery unknown"));
  CHECK(mesh.loop.now() - start >= 30s);
  CHECK(mesh.loop.now() - start < 35s);
  REQUIRE(!connections.empty());
  CHECK(connections[0]->received.find("X-Message-Id: mine\r\n") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "messenger: messages behind a stuck one were not sent, and the answer says so", "[bridge]") {
  const auto key = key_of(6);
  std::vector<std::unique_ptr<Recorder>> connections;
  mesh.listen(key, 7001, [&connections](auto connection) {
    connections.push_back(std::make_unique<Recorder>(std::move(connection)));
    connections.back()->stream().pause_reading();
  });
  const auto large =
      user.begin("POST", "/send", {{"X-Destination-Peer-Id", key.to_hex()}}, std::string(2'000'000, 'x'));
  mesh.loop.run();
  HttpUser other{mesh, a};
  const auto small = other.begin("POST", "/send", {{"X-Destination-Peer-Id", key.to_hex()}}, "x");
  mesh.loop.advance(40s);
  CHECK(large->status == 503);  // its end never left, so no complete request arrived
  CHECK(small->status == 503);
}

TEST_CASE_METHOD(Fixture, "messenger: an old peer that reads nothing is a 504 after send_timeout", "[bridge]") {
  OldPeer old{mesh, 5};
  old.reading = false;
  const auto answer = user.send(old.key, "x");
  CHECK(answer.status == 504);
  CHECK(answer.body.starts_with("delivery unknown"));
}

TEST_CASE_METHOD(Fixture, "messenger: an old peer that hangs up has perhaps never read it", "[bridge]") {
  const auto key = key_of(5);
  mesh.listen(key, 7000, [](auto connection) { connection->close(); });
  const auto answer = user.send(key, "x");
  CHECK(answer.status == 502);
  CHECK(answer.body.starts_with("delivery unknown"));
}

TEST_CASE_METHOD(Fixture, "messenger: a peer's refusals reach the client", "[bridge]") {
  NodeConfig config;
  config.allow_peers = {key_of(200)};
  auto& closed = mesh.add(2, config);
  const auto refused = user.send(closed.our_key(), "x");
  CHECK(refused.status == 502);
  CHECK(refused.body == "Failed to reach peer: This node takes nothing from you\n");
  NodeConfig small;
  small.max_message_size = 10;
  auto& tight = mesh.add(3, small);
  const auto large = user.send(tight.our_key(), "12345678901");
  CHECK(large.status == 413);
  CHECK(large.body == "Message size 11 exceeds maximum 10\n");
  CHECK(user.send(tight.our_key(), "1234567890").status == 200);
}

TEST_CASE_METHOD(Fixture, "messenger: without a receipt the answer comes when the message is handed over", "[bridge]") {
  const auto key = key_of(6);
  std::vector<std::unique_ptr<Recorder>> connections;
  mesh.listen(key, 7001, [&connections](auto connection) {
    connections.push_back(std::make_unique<Recorder>(std::move(connection)));
  });
  const auto start = mesh.loop.now();
  const auto answer = user.send(key, "x", {{"X-Axl-Receipt", "none"}});
  CHECK(answer.status == 200);
  CHECK(answer.header("X-Axl-Delivered") == "unknown");
  CHECK(mesh.loop.now() == start);
  CHECK(user.send(key_of(9), "x", {{"X-Axl-Receipt", "none"}}).status == 502);
}

TEST_CASE_METHOD(Fixture, "messenger: something else that speaks HTTP on 7001 is treated as an old peer", "[bridge]") {
  OldPeer old{mesh, 5};
  std::vector<std::unique_ptr<Recorder>> connections;
  mesh.listen(old.key, 7001, [&connections](auto connection) {
    connections.push_back(std::make_unique<Recorder>(std::move(connection)));
    connections.back()->write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  });
  const auto sent = user.begin("POST", "/send", {{"X-Destination-Peer-Id", old.key.to_hex()}}, "x");
  mesh.loop.advance(1s);
  // An answer nobody asked for ends a connection; what counts is that the message is not lost.
  mesh.loop.advance(60s);
  CHECK((sent->status == 200 || sent->status == 503 || sent->status == 504));
}

TEST_CASE("messenger: at most 64 connections are kept without work, and an idle node has no timer", "[bridge]") {
  TestMesh mesh;
  auto& a = mesh.add(1);
  HttpUser user{mesh, a};
  std::vector<std::unique_ptr<Recorder>> connections;
  for (unsigned char number = 10; number < 110; ++number) {
    mesh.listen(key_of(number), 7000, [&connections](auto connection) {
      connections.push_back(std::make_unique<Recorder>(std::move(connection)));
    });
    CHECK(user.send(key_of(number), "x").status == 200);
  }
  mesh.loop.advance(10s);
  CHECK(std::ranges::count_if(connections, [](const auto& c) { return !c->ended; }) == 64);
  mesh.loop.advance(5min);
  CHECK(std::ranges::count_if(connections, [](const auto& c) { return !c->ended; }) == 0);
  user.disconnect();
  mesh.loop.advance(5min);
  CHECK(mesh.loop.timers() == 0);
}

TEST_CASE("messenger: a topic does not wait for a large message of another, and keeps its own order", "[bridge]") {
  TestMesh mesh;
  auto& a = mesh.add(1);
  auto& b = mesh.add(2);
  std::string arrived;
  const auto send = [&](std::string name, std::size_t size, std::string topic) {
    a.bridge().send(b.our_key(), axl::MessageBody{axl::Bytes(size)}, {.topic = std::move(topic)},
                    [&arrived, name](const axl::Result<axl::SendReport>& report) {
                      CHECK(report.ok());
                      arrived += name;
                    });
  };
  send("L", 15'000'000, "");
  send("l", 1, "");
  for (const auto* name : {"1", "2", "3"}) send(name, 1'000, "small");
  mesh.loop.run();
  CHECK(arrived == "123Ll");
  CHECK(mesh.connects == 2);
  // Any number of topics costs a peer four connections.
  for (int i = 0; i < 100; ++i) send("", 1, "topic" + std::to_string(i));
  mesh.loop.run();
  CHECK(mesh.connects == 4);
}

TEST_CASE_METHOD(Fixture, "messenger: an old peer, which knows no topics, gets them on one connection", "[bridge]") {
  OldPeer old{mesh, 9};
  CHECK(user.send(old.key, "first").status == 200);
  for (const auto* topic : {"one", "two", "three"}) {
    a.bridge().send(old.key, axl::MessageBody{axl::to_bytes(topic)}, {.topic = topic}, [](const auto&) {});
  }
  mesh.loop.run();
  REQUIRE(old.connections.size() == 1);
  CHECK(old.connections[0]->received == framed("first") + framed("one") + framed("two") + framed("three"));
}

TEST_CASE("messenger: library sends in the order of calls, and reports", "[bridge]") {
  TestMesh mesh;
  auto& a = mesh.add(1);
  auto& b = mesh.add(2);
  std::vector<std::string> ids;
  for (int i = 0; i < 300; ++i) {
    a.bridge().send(b.our_key(), axl::MessageBody{axl::to_bytes(std::to_string(i))}, {.id = "m" + std::to_string(i)},
                    [&ids](axl::Result<axl::SendReport> report) {
                      REQUIRE(report);
                      CHECK(report->delivery == axl::Delivery::queued);
                      ids.push_back(report->id);
                    });
  }
  CHECK(ids.empty());
  mesh.loop.run();
  REQUIRE(ids.size() == 300);
  for (int i = 0; i < 300; ++i) {
    CHECK(ids[static_cast<std::size_t>(i)] == "m" + std::to_string(i));
    CHECK(b.router().receive()->id == "m" + std::to_string(i));
  }
  int errors = 0;
  const auto expect = [&errors](axl::Errc code) {
    return [&errors, code](const axl::Result<axl::SendReport>& report) {
      CHECK_FALSE(report.ok());
      if (!report) CHECK(report.error().is(code));
      ++errors;
    };
  };
  a.bridge().send(b.our_key(), axl::MessageBody{axl::Bytes(17'000'000)}, {}, expect(axl::Errc::too_large));
  a.bridge().send(b.our_key(), {}, {.id = "two words"}, expect(axl::Errc::invalid_argument));
  a.bridge().send(b.our_key(), {}, {.topic = std::string(129, 't')}, expect(axl::Errc::invalid_argument));
  a.bridge().send(key_of(99), {}, {}, expect(axl::Errc::refused));
  mesh.loop.run();
  CHECK(errors == 4);
}
