// `/ws`: messages both ways over a WebSocket.
#include <catch2/catch_test_macros.hpp>

#include "bridge/ws_feed.hpp"
#include "bridge/ws_message.hpp"
#include "bridge/ws_sends.hpp"
#include "test_mesh.hpp"
#include "websocket_frames.hpp"

using namespace std::chrono_literals;
using axl::as_text;
using axl::test::client_close;
using axl::test::client_frame;
using axl::test::HttpUser;
using axl::test::key_of;
using axl::test::Recorder;
using axl::test::TestMesh;

namespace {

std::string message_bytes(const axl::PublicKey& key, std::string_view id, std::string_view topic,
                          std::string_view body) {
  return std::string{as_text(key.bytes())} + static_cast<char>(id.size()) + std::string{id} +
         static_cast<char>(topic.size()) + std::string{topic} + std::string{body};
}

// A program with a WebSocket open.
class Socket {
 public:
  Socket(TestMesh& mesh, axl::test::TestNode& node, const std::string& query,
         const std::string& headers = "Host: localhost\r\n", axl::test::Pipe::Options options = {})
      : mesh_{mesh} {
    auto [ours, theirs] = mesh.loop.make_pipe(options);
    node.bridge().accept_local(std::move(theirs));
    raw_ = std::make_unique<Recorder>(std::move(ours));
    raw_->write("GET /ws" + query + " HTTP/1.1\r\n" + headers +
                "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    mesh.loop.run();
    const auto end = raw_->received.find("\r\n\r\n");
    REQUIRE(end != std::string::npos);
    head = raw_->received.substr(0, end);
    raw_->received.erase(0, end + 4);
  }

  void send(const std::string& frames) {
    raw_->write(frames);
    mesh_.loop.run();
  }
  void send_message(const axl::PublicKey& to, std::string_view body, std::string_view id = {},
                    std::string_view topic = {}) {
    send(client_frame(0x82, message_bytes(to, id, topic, body)));
  }
  void ack(const std::string& id) { send(client_frame(0x81, "{\"ack\":\"" + id + "\"}")); }

  /// The next message or control frame; a first byte of 0 when there is none.
  axl::test::ServerFrame next() {
    axl::test::ServerFrame whole;
    while (auto frame = axl::test::take_server_frame(raw_->received)) {
      if (frame->first >= 0x88) return *frame;
      whole.first |= frame->first;
      whole.payload += frame->payload;
      if ((frame->first & 0x80U) != 0) return whole;
      ++fragments;
    }
    return {};
  }
  std::string text() {
    const auto frame = next();
    return frame.first == 0x81 ? frame.payload : "(not a text)";
  }
  /// id/topic/body of the next message.
  std::string message() {
    const auto frame = next();
    if (frame.first != 0x82) return "(not a message)";
    const auto parsed = axl::bridge::parse_ws_message(axl::as_bytes(frame.payload));
    REQUIRE(parsed.ok());
    from = parsed->peer;
    return parsed->id + "/" + parsed->topic + "/" + std::string{as_text(parsed->body)};
  }
  int close_code() {
    const auto frame = next();
    if (frame.first != 0x88) return 0;
    if (frame.payload.size() < 2) return 1;
    return static_cast<unsigned char>(frame.payload[0]) * 256 + static_cast<unsigned char>(frame.payload[1]);
  }
  [[nodiscard]] int status() const { return std::stoi(head.substr(9, 3)); }
  [[nodiscard]] Recorder& raw() { return *raw_; }
  void vanish() {
    raw_.reset();
    mesh_.loop.run();
  }

  std::string head;
  axl::PublicKey from;
  int fragments = 0;

 private:
  TestMesh& mesh_;
  std::unique_ptr<Recorder> raw_;
};

struct Fixture {
  TestMesh mesh;
  axl::test::TestNode& a = mesh.add(1);
  axl::test::TestNode& b = mesh.add(2);
  HttpUser user_a{mesh, a};
  HttpUser user_b{mesh, b};

  void to_b(std::string_view body, std::string id, std::string topic = {}) {
    std::vector<std::pair<std::string, std::string>> headers{{"X-Axl-Message-Id", std::move(id)}};
    if (!topic.empty()) headers.emplace_back("X-Axl-Topic", std::move(topic));
    REQUIRE(user_a.send(b.our_key(), body, std::move(headers)).status == 200);
  }
  std::size_t left() { return b.router().queue_stats().messages; }
};

}  // namespace

TEST_CASE("ws: a message's layout, and every cut of it", "[bridge]") {
  const auto head = axl::bridge::encode_ws_head(key_of(7), "id-1", "t");
  CHECK(std::string{as_text(head)} == message_bytes(key_of(7), "id-1", "t", ""));
  for (std::size_t size = 0; size < head.size(); ++size) {
    CHECK_FALSE(axl::bridge::parse_ws_message(axl::ByteSpan{head}.first(size)).ok());
  }
  const auto whole = message_bytes(key_of(7), "id-1", "t", "body");
  const auto parsed = axl::bridge::parse_ws_message(axl::as_bytes(whole));
  REQUIRE(parsed.ok());
  CHECK(parsed->peer == key_of(7));
  CHECK(parsed->id == "id-1");
  CHECK(parsed->topic == "t");
  CHECK(as_text(parsed->body) == "body");
  for (const auto& bad : {message_bytes(key_of(7), "a b", "", ""), message_bytes(key_of(7), "", "a\nb", ""),
                          message_bytes(key_of(7), std::string(129, 'i'), "", "")}) {
    CHECK_FALSE(axl::bridge::parse_ws_message(axl::as_bytes(bad)).ok());
  }
}

TEST_CASE_METHOD(Fixture, "ws: gives what is selected, with sender, id and topic", "[bridge]") {
  to_b("plain", "p1");
  Socket plain{mesh, b, ""};
  CHECK(plain.status() == 101);
  CHECK(plain.head.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") != std::string::npos);
  CHECK(plain.message() == "p1//plain");
  CHECK(plain.from == a.our_key());
  Socket topic{mesh, b, "?topic=t"};
  Socket other{mesh, b, "?from=" + b.our_key().to_hex()};
  to_b("topical", "t1", "t");
  to_b("again", "p2");
  mesh.loop.run();
  CHECK(topic.message() == "t1/t/topical");
  CHECK(plain.message() == "p2//again");
  CHECK(other.next().first == 0);
  CHECK(left() == 0);
}

TEST_CASE_METHOD(Fixture, "ws: only what is asked in the right way becomes one", "[bridge]") {
  CHECK(user_b.ask("GET", "/ws").status == 400);
  CHECK(user_b.ask("POST", "/ws").status == 405);
  CHECK(user_b.ask("GET", "/ws", {{"Upgrade", "websocket"}, {"Sec-WebSocket-Version", "8"}}).status == 400);
  CHECK(Socket(mesh, b, "?ack=2").status() == 400);
  CHECK(Socket(mesh, b, "?recv=2").status() == 400);
  CHECK(Socket(mesh, b, "?from=x").status() == 400);
  CHECK(Socket(mesh, b, "", "Host: evil.example\r\n").status() == 403);
  CHECK(Socket(mesh, b, "", "Host: localhost\r\nOrigin: http://localhost\r\n").status() == 403);
  CHECK(Socket(mesh, b, "", "Host: localhost\r\nSec-Fetch-Site: cross-site\r\n").status() == 403);
  CHECK(Socket(mesh, b, "", "Host: localhost\r\nSec-Fetch-Dest: websocket\r\n").status() == 403);
  auto& c = mesh.add(3, {}, {.allowed_origins = {"https://good.example"}, .token = "0123456789abcdef"});
  const std::string page = "Host: localhost\r\nOrigin: https://good.example\r\nSec-Fetch-Dest: websocket\r\n";
  CHECK(Socket(mesh, c, "", page).status() == 401);
  CHECK(Socket(mesh, c, "", page + "X-Axl-Token: 0123456789abcdef\r\n").status() == 101);
}

TEST_CASE_METHOD(Fixture, "ws: sends as /send does and answers in order", "[bridge]") {
  Socket socket{mesh, a, "?recv=0"};
  socket.send_message(b.our_key(), "one", "id-1", "t");
  CHECK(socket.text() == R"({"sent":1,"status":200,"id":"id-1","delivered":"1"})");
  const auto got = user_b.ask("GET", "/recv?topic=t");
  CHECK(got.body == "one");
  CHECK(got.header("X-From-Peer-Id") == a.our_key().to_hex());
  CHECK(got.header("X-Axl-Message-Id") == "id-1");
  // One that is away does not let the next one's answer pass it, though the message does.
  socket.send_message(key_of(9), "nobody");
  socket.send_message(b.our_key(), "two");
  socket.send(client_frame(0x82, "too short"));
  CHECK(user_b.ask("GET", "/recv").body == "two");
  CHECK(mesh.loop.run_until([&] { return !socket.raw().received.empty(); }));
  const auto second = socket.text();
  CHECK(second.starts_with("{\"sent\":2,\"status\":502,\"id\":\""));
  CHECK(second.find("\"error\":\"Failed to reach peer: ") != std::string::npos);
  CHECK(socket.text().starts_with("{\"sent\":3,\"status\":200,"));
  CHECK(socket.text() == R"({"sent":4,"status":400,"error":"The message ends within the destination's key"})");
  // The same id with another body, and to ourselves.
  socket.send_message(b.our_key(), "other", "id-1");
  CHECK(socket.text().starts_with("{\"sent\":5,\"status\":409,"));
  socket.send_message(a.our_key(), "self", "me");
  CHECK(socket.text().starts_with("{\"sent\":6,\"status\":200,"));
  CHECK(user_a.ask("GET", "/recv").body == "self");
}

TEST_CASE("ws: a message of any size up to the limit, whole or in fragments, and 1009 beyond", "[bridge]") {
  TestMesh mesh;
  axl::NodeConfig config;
  config.max_message_size = 1'000'000;
  auto& a = mesh.add(1, config);
  auto& b = mesh.add(2, config);
  Socket sender{mesh, a, "?recv=0", "Host: localhost\r\n", {.max_piece = 10'007}};
  Socket receiver{mesh, b, ""};
  std::string body(1'000'000, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 7 % 251);
  const auto bytes = message_bytes(b.our_key(), "big", "", body);
  sender.send(client_frame(0x02, bytes.substr(0, 100'000)) + client_frame(0x89, "in between") +
              client_frame(0x80, bytes.substr(100'000)));
  CHECK(sender.next().payload == "in between");
  CHECK(sender.text() == R"({"sent":1,"status":200,"id":"big","delivered":"1"})");
  CHECK(receiver.message() == "big//" + body);
  CHECK(receiver.fragments > 1);
  sender.send_message(b.our_key(), "");
  CHECK(sender.text().starts_with("{\"sent\":2,\"status\":200"));
  CHECK(receiver.message().ends_with("//"));
  sender.send_message(b.our_key(), body + "x");  // within what the frame may have, with a short head
  CHECK(sender.text().find("\"status\":413") != std::string::npos);
  sender.send(client_frame(0x82, std::string(1'000'000 + axl::bridge::kMaxWsHead + 1, 'x')).substr(0, 20));
  CHECK(sender.close_code() == 1009);
  mesh.loop.advance(5s);
  CHECK(sender.raw().ended);
}

TEST_CASE_METHOD(Fixture, "ws: with ack=1 a message is gone when it is confirmed, and comes again if it is not",
                 "[bridge]") {
  to_b("1", "one");
  to_b("2", "two");
  Socket socket{mesh, b, "?ack=1&lease=10"};
  CHECK(socket.message() == "one//1");
  CHECK(socket.message() == "two//2");
  socket.ack("two");
  CHECK(socket.text() == R"({"acked":"two","status":204})");
  CHECK(left() == 1);
  socket.ack("two");
  CHECK(socket.text() == R"({"acked":"two","status":404,"error":"No leased message has this id"})");
  mesh.loop.advance(9s);
  CHECK(socket.next().first == 0);
  mesh.loop.advance(2s);
  CHECK(socket.message() == "one//1");
  socket.send(client_frame(0x81, R"({"ack":"one","from":")" + a.our_key().to_hex() + "\"}"));
  CHECK(socket.text() == R"({"acked":"one","status":204})");
  CHECK(left() == 0);
  for (const auto* bad : {"", "[]", "{}", "{\"ack\":1}", "{\"ack\":\"x\",\"from\":\"y\"}", "{\"ack\":\"x\""}) {
    socket.send(client_frame(0x81, bad));
    CHECK(socket.text().starts_with("{\"status\":400,\"error\":\""));
  }
  socket.send(client_frame(0x81, "\xff"));
  CHECK(socket.close_code() == 1007);
}

TEST_CASE_METHOD(Fixture, "ws: what a client had in lease when it went is for the next one at once", "[bridge]") {
  for (const auto* id : {"one", "two", "three"}) to_b(id, id);
  Socket first{mesh, b, "?ack=1&lease=600"};
  CHECK(first.message() == "one//one");
  first.ack("one");
  first.vanish();
  CHECK(left() == 2);
  Socket second{mesh, b, "?ack=1"};
  CHECK(second.message() == "two//two");
  second.send(client_close(1000, "bye"));
  CHECK(second.message() == "three//three");
  CHECK(second.close_code() == 1000);
  Socket third{mesh, b, ""};
  CHECK(third.message() == "two//two");
  CHECK(third.message() == "three//three");
  CHECK(left() == 0);
}

TEST_CASE_METHOD(Fixture, "ws: a lease that has ended is not given back a second time", "[bridge]") {
  to_b("1", "one");
  Socket slow{mesh, b, "?ack=1&lease=1"};
  CHECK(slow.message() == "one//1");
  Socket other{mesh, b, "?ack=1&lease=600"};
  mesh.loop.advance(2s);
  CHECK(slow.message() == "one//1");  // it waited first, and did not use its second chance either
  CHECK(other.message() == "one//1");
  slow.vanish();
  CHECK(b.router().queue_stats().leased == 1);
  CHECK(user_b.ask("GET", "/recv").status == 204);
  other.ack("one");
  CHECK(other.text().find("204") != std::string::npos);
  CHECK(left() == 0);
}

TEST_CASE_METHOD(Fixture, "ws: two consumers share the messages, and one holds no more than its window", "[bridge]") {
  constexpr auto kWindow = axl::bridge::WsFeed::kWindow;
  for (std::size_t i = 0; i < kWindow + 50; ++i) to_b("x", "id-" + std::to_string(i));
  Socket first{mesh, b, "?ack=1&lease=600"};
  Socket second{mesh, b, "?ack=1&lease=600"};
  std::set<std::string> got;
  std::string last;
  std::size_t of_first = 0;
  while (first.raw().received.size() > 1) {
    last = first.message();
    got.insert(last);
    ++of_first;
  }
  CHECK(of_first == kWindow);
  while (second.raw().received.size() > 1) got.insert(second.message());
  CHECK(got.size() == kWindow + 50);
  to_b("x", "more");
  CHECK(second.message() == "more//x");
  first.ack(last.substr(0, last.find('/')));
  to_b("x", "room");
  CHECK(first.text().find("204") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "ws: a reader that does not read is given no more than the connection holds", "[bridge]") {
  Socket socket{mesh, b, ""};
  socket.raw().stream().pause_reading();
  for (int i = 0; i < 100; ++i) to_b(std::string(50'000, 'x'), "id-" + std::to_string(i));
  mesh.loop.run();
  CHECK(left() == 100);
  CHECK(mesh.loop.last_pipe().in_flight(0) + mesh.loop.last_pipe().in_flight(1) < 400'000);
  SECTION("and gets all of it once it reads") {
    socket.raw().stream().resume_reading();
    mesh.loop.run();
    for (int i = 0; i < 100; ++i) {
      CHECK(socket.message() == "id-" + std::to_string(i) + "//" + std::string(50'000, 'x'));
    }
    CHECK(left() == 0);
  }
  SECTION("and loses nothing that it has not been given in full") {
    socket.vanish();
    CHECK(left() == 100);
    for (int i = 0; i < 100; ++i) {
      REQUIRE(user_b.ask("GET", "/recv").header("X-Axl-Message-Id") == "id-" + std::to_string(i));
    }
  }
}

TEST_CASE_METHOD(Fixture, "ws: no more messages are read than may wait for an answer", "[bridge]") {
  constexpr auto kInFlight = axl::bridge::WsSends::kInFlight;
  mesh.silence(key_of(9), 7001);
  mesh.silence(key_of(9), 7000);
  Socket socket{mesh, a, "?recv=0"};
  for (std::size_t i = 0; i < kInFlight; ++i) socket.send_message(key_of(9), "x");
  socket.send_message(b.our_key(), "not yet");
  CHECK(left() == 0);
  CHECK(mesh.loop.run_until([&] { return left() == 1; }));
  mesh.loop.run();
  for (std::size_t i = 1; i <= kInFlight; ++i) {
    REQUIRE(socket.text().starts_with("{\"sent\":" + std::to_string(i) + ",\"status\":5"));
  }
  CHECK(socket.text().find("\"status\":200") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "ws: pings are answered, a silent client is asked, and one that stays silent is given up",
                 "[bridge]") {
  Socket socket{mesh, b, ""};
  socket.send(client_frame(0x89, "are you there"));
  auto frame = socket.next();
  CHECK(frame.first == 0x8a);
  CHECK(frame.payload == "are you there");
  for (int i = 0; i < 20; ++i) {
    mesh.loop.advance(15s);
    REQUIRE(socket.next().first == 0x89);
    socket.send(client_frame(0x8a, ""));
  }
  mesh.loop.advance(15s);
  CHECK(socket.next().first == 0x89);
  mesh.loop.advance(106s);
  CHECK(socket.close_code() == 1011);
  to_b("x", "kept");
  mesh.loop.advance(5s);
  CHECK(socket.raw().ended);
  CHECK(left() == 1);
}

TEST_CASE_METHOD(Fixture, "ws: a message that does not go on ends the connection", "[bridge]") {
  Socket socket{mesh, a, "?recv=0"};
  socket.send(client_frame(0x82, message_bytes(b.our_key(), "", "", "whole")).substr(0, 30));
  mesh.loop.advance(61s);
  CHECK(socket.next().first == 0x89);
  CHECK(socket.close_code() == 1008);
  CHECK(left() == 0);
}

TEST_CASE_METHOD(Fixture, "ws: at the end of the node what is under way is done, then 1001", "[bridge]") {
  mesh.silence(key_of(9), 7001);
  mesh.silence(key_of(9), 7000);
  Socket idle{mesh, b, ""};
  Socket busy{mesh, b, "?recv=0"};
  busy.send_message(key_of(9), "will take a while");
  bool drained = false;
  b.bridge().drain([&] { drained = true; });
  mesh.loop.run();
  CHECK(idle.close_code() == 1001);
  CHECK(busy.next().first == 0);
  idle.send(client_close(1001));
  CHECK(idle.raw().ended);
  mesh.loop.advance(4s);
  CHECK(busy.close_code() == 1001);
  CHECK(mesh.loop.run_until([&] { return drained; }));
}
