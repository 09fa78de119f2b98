#include <catch2/catch_test_macros.hpp>
#include <random>

#include "test_mesh.hpp"

using namespace std::chrono_literals;
using axl::NodeConfig;
using axl::test::HttpUser;
using axl::test::key_of;
using axl::test::Recorder;
using axl::test::TestMesh;

namespace {

constexpr std::size_t kSize = 10 * 1024 * 1024;

std::string some_bytes(std::size_t size) {
  std::mt19937 random{7};
  std::string out(size, '\0');
  for (auto& byte : out) byte = static_cast<char>(random());
  return out;
}

// A program that sends its message piece by piece.
class Uploader {
 public:
  Uploader(TestMesh& mesh, axl::test::TestNode& node) : mesh_{mesh} {
    auto [ours, theirs] = mesh.loop.make_pipe(mesh.pipe_options);
    node.bridge().accept_local(std::move(theirs));
    connection_.emplace(std::move(ours));
  }
  void begin(const axl::PublicKey& to, std::size_t size, std::string_view id) {
    connection_->write("POST /send HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Destination-Peer-Id: " + to.to_hex() +
                       "\r\nX-Axl-Message-Id: " + std::string{id} + "\r\nContent-Length: " + std::to_string(size) +
                       "\r\n\r\n");
    mesh_.loop.run();
  }
  void write(std::string_view text) {
    constexpr std::size_t kPiece = 64 * 1024;  // as a socket gives them
    for (std::size_t at = 0; at < text.size(); at += kPiece) {
      connection_->write(text.substr(at, kPiece));
      mesh_.loop.run();
    }
  }
  void leave() {
    connection_->stream().abort();
    mesh_.loop.run();
  }
  [[nodiscard]] const std::string& answer() const { return connection_->received; }

 private:
  TestMesh& mesh_;
  std::optional<Recorder> connection_;
};

struct Fixture {
  TestMesh mesh;
  axl::test::TestNode& a = mesh.add(1);
  axl::test::TestNode& b = mesh.add(2);
  HttpUser user{mesh, a};
  Uploader uploader{mesh, a};
  std::string body = some_bytes(kSize);
  std::string_view first_half = std::string_view{body}.substr(0, kSize / 2);
  std::string_view second_half = std::string_view{body}.substr(kSize / 2);

  // A connection to b that has nothing to do.
  void connect() { REQUIRE(user.send(b.our_key(), "before").status == 200); }
  [[nodiscard]] std::string next() {
    const auto message = b.router().receive();
    return message ? std::string{message->body.text()} : std::string{"(none)"};
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "arrival: a large body goes on to the peer while it comes", "[bridge]") {
  const auto key = key_of(6);
  std::vector<std::unique_ptr<Recorder>> connections;
  mesh.listen(key, 7001, [&connections](auto connection) {
    connections.push_back(std::make_unique<Recorder>(std::move(connection)));
  });
  const auto small = user.begin("POST", "/send", {{"X-Destination-Peer-Id", key.to_hex()}}, "small");
  mesh.loop.run();
  REQUIRE(connections.size() == 1);
  connections[0]->write("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
  mesh.loop.run();
  REQUIRE(small->status == 200);
  connections[0]->received.clear();
  uploader.begin(key, kSize, "large");
  uploader.write(first_half);
  CHECK(connections[0]->received.find("X-Message-Id: large\r\n") != std::string::npos);
  CHECK(connections[0]->received.ends_with(first_half));
  uploader.write(second_half);
  CHECK(connections[0]->received.ends_with(body));
  CHECK(uploader.answer().empty());  // the receipt is the peer's
  connections[0]->write("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
  mesh.loop.run();
  CHECK(uploader.answer().starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(uploader.answer().find("X-Axl-Delivered: 1\r\n") != std::string::npos);
  CHECK(uploader.answer().find("X-Sent-Bytes: " + std::to_string(kSize) + "\r\n") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "arrival: it arrives whole and once, and in its place", "[bridge]") {
  connect();
  uploader.begin(b.our_key(), kSize, "large");
  uploader.write(first_half);
  CHECK(b.router().queue_stats().messages == 1);
  const auto after = user.begin("POST", "/send", {{"X-Destination-Peer-Id", b.our_key().to_hex()}}, "after");
  mesh.loop.run();
  CHECK(after->status == 0);
  uploader.write(second_half);
  CHECK(uploader.answer().starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(after->status == 200);
  CHECK(next() == "before");
  CHECK((next() == body));
  CHECK(next() == "after");
  CHECK(next() == "(none)");
  CHECK(mesh.connects == 1);
}

TEST_CASE_METHOD(Fixture, "arrival: a client that goes in the middle leaves nothing, and others get through",
                 "[bridge]") {
  connect();
  uploader.begin(b.our_key(), kSize, "large");
  uploader.write(first_half);
  const auto after = user.begin("POST", "/send", {{"X-Destination-Peer-Id", b.our_key().to_hex()}}, "after");
  mesh.loop.run();
  uploader.leave();
  mesh.loop.run_until([&] { return after->status != 0; });
  CHECK(after->status == 200);
  CHECK(next() == "before");
  CHECK(next() == "after");
  CHECK(next() == "(none)");
  // The name was not used up.
  CHECK(user.send(b.our_key(), "anew", {{"X-Axl-Message-Id", "large"}}).status == 200);
}

TEST_CASE_METHOD(Fixture, "arrival: a client that pauses holds nobody up, and its message arrives once it is complete",
                 "[bridge]") {
  connect();
  uploader.begin(b.our_key(), kSize, "large");
  uploader.write(first_half);
  const auto after = user.begin("POST", "/send", {{"X-Destination-Peer-Id", b.our_key().to_hex()}}, "after");
  const auto start = mesh.loop.now();
  mesh.loop.run_until([&] { return after->status != 0; });
  CHECK(after->status == 200);
  CHECK(mesh.loop.now() - start <= 1s);
  mesh.loop.advance(40s);  // longer than a message may take that is complete
  CHECK(uploader.answer().empty());
  uploader.write(second_half);
  mesh.loop.advance(1s);
  CHECK(uploader.answer().starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(next() == "before");
  CHECK(next() == "after");
  CHECK((next() == body));
  CHECK(next() == "(none)");
}

TEST_CASE_METHOD(Fixture, "arrival: a client that pauses, and goes then", "[bridge]") {
  connect();
  uploader.begin(b.our_key(), kSize, "large");
  uploader.write(first_half);
  mesh.loop.advance(5s);
  uploader.leave();
  mesh.loop.advance(5s);
  CHECK(next() == "before");
  CHECK(next() == "(none)");
  CHECK(user.send(b.our_key(), "anew", {{"X-Axl-Message-Id", "large"}}).status == 200);
}

TEST_CASE_METHOD(Fixture, "arrival: a connection lost in the middle is replaced when the body is complete",
                 "[bridge]") {
  connect();
  uploader.begin(b.our_key(), kSize, "large");
  auto& link = mesh.loop.last_pipe();
  uploader.write(first_half);
  link.break_off();
  mesh.loop.run();
  uploader.write(second_half);
  mesh.loop.advance(1s);
  CHECK(uploader.answer().starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(next() == "before");
  CHECK((next() == body));
  CHECK(next() == "(none)");
}

TEST_CASE_METHOD(Fixture, "arrival: the peer's refusal waits for the end of the body", "[bridge]") {
  NodeConfig config;
  config.max_message_size = 1024 * 1024;
  auto& c = mesh.add(3, config);
  REQUIRE(user.send(c.our_key(), "before").status == 200);
  uploader.begin(c.our_key(), kSize, "large");
  uploader.write(first_half);
  CHECK(uploader.answer().empty());
  uploader.write(second_half);
  mesh.loop.advance(1s);
  CHECK(uploader.answer().starts_with("HTTP/1.1 413 "));
  CHECK(user.send(c.our_key(), "after").status == 200);
}

TEST_CASE_METHOD(Fixture, "arrival: a slow client's body is collected", "[bridge]") {
  connect();
  uploader.begin(b.our_key(), kSize, "large");
  for (std::size_t at = 0; at < kSize / 2; at += kSize / 32) {
    mesh.loop.advance(100ms);
    uploader.write(std::string_view{body}.substr(at, kSize / 32));
  }
  const auto after = user.begin("POST", "/send", {{"X-Destination-Peer-Id", b.our_key().to_hex()}}, "after");
  mesh.loop.run();
  CHECK(after->status == 200);  // waits for nothing
  uploader.write(second_half);
  CHECK(uploader.answer().starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(mesh.connects == 1);
}

TEST_CASE_METHOD(Fixture, "arrival: the node ends while a body goes on", "[bridge]") {
  connect();
  uploader.begin(b.our_key(), kSize, "large");
  uploader.write(first_half);
  SECTION("the sender's") { a.destroy(); }
  SECTION("the receiver's") {
    for (const auto port : {std::uint16_t{7000}, std::uint16_t{7001}}) mesh.listen(b.our_key(), port, nullptr);
    b.destroy();
  }
  SECTION("the sender's, while the message waits to be complete") {
    mesh.loop.advance(5s);
    a.destroy();
  }
  mesh.loop.advance(1s);
}
