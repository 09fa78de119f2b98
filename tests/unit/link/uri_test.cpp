#include "link/uri.hpp"

#include <catch2/catch_test_macros.hpp>

#include "link/go_duration.hpp"

using namespace std::chrono_literals;
using axl::Errc;
using axl::link::parse_go_duration;
using axl::link::parse_listener_uri;
using axl::link::parse_peer_uri;
using axl::link::Scheme;

namespace {

const std::string kKey(64, 'a');

std::string error_of(std::string_view uri) {
  const auto parsed = parse_peer_uri(uri);
  return parsed ? std::string{} : parsed.error().text();
}

}  // namespace

TEST_CASE("uri: scheme, host and port are read", "[link]") {
  const auto tls = parse_peer_uri("TLS://peer.example.org:9001?priority=3").value();
  CHECK(tls.scheme == Scheme::tls);
  CHECK(tls.host == "peer.example.org");
  CHECK(tls.port == 9001);
  CHECK(tls.priority == 3);
  CHECK(tls.identity == "tls://peer.example.org:9001");

  const auto tcp = parse_peer_uri("tcp://[2001:db8::1%25eth0]:1").value();
  CHECK(tcp.scheme == Scheme::tcp);
  CHECK(tcp.host == "2001:db8::1");
  CHECK(tcp.port == 1);
  CHECK(tcp.identity == "tcp://[2001:db8::1%25eth0]:1");
  CHECK(parse_peer_uri("tcp://127.0.0.1:65535#x").value().port == 65535);
}

TEST_CASE("uri: a place that cannot be dialled is refused", "[link]") {
  for (const auto* uri : {"",
                          "tls",
                          "tls:",
                          "tls:/host:1",
                          "tls://",
                          "tls://host",
                          "tls://host:",
                          "tls://host:0",
                          "tls://host:65536",
                          "tls://host:+1",
                          "tls://host:-1",
                          "tls://host:1x",
                          "tls://host:0x1",
                          "tls://:1",
                          "tls://[::1:1",
                          "tls://[::1]",
                          "tls://[::1]1",
                          "tls://[host]:1",
                          "tls://::1:1",
                          "tls://a b:1",
                          "tls://user@host:1",
                          "tls://u:p@host:1",
                          "tls://host:1?priority=%4",
                          "tls://host:1?%zz=1"}) {
    CAPTURE(uri);
    CHECK_FALSE(parse_peer_uri(uri));
  }
}

TEST_CASE("uri: unknown schemes are refused, known ones that are not built say so", "[link]") {
  CHECK(error_of("gopher://host:1") == "link schema unknown");
  CHECK(parse_peer_uri("gopher://host:1").error().is(Errc::not_supported));
  for (const auto* scheme : {"ws", "wss", "unix", "quic", "socks", "sockstls", "QUIC"}) {
    const auto parsed = parse_peer_uri(std::string{scheme} + "://host:1");
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().is(Errc::not_supported));
    CHECK(parsed.error().text().find("not supported yet") != std::string::npos);
    CHECK(parse_listener_uri(std::string{scheme} + "://host:1").error().is(Errc::not_supported));
  }
}

TEST_CASE("uri: keys may be pinned, several of them, each in full", "[link]") {
  const std::string other(64, 'B');
  const auto uri = parse_peer_uri("tls://h:1?key=" + kKey + "&key=" + other + "&key=" + kKey).value();
  REQUIRE(uri.pinned_keys.size() == 2);
  CHECK(uri.pinned_keys[0].to_hex() == kKey);
  for (const auto& bad : {std::string{"abcd"}, kKey + "00", std::string(64, 'g'), std::string{}}) {
    CHECK(error_of("tls://h:1?key=" + bad) == "pinned public key is invalid");
  }
  CHECK(error_of("tls://h:1?key=" + kKey + "&key=1") == "pinned public key is invalid");
}

TEST_CASE("uri: priority is a decimal number up to 255, the first one counts", "[link]") {
  CHECK(parse_peer_uri("tls://h:1?priority=255&priority=x").value().priority == 255);
  CHECK(parse_peer_uri("tls://h:1?priority=").value().priority == 0);
  for (const auto* bad : {"256", "-1", "x", "1.5", "%201", "0x1"}) {
    CHECK(error_of(std::string{"tls://h:1?priority="} + bad) == "priority value is invalid");
    CHECK(parse_listener_uri(std::string{"tls://h:1?priority="} + bad).error().text() == "priority value is invalid");
  }
}

TEST_CASE("uri: a password is at most 64 bytes after decoding", "[link]") {
  CHECK(parse_peer_uri("tls://h:1?password=a%20b+c%2B").value().password == "a b c+");
  CHECK(parse_peer_uri("tls://h:1?password=").value().password.empty());
  CHECK(parse_peer_uri("tls://h:1?password=" + std::string(64, 'x')).value().password.size() == 64);
  CHECK(error_of("tls://h:1?password=" + std::string(65, 'x')) == "invalid password supplied");
  CHECK(parse_peer_uri("tls://h:1?password=secret&key=" + kKey).value().identity == "tls://h:1");
}

TEST_CASE("uri: the longest backoff is a duration of at least five seconds", "[link]") {
  CHECK(parse_peer_uri("tls://h:1?maxbackoff=1m30s").value().max_backoff == 90s);
  CHECK(parse_peer_uri("tls://h:1?maxbackoff=5s").value().max_backoff == 5s);
  CHECK_FALSE(parse_peer_uri("tls://h:1").value().max_backoff);
  for (const auto* bad : {"4.9s", "10", "s", "1x", "-1h", "1m30", "99999999999h"}) {
    CHECK(error_of(std::string{"tls://h:1?maxbackoff="} + bad) == "max backoff duration invalid");
  }
  CHECK_FALSE(parse_peer_uri("tls://h:1?maxbackoff=29s", {.smallest_max_backoff = 30s}));
}

TEST_CASE("uri: unknown parameters are left to later versions", "[link]") {
  CHECK(parse_peer_uri("tls://h:1?color=red&&=&priority=2").value().priority == 2);
}

TEST_CASE("uri: the TLS server name is a name, never an address", "[link]") {
  const auto name = [](const char* uri) { return parse_peer_uri(uri).value().server_name(); };
  CHECK(name("tls://peer.example:1") == "peer.example");
  CHECK(name("tls://peer.example:1?sni=other.example") == "other.example");
  CHECK(name("tls://peer.example:1?sni=1.2.3.4") == "peer.example");
  CHECK(name("tls://10.0.0.1:1").empty());
  CHECK(name("tls://10.0.0.1:1?sni=front.example") == "front.example");
  CHECK(name("tls://10.0.0.1:1?sni=::1").empty());
  CHECK(name("tls://[::1]:1").empty());
  CHECK(name("tls://1.2.3:1") == "1.2.3");
  CHECK(name("tls://1.2.3.256:1") == "1.2.3.256");
}

TEST_CASE("uri: a listener may take any address and any port, and ignores what only diallers need", "[link]") {
  const auto any = parse_listener_uri("tls://:0?key=zz&maxbackoff=never&sni=x&password=p&priority=1").value();
  CHECK(any.host.empty());
  CHECK(any.port == 0);
  CHECK(any.pinned_keys.empty());
  CHECK(any.sni.empty());
  CHECK_FALSE(any.max_backoff);
  CHECK(any.password == "p");
  CHECK(any.priority == 1);
  CHECK(parse_listener_uri("tcp://[::]:9001").value().host == "::");
  CHECK_FALSE(parse_listener_uri("tls://0.0.0.0"));
}

TEST_CASE("go duration: numbers with units add up", "[link]") {
  CHECK(parse_go_duration("1h2m3s4ms5us6ns") == 1h + 2min + 3s + 4ms + 5us + 6ns);
  CHECK(parse_go_duration("1.5h") == 90min);
  CHECK(parse_go_duration(".5s") == 500ms);
  CHECK(parse_go_duration("1.s") == 1s);
  CHECK(parse_go_duration("2\u00b5s") == 2us);
  CHECK(parse_go_duration("2\u03bcs") == 2us);
  CHECK(parse_go_duration("-3s") == -3s);
  CHECK(parse_go_duration("+3s") == 3s);
  CHECK(parse_go_duration("0") == 0s);
  for (const auto* bad : {"", "-", "1", ".s", "s", "1d", "1 s", "3s-", "9223372036855s", "2562048h"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_go_duration(bad));
  }
}
