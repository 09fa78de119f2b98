#include <catch2/catch_test_macros.hpp>

#include "test_mesh.hpp"

using namespace std::chrono_literals;
using axl::NodeConfig;
using axl::test::HttpUser;
using axl::test::key_of;
using axl::test::PipeConnection;
using axl::test::Recorder;
using axl::test::TestMesh;

namespace {

axl::PublicKey peer(unsigned char number) { return key_of(number); }

NodeConfig small_queue(std::size_t messages) {
  NodeConfig config;
  config.recv_queue_messages = messages;
  return config;
}

}  // namespace

TEST_CASE("peer api: a message is accepted once, whoever repeats it", "[bridge]") {
  TestMesh mesh;
  auto& node = mesh.add(1);
  HttpUser user{mesh, node, peer(7)};
  HttpUser other{mesh, node, peer(8)};
  const auto post = [](HttpUser& who, std::string id, std::string_view body) {
    return who.ask("POST", "/messages", {{"X-Message-Id", std::move(id)}, {"X-Topic", "news"}}, body).status;
  };
  CHECK(post(user, "i", "x") == 202);
  CHECK(post(user, "i", "x") == 202);
  CHECK(post(user, "i", "y") == 409);
  CHECK(post(other, "i", "y") == 202);
  CHECK(node.router().queue_stats().messages == 2);
  const auto first = node.router().receive({.topic = "news"});
  REQUIRE(first);
  CHECK(first->sender == peer(7));
  CHECK(first->address == axl::Address::of(peer(7)));
  CHECK(first->id == "i");
  CHECK(first->topic == "news");
  CHECK(first->body.text() == "x");
  mesh.loop.advance(9min);
  CHECK(post(other, "i", "y") == 202);
  CHECK(node.router().queue_stats().messages == 1);
}

TEST_CASE("peer api: what it refuses", "[bridge]") {
  TestMesh mesh;
  auto config = NodeConfig{};
  config.max_message_size = 1'000;
  auto& node = mesh.add(1, config);
  const auto status = [&](std::string_view method, std::string_view target,
                          std::vector<std::pair<std::string, std::string>> headers, std::string_view body = "x") {
    HttpUser user{mesh, node, peer(7)};
    return user.ask(method, target, std::move(headers), body).status;
  };
  const std::pair<std::string, std::string> id{"X-Message-Id", "i"};
  CHECK(status("POST", "/messages", {}) == 400);
  CHECK(status("POST", "/messages", {{"X-Message-Id", ""}}) == 400);
  CHECK(status("POST", "/messages", {{"X-Message-Id", std::string(129, 'x')}}) == 400);
  CHECK(status("POST", "/messages", {{"X-Message-Id", std::string(128, 'x')}}) == 202);
  CHECK(status("POST", "/messages", {{"X-Message-Id", "two words"}}) == 400);
  CHECK(status("POST", "/messages", {id, {"X-Topic", std::string(129, 'x')}}) == 400);
  CHECK(status("GET", "/messages", {}, "") == 405);
  CHECK(status("POST", "/other", {id}) == 404);
  CHECK(status("GET", "/topology", {}, "") == 404);
  CHECK(status("GET", "/recv", {}, "") == 404);
  CHECK(status("POST", "/messages", {id}, std::string(1'001, 'x')) == 413);
  CHECK(status("POST", "/messages", {id, {"Origin", "http://x"}}) == 403);
  CHECK(status("POST", "/messages", {id, {"Sec-Fetch-Mode", "cors"}}) == 403);
  CHECK(status("POST", "/messages", {id, {"sec-fetch-site", "none"}}) == 403);
  CHECK(status("POST", "/messages", {id, {"Host", "localhost"}}) == 403);
  CHECK(status("POST", "/messages", {id, {"Host", "evil.example"}}) == 403);
  CHECK(status("POST", "/messages", {id, {"Host", "[" + axl::Address::of(node.our_key()).to_string() + "]:7001"}}) ==
        202);
  CHECK(node.router().queue_stats().messages == 2);
}

TEST_CASE("peer api: no header claims who the sender is", "[bridge]") {
  TestMesh mesh;
  auto& node = mesh.add(1);
  HttpUser user{mesh, node, peer(7)};
  CHECK(user.ask("POST", "/messages", {{"X-Message-Id", "i"}, {"X-From-Peer-Id", peer(8).to_hex()}}, "x").status ==
        202);
  CHECK(node.router().receive()->sender == peer(7));
}

TEST_CASE("peer api: a full queue says so, and takes the message later", "[bridge]") {
  TestMesh mesh;
  auto& node = mesh.add(1, small_queue(8));
  HttpUser user{mesh, node, peer(7)};
  const auto post = [&user](std::string id) {
    return user.ask("POST", "/messages", {{"X-Message-Id", std::move(id)}}, "x");
  };
  CHECK(post("1").status == 202);
  CHECK(post("2").status == 202);
  const auto refused = user.begin("POST", "/messages", {{"X-Message-Id", "3"}}, "x");
  mesh.loop.advance(4s);
  CHECK(refused->status == 0);  // somebody may make room
  mesh.loop.advance(1s);
  CHECK(refused->status == 503);
  CHECK(refused->header("Retry-After") == "1");
  CHECK(post("3").status == 503);                         // and nobody did: at once
  CHECK(post("1").status == 202);                         // a repetition needs no room
  CHECK(node.router().queue_stats().refused_share == 0);  // seen before the body, so not counted as offered
  CHECK(node.router().receive());
  CHECK(post("3").status == 202);
}

TEST_CASE("peer api: who hangs up while waiting for room waits no more, and many wait only so far", "[bridge]") {
  TestMesh mesh;
  auto& node = mesh.add(1, small_queue(4));
  std::vector<std::unique_ptr<HttpUser>> users;
  std::vector<std::shared_ptr<axl::test::Answer>> answers;
  for (int i = 0; i < 70; ++i) {
    auto& user = *users.emplace_back(std::make_unique<HttpUser>(mesh, node, peer(7)));
    answers.push_back(user.begin("POST", "/messages", {{"X-Message-Id", std::to_string(i)}}, "x"));
    mesh.loop.run();
  }
  CHECK(answers[0]->status == 202);
  CHECK(answers[64]->status == 0);
  for (std::size_t i = 65; i < 70; ++i) CHECK(answers[i]->status == 503);  // 64 wait
  users[1].reset();
  mesh.loop.run();
  CHECK(node.router().receive());
  mesh.loop.run();
  CHECK(answers[2]->status == 202);
  CHECK(node.router().receive()->id == "2");
  mesh.loop.advance(6s);
  CHECK(answers[3]->status == 202);
  for (std::size_t i = 4; i < 65; ++i) CHECK(answers[i]->status == 503);
  CHECK(node.router().queue_stats().messages == 1);
}

TEST_CASE("peer api: a refused body is read to its end, so that the next request is understood", "[bridge]") {
  TestMesh mesh;
  auto& node = mesh.add(1, small_queue(4));
  HttpUser user{mesh, node, peer(7)};
  const auto one = user.begin("POST", "/messages", {{"X-Message-Id", "1"}}, std::string(100'000, 'a'));
  const auto two = user.begin("POST", "/messages", {{"X-Message-Id", "2"}}, std::string(5'000'000, 'b'));
  const auto three = user.begin("POST", "/messages", {{"X-Message-Id", "1"}}, std::string(100'000, 'a'));
  mesh.loop.advance(6s);
  CHECK(one->status == 202);
  CHECK(two->status == 503);
  CHECK(three->status == 202);
}

TEST_CASE("peer api: allow_peers decides who may send, by full key", "[bridge]") {
  TestMesh mesh;
  NodeConfig config;
  config.allow_peers = {peer(7)};
  auto& node = mesh.add(1, config);
  HttpUser friend_of{mesh, node, peer(7)};
  HttpUser stranger{mesh, node, peer(8)};
  CHECK(friend_of.ask("POST", "/messages", {{"X-Message-Id", "1"}}, "x").status == 202);
  CHECK(stranger.ask("POST", "/messages", {{"X-Message-Id", "1"}}, "x").status == 403);
  for (const auto* path : {"/services", "/mcp/x", "/a2a", "/a2a/.well-known/agent-card.json", "/other"}) {
    INFO(path);
    CHECK(friend_of.ask("GET", path).status != 403);
    CHECK(stranger.ask("GET", path).status == 403);
  }
}

TEST_CASE("peer api: deny stands above what allows, for messages, services and the agent", "[bridge]") {
  TestMesh mesh;
  NodeConfig config;
  config.deny = {peer(7), peer(9)};
  config.allow_peers = {peer(7), peer(8)};
  config.a2a_skills = true;
  auto& node = mesh.add(1, config);
  REQUIRE(node.router().add_service("x", {.everyone = false, .allow = {peer(7), peer(8)}},
                                    [](const axl::ServiceRequest&, axl::ServiceReply reply) { reply.respond_json("1"); }));
  HttpUser denied{mesh, node, peer(7)};
  HttpUser allowed{mesh, node, peer(8)};
  for (const auto* path : {"/services", "/mcp/x", "/a2a/.well-known/agent-card.json"}) {
    INFO(path);
    CHECK(allowed.ask("GET", path).status == 200);
    CHECK(denied.ask("GET", path).status == 403);
  }
  CHECK(allowed.ask("POST", "/messages", {{"X-Message-Id", "1"}}, "x").status == 202);
  CHECK(denied.ask("POST", "/messages", {{"X-Message-Id", "1"}}, "x").status == 403);

  config.allow_peers = {};
  auto& open = mesh.add(2, config);
  HttpUser other{mesh, open, peer(9)};
  HttpUser anybody{mesh, open, peer(10)};
  CHECK(other.ask("GET", "/services").status == 403);
  CHECK(anybody.ask("GET", "/services").status == 200);
}

TEST_CASE("peer api: peers of the configuration keep their half when strangers fill the queue", "[bridge]") {
  TestMesh mesh;
  auto config = small_queue(8);
  config.peers = {{.uri = "tls://neighbour:1"}};
  auto& node = mesh.add(1, config);
  axl::Topology::Peer neighbour;
  neighbour.up = true;
  neighbour.key = peer(7);
  node.neighbours = {neighbour};
  int accepted = 0;
  for (unsigned char number = 20; number < 40; ++number) {
    HttpUser stranger{mesh, node, peer(number)};
    accepted += stranger.ask("POST", "/messages", {{"X-Message-Id", "1"}}, "x").status == 202 ? 1 : 0;
  }
  CHECK(accepted == 4);
  HttpUser friend_of{mesh, node, peer(7)};
  CHECK(friend_of.ask("POST", "/messages", {{"X-Message-Id", "1"}}, "x").status == 202);
}

TEST_CASE("peer api: one peer's bodies under way are bounded, and all of them arrive", "[bridge]") {
  TestMesh mesh;
  NodeConfig config;
  config.max_message_size = 60'000'000;
  auto& node = mesh.add(1, config);
  std::vector<std::unique_ptr<HttpUser>> users;
  std::vector<std::shared_ptr<axl::test::Answer>> answers;
  node.router().on_message([](const axl::Message&) {});
  for (int i = 0; i < 4; ++i) {
    auto& user = *users.emplace_back(std::make_unique<HttpUser>(mesh, node, peer(7)));
    answers.push_back(user.begin("POST", "/messages", {{"X-Message-Id", std::to_string(i)}},
                                 std::string(30'000'000, static_cast<char>('a' + i))));
  }
  mesh.loop.run();
  for (const auto& answer : answers) CHECK(answer->status == 202);
}

TEST_CASE("peer api: a body cut short is no message", "[bridge]") {
  TestMesh mesh;
  auto& node = mesh.add(1);
  const auto host = "[" + axl::Address::of(node.our_key()).to_string() + "]";
  const auto request = "POST /messages HTTP/1.1\r\nHost: " + host + "\r\nX-Message-Id: i\r\nContent-Length: 10\r\n\r\n";
  for (const std::string_view body : {"", "abc", "abcdefghi"}) {
    auto [ours, theirs] = mesh.loop.make_pipe();
    node.bridge().accept_http(
        std::make_unique<PipeConnection>(std::move(theirs), peer(7), std::uint16_t{7001}, std::uint16_t{50'000}));
    Recorder raw{std::move(ours)};
    raw.write(request + std::string{body});
    mesh.loop.run();
    raw.stream().close();
    mesh.loop.run();
  }
  CHECK(node.router().queue_stats().messages == 0);
}

TEST_CASE("peer api: header block over 64 KiB is refused", "[bridge]") {
  TestMesh mesh;
  auto& node = mesh.add(1);
  HttpUser user{mesh, node, peer(7)};
  CHECK(user.ask("POST", "/messages", {{"X-Message-Id", "i"}, {"X-Big", std::string(70'000, 'x')}}, "x").status == 431);
}
