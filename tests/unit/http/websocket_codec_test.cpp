#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "http/websocket_frame.hpp"
#include "http/websocket_handshake.hpp"
#include "http/websocket_pulse.hpp"
#include "http/websocket_reader.hpp"
#include "websocket_frames.hpp"

using namespace axl;
using namespace std::chrono_literals;
using http::WebSocketCode;
using http::WebSocketOpcode;
using http::WebSocketPulse;
using http::WebSocketReader;
using test::client_close;
using test::client_frame;
using What = WebSocketReader::What;

namespace {

constexpr WebSocketReader::Limits kLimits{.text = 100, .binary = 70'000};

std::string bytes_of(std::string_view hex) {
  std::string digits;
  for (const char c : hex) {
    if (c != ' ') digits += c;
  }
  return std::string{as_text(from_hex(digits).value())};
}

// What a reader has to say, as text. Pieces of one binary message are joined.
std::string read(std::string_view bytes, std::size_t piece = 1'000'000) {
  WebSocketReader reader{kLimits};
  std::string told;
  bool in_binary = false;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    auto part = to_bytes(bytes.substr(at, piece));
    auto rest = MutableByteSpan{part};
    while (true) {
      const auto step = reader.read(rest);
      rest = rest.subspan(step.consumed);
      const auto payload = std::string{as_text(step.payload)};
      const auto code = std::to_string(static_cast<int>(step.code));
      switch (step.what) {
        case What::nothing: break;
        case What::text: told += "text " + payload + ";"; break;
        case What::binary:
          told += (in_binary ? "" : "binary ") + payload + (step.end ? ";" : "");
          in_binary = !step.end;
          break;
        case What::ping: told += "ping " + payload + ";"; break;
        case What::pong: told += "pong " + payload + ";"; break;
        case What::close: told += "close " + code + " " + payload + ";"; break;
        case What::violation: told += "violation " + code + ";"; break;
      }
      if (step.what == What::nothing) {
        CHECK(rest.empty());
        break;
      }
    }
  }
  return told;
}

std::string raw(const Buffer& buffer) { return std::string{as_text(buffer)}; }

}  // namespace

TEST_CASE("websocket: the examples of RFC 6455, section 5.7, are written so", "[http]") {
  using http::encode_websocket_frame;
  CHECK(raw(encode_websocket_frame(WebSocketOpcode::text, true, as_bytes("Hello"))) == bytes_of("8105 48656c6c6f"));
  CHECK(raw(encode_websocket_frame(WebSocketOpcode::text, false, as_bytes("Hel"))) == bytes_of("0103 48656c"));
  CHECK(raw(encode_websocket_frame(WebSocketOpcode::continuation, true, as_bytes("lo"))) == bytes_of("8002 6c6f"));
  CHECK(raw(encode_websocket_frame(WebSocketOpcode::ping, true, as_bytes("Hello"))) == bytes_of("8905 48656c6c6f"));
  const auto middle = raw(encode_websocket_frame(WebSocketOpcode::binary, true, as_bytes(std::string(256, 'x'))));
  CHECK(middle == bytes_of("827e 0100") + std::string(256, 'x'));
  const auto large = raw(encode_websocket_frame(WebSocketOpcode::binary, true, as_bytes("xx"),
                                                as_bytes(std::string(65'534, 'x'))));
  CHECK(large == bytes_of("827f 0000000000010000") + std::string(65'536, 'x'));
  CHECK(raw(http::encode_websocket_close(WebSocketCode::going_away, "bye")) == bytes_of("8805 03e9 627965"));
  CHECK(raw(http::encode_websocket_close(WebSocketCode::none, "")) == bytes_of("8800"));
}

TEST_CASE("websocket: the masked examples are read, and the others as a client would send them", "[http]") {
  CHECK(read(bytes_of("8185 37fa213d 7f9f4d5158")) == "text Hello;");
  CHECK(read(bytes_of("8a85 37fa213d 7f9f4d5158")) == "pong Hello;");
  CHECK(read(client_frame(0x01, "Hel") + client_frame(0x80, "lo")) == "text Hello;");
  CHECK(read(client_frame(0x89, "Hello")) == "ping Hello;");
  CHECK(read(client_frame(0x82, std::string(256, 'x'))) == "binary " + std::string(256, 'x') + ";");
  CHECK(read(client_frame(0x82, std::string(65'536, 'x'))) == "binary " + std::string(65'536, 'x') + ";");
  CHECK(read(bytes_of("8200").replace(1, 1, "\x80") + "mask") == "binary ;");
  CHECK(read(client_frame(0x81, "")) == "text ;");
}

TEST_CASE("websocket: the same is read in whatever pieces it comes, and nothing of what is cut short", "[http]") {
  const auto all = client_frame(0x02, "one") + client_frame(0x89, "p") + client_frame(0x00, "") + client_frame(0x8a, "") +
                   client_frame(0x80, " two") + client_frame(0x81, "gr\xc3\xbc\xc3\x9f" "e", "\x01\x02\x03\x04") +
                   client_frame(0x82, std::string(130, 'y')) + client_close(1000, "done");
  for (std::size_t piece = 1; piece <= all.size(); ++piece) {
    // A control frame may come within a message: then its binary pieces stand on both sides of it.
    REQUIRE(read(all, piece) == "binary oneping p;pong ; two;text gr\xc3\xbc\xc3\x9f" "e;binary " + std::string(130, 'y') +
                                    ";close 1000 done;");
  }
  for (const auto& frame : {client_frame(0x81, "Hello"), client_frame(0x89, "Hello"), client_close(1000),
                            client_frame(0x81, std::string(100, 't'))}) {
    for (std::size_t size = 0; size < frame.size(); ++size) REQUIRE(read(frame.substr(0, size)).empty());
  }
  const auto binary = client_frame(0x82, std::string(200, 'b'));
  for (std::size_t size = 0; size < binary.size(); ++size) {
    REQUIRE(read(binary.substr(0, size)).find(';') == std::string::npos);
  }
}

TEST_CASE("websocket: what breaks the protocol is 1002, and nothing is read after it", "[http]") {
  const std::vector<std::string> bad{
      bytes_of("8105 48656c6c6f"),                      // no mask
      bytes_of("8100"),                                 //
      client_frame(0xc1, "x"),                          // reserved bits
      client_frame(0xa1, "x"),                          //
      client_frame(0x91, "x"),                          //
      client_frame(0x83, "x"),                          // unknown opcodes
      client_frame(0x87, "x"),                          //
      client_frame(0x8b, "x"),                          //
      client_frame(0x8f, "x"),                          //
      client_frame(0x80, "x"),                          // a continuation of nothing
      client_frame(0x01, "a") + client_frame(0x81, "b"),  // a message within another
      client_frame(0x02, "a") + client_frame(0x02, "b"),  //
      client_frame(0x09, "x"),                          // control frames in fragments
      client_frame(0x08, ""),                           //
      client_frame(0x89, std::string(126, 'x')),        // and long ones
      client_frame(0x88, "x"),                          // half a code
      bytes_of("82fe 007d") + "mask",                   // a length in a longer form than needed
      bytes_of("82ff 000000000000ffff") + "mask",       //
      bytes_of("82ff 8000000000010000") + "mask",       // or with its highest bit set
  };
  for (const auto& bytes : bad) {
    INFO(to_hex(as_bytes(bytes)));
    for (const auto piece : {std::size_t{1}, std::size_t{3}, std::size_t{1'000}}) {
      const auto told = read(bytes + client_frame(0x81, "after"), piece);
      const auto expected = bytes.starts_with('\x02') ? "binary aviolation 1002;" : "violation 1002;";
      CHECK(told == expected);
    }
  }
}

TEST_CASE("websocket: only codes that may be sent close it", "[http]") {
  for (const auto code : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1014, 3000, 4999}) {
    CHECK(read(client_close(static_cast<std::uint16_t>(code), "r")) == "close " + std::to_string(code) + " r;");
  }
  for (const auto code : {0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65'535}) {
    CHECK(read(client_close(static_cast<std::uint16_t>(code))) == "violation 1002;");
  }
  CHECK(read(client_frame(0x88, "") + client_frame(0x81, "after")) == "close 0 ;");
  CHECK(read(client_close(1000, "\xff")) == "violation 1007;");
}

TEST_CASE("websocket: text must be UTF-8 as a whole, not each fragment of it", "[http]") {
  CHECK(read(client_frame(0x01, "\xe2\x82") + client_frame(0x80, "\xac")) == "text \xe2\x82\xac;");
  for (const auto* bad : {"\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80"}) {
    CHECK(read(client_frame(0x81, bad)) == "violation 1007;");
  }
  CHECK(read(client_frame(0x82, "\xff")) == "binary \xff;");
}

TEST_CASE("websocket: a message over its limit is 1009 when its length is announced", "[http]") {
  CHECK(read(client_frame(0x81, std::string(100, 't'))) == "text " + std::string(100, 't') + ";");
  CHECK(read(client_frame(0x81, std::string(101, 't')).substr(0, 2)) == "violation 1009;");
  CHECK(read(client_frame(0x82, std::string(70'001, 'b')).substr(0, 10)) == "violation 1009;");
  CHECK(read(bytes_of("82ff 7fffffffffffffff")) == "violation 1009;");
  CHECK(read(client_frame(0x01, std::string(60, 't')) + client_frame(0x00, std::string(41, 't'))) == "violation 1009;");
  // The limit is a message's, not a connection's.
  std::string many;
  for (int i = 0; i < 5; ++i) many += client_frame(0x81, std::string(60, 't'));
  CHECK(read(many).find("violation") == std::string::npos);
}

TEST_CASE("websocket: the handshake of RFC 6455, section 1.3, and what is none", "[http]") {
  CHECK(http::websocket_accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  http::RequestHead good;
  good.headers = {{"Host", "localhost"},
                  {"Upgrade", "h2c, WebSocket"},
                  {"Connection", "keep-alive, Upgrade"},
                  {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                  {"Sec-WebSocket-Version", "13"}};
  CHECK_FALSE(http::refuse_websocket(good));
  const auto status = [&good](std::string_view name, std::string_view value) {
    auto request = good;
    request.headers.remove(name);
    if (!value.empty()) request.headers.add_line(name, value);
    const auto refused = http::refuse_websocket(request);
    return refused ? refused->status : 101;
  };
  CHECK(status("Upgrade", "") == 400);
  CHECK(status("Upgrade", "h2c") == 400);
  CHECK(status("Connection", "keep-alive") == 400);
  CHECK(status("Sec-WebSocket-Version", "") == 426);
  CHECK(status("Sec-WebSocket-Version", "8") == 426);
  CHECK(status("Sec-WebSocket-Version", "130") == 426);
  for (const auto* key : {"", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZR==", "dGhlIHNhbXBsZSBub25jZQ=A",
                          "dGhl,HNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ==="}) {
    INFO(key);
    CHECK(status("Sec-WebSocket-Key", key) == 400);
  }
  auto twice = good;
  twice.headers.add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
  CHECK(http::refuse_websocket(twice)->status == 400);
  auto old = good;
  old.version = http::Version::http_1_0;
  CHECK(http::refuse_websocket(old)->status == 400);
  auto post = good;
  post.method = "POST";
  CHECK(http::refuse_websocket(post)->status == 405);
  auto body = good;
  body.content_length = 1;
  CHECK(http::refuse_websocket(body)->status == 400);
  const auto wrong_version = [&] {
    auto request = good;
    request.headers.set("Sec-WebSocket-Version", "12");
    return http::refuse_websocket(request);
  }();
  CHECK(wrong_version->headers.get("Sec-WebSocket-Version") == "13");
}

TEST_CASE("websocket pulse: silence is asked once, then it is death", "[http]") {
  using Output = WebSocketPulse::Output;
  const Time start{1h};
  WebSocketPulse pulse{{.ping_after = 15s, .dead_after = 120s, .message_within = 60s}, start};
  CHECK(pulse.next_tick() == start + 15s);
  CHECK_FALSE(pulse.on_tick(start + 14s));
  CHECK(pulse.on_tick(start + 15s) == Output::send_ping);
  CHECK(pulse.next_tick() == start + 120s);
  SECTION("unless something comes") {
    pulse.on_received(false, start + 119s);
    CHECK_FALSE(pulse.on_tick(start + 120s));
    CHECK(pulse.next_tick() == start + 134s);
  }
  SECTION("unless we are the ones who do not read") {
    pulse.on_pause();
    CHECK_FALSE(pulse.next_tick());
    CHECK_FALSE(pulse.on_tick(start + 10min));
    pulse.on_resume(start + 10min);
    CHECK(pulse.on_tick(start + 10min + 15s) == Output::send_ping);
  }
  SECTION("otherwise") { CHECK(pulse.on_tick(start + 120s) == Output::peer_is_dead); }
}

TEST_CASE("websocket pulse: a message that has begun must go on", "[http]") {
  using Output = WebSocketPulse::Output;
  const Time start{1h};
  WebSocketPulse pulse{{.ping_after = 15s, .dead_after = 120s, .message_within = 60s}, start};
  pulse.on_received(true, start);
  CHECK(pulse.on_tick(start + 15s) == Output::send_ping);
  pulse.on_received(true, start + 50s);
  CHECK(pulse.on_tick(start + 65s) == Output::send_ping);
  CHECK(pulse.next_tick() == start + 110s);
  CHECK(pulse.on_tick(start + 110s) == Output::message_is_stuck);
}
