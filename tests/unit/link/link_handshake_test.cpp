#include <catch2/catch_test_macros.hpp>

#include "link_pipe.hpp"

using namespace std::chrono_literals;
using namespace axl::link::test;
using axl::Errc;
using axl::link::Link;
using axl::wire::encode_meta;
using axl::wire::FrameType;

namespace {

const auto alice = test_key(1);
const auto bob = test_key(2);

axl::Bytes meta_of(const axl::PrivateKey& key, std::uint8_t priority = 0, std::string_view password = {}) {
  return axl::to_bytes(encode_meta(key, priority, axl::as_bytes(password)));
}

}  // namespace

TEST_CASE("link: says who it is at once, without waiting for the other side", "[link]") {
  End a{alice, {.priority = 7, .password = "secret"}};
  CHECK(a.drain() == meta_of(alice, 7, "secret"));
  CHECK_FALSE(a.link.established());
  CHECK(a.drain().empty());
}

TEST_CASE("link: is up with the other's key and the greater priority, however the message is cut", "[link]") {
  const auto meta = meta_of(bob, 5);
  for (std::size_t piece = 1; piece <= meta.size(); ++piece) {
    End a{alice, {.priority = 3}};
    a.feed(meta, t0, piece);
    REQUIRE(a.established.size() == 1);
    CHECK(a.established[0].key == bob.public_key());
    CHECK(a.established[0].priority == 5);
    CHECK(a.link.usable());
    CHECK(a.link.rx_bytes() == meta.size());
  }
  End b{alice, {.priority = 9}};
  b.feed(meta);
  CHECK(b.established.at(0).priority == 9);
}

TEST_CASE("link: frames behind the handshake in the same bytes are not lost", "[link]") {
  auto bytes = meta_of(bob);
  const auto frames = axl::from_hex("030201050101").value();
  bytes.insert(bytes.end(), frames.begin(), frames.end());
  for (const std::size_t piece : {std::size_t{1}, std::size_t{50}, bytes.size()}) {
    End a{alice};
    a.feed(bytes, t0, piece);
    CHECK(a.established.size() == 1);
    CHECK(a.messages == std::vector<std::string>{"020105"});  // keepalives are the link's own affair
    CHECK(a.link.rx_bytes() == bytes.size());
  }
}

TEST_CASE("link: refuses what the protocol refuses, with its words", "[link]") {
  SECTION("another protocol") {
    End a{alice};
    a.feed(axl::as_bytes("HTTP/1.1 400 Bad Request\r\n"));
    CHECK(a.failure() == "invalid handshake, remote side is not Yggdrasil");
  }
  SECTION("another password") {
    End a{alice, {.password = "one"}};
    a.feed(meta_of(bob, 0, "two"));
    CHECK(a.failure() == "password does not match remote side");
  }
  SECTION("no password where there should be one") {
    End a{alice, {.password = "one"}};
    a.feed(meta_of(bob));
    CHECK(a.failure() == "password does not match remote side");
  }
  SECTION("a key that is not pinned") {
    End a{alice, {.pinned_keys = {test_key(3).public_key()}}};
    a.feed(meta_of(bob));
    CHECK_FALSE(a.failure().empty());
    CHECK(a.failures[0].error.is(Errc::key_mismatch));
    CHECK(a.failures[0].retry);
  }
  SECTION("a key that may not connect") {
    End a{alice, {.allowed = [](const axl::PublicKey& key) { return key == test_key(3).public_key(); }}};
    a.feed(meta_of(bob));
    CHECK_FALSE(a.failure().empty());
    CHECK(a.failures[0].error.is(Errc::permission_denied));
  }
  SECTION("this node itself, for good") {
    End a{alice, {.pinned_keys = {bob.public_key()}}};
    a.feed(meta_of(alice));
    CHECK(a.failure() == "connected to self");
    CHECK_FALSE(a.failures[0].retry);
  }
}

TEST_CASE("link: pinned and allowed keys pass", "[link]") {
  End a{alice, {.pinned_keys = {test_key(3).public_key(), bob.public_key()}, .allowed = [](const axl::PublicKey& key) {
                  return key == bob.public_key();
                }}};
  a.feed(meta_of(bob));
  CHECK(a.link.usable());
}

TEST_CASE("link: six seconds are allowed from the start, whatever came meanwhile", "[link]") {
  End a{alice, {}, {}, t0 + 1s};
  a.drain();
  CHECK(a.link.next_tick() == t0 + 7s);
  const auto meta = meta_of(bob);
  a.feed(axl::ByteSpan{meta}.first(100), t0 + 6s);
  a.link.on_tick(t0 + 6999ms);
  CHECK(a.failure().empty());
  SECTION("too late") {
    a.link.on_tick(t0 + 7s);
    CHECK(a.failure() == "handshake timed out");
    CHECK(a.failures[0].error.is(Errc::timed_out));
  }
  SECTION("in time") {
    a.feed(axl::ByteSpan{meta}.subspan(100), t0 + 6999ms);
    CHECK(a.link.established());
    CHECK_FALSE(a.link.next_tick());
  }
}

TEST_CASE("link: failure is said once, is the last word, and ends reading", "[link]") {
  auto a = established_end(alice, bob);
  a.link.send(message(FrameType::sig_req, 2), {}, t0);
  a.link.fail(axl::Error{Errc::io, "connection reset"});
  a.link.fail(axl::Error{Errc::io, "again"});
  CHECK(a.drain().empty());
  CHECK(a.failures.size() == 1);
  CHECK(a.failure() == "connection reset");
  a.feed(axl::from_hex("03020105").value());
  a.link.send(message(FrameType::sig_req, 2), {}, t0);
  a.link.on_tick(t0 + 1h);
  CHECK(a.drain().empty());
  CHECK(a.messages.empty());
  CHECK(a.failures.size() == 1);
  CHECK_FALSE(a.link.next_tick());
}

TEST_CASE("link: a guarded neighbour carries nobody's packets before it has proven its key", "[link]") {
  auto a = established_end(alice, bob, {.guarded = true});
  CHECK(a.link.established());
  CHECK_FALSE(a.link.usable());

  a.feed(axl::from_hex("02090a"
                       "020600"
                       "020700"
                       "020800"
                       "03020105")
             .value());  // traffic, look-ups, SigReq
  CHECK(a.messages == std::vector<std::string>{"020105"});
  a.link.send(message(FrameType::traffic, 3), {}, t0);
  a.link.send(message(FrameType::sig_req, 2), {}, t0);
  CHECK(axl::to_hex(a.drain()) == "03020000");

  SECTION("then it does, and what waited is sent") {
    a.link.set_proven(t0 + 1s);
    CHECK(a.link.usable());
    CHECK(axl::to_hex(a.drain()) == "0409000000");
    a.feed(axl::from_hex("02090a").value());
    CHECK(a.messages.back() == "090a");
    CHECK(a.link.next_tick() != t0 + 10s);
  }
  SECTION("and is closed if it never does") {
    a.feed(axl::from_hex("0101").value(), t0 + 2s);
    CHECK(a.link.next_tick() <= t0 + 10s);
    a.link.on_tick(t0 + 10s);
    CHECK(a.failures.empty());
    CHECK_FALSE(a.failure().empty());
    CHECK(a.failures[0].error.is(Errc::crypto));
  }
}
