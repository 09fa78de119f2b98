#include <catch2/catch_test_macros.hpp>

#include "crypto/hash.hpp"
#include "link_pipe.hpp"

using namespace axl::link::test;
using axl::link::Link;

namespace {

const auto alice = test_key(1);
const auto bob = test_key(2);

}  // namespace

TEST_CASE("link: random bytes instead of a handshake end it", "[link]") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    axl::crypto::SeededRng rng{seed};
    axl::Bytes garbage(2000);
    rng.fill(garbage);
    End a{alice};
    a.feed(garbage, t0, 1 + seed % 50);
    CHECK(a.link.failed());
    CHECK(a.established.empty());
  }
}

TEST_CASE("link: a handshake of the greatest length is read, and none can grow beyond", "[link]") {
  // Filled with fields of a later version; the signature over the key cannot hold.
  axl::Bytes bytes = axl::to_bytes("meta");
  bytes.push_back(std::byte{4});
  bytes.push_back(std::byte{0});
  bytes.resize(6 + 1024, std::byte{0});
  End a{alice};
  a.feed(axl::ByteSpan{bytes}.first(bytes.size() - 1), t0, 100);
  CHECK_FALSE(a.link.failed());
  a.feed(axl::ByteSpan{bytes}.last(1));
  CHECK(a.link.failed());

  End b{alice};
  bytes[5] = std::byte{1};
  b.feed(axl::ByteSpan{bytes}.first(6));
  CHECK(b.failure() == "invalid handshake length, possible version mismatch");
}

TEST_CASE("link: golden handshakes pass or fail in pieces as they do whole", "[link]") {
  for (auto c : axl::test::load_vectors("session/meta.json")["decode"].get_array()) {
    CAPTURE(axl::test::text(c["note"]));
    const auto bytes = axl::test::hex(c["bytes"]);
    const auto password = axl::test::hex(c["password"]);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{17}, bytes.size()}) {
      End a{alice, {.password = std::string{axl::as_text(password)}}};
      a.feed(bytes, t0, piece);
      const bool accept = axl::test::text(c["expect"]) == "accept";
      CHECK(a.link.established() == accept);
      CHECK(a.link.failed() == !accept);
    }
  }
}

TEST_CASE("link: broken framing closes, and bodies are left to the layer above", "[link]") {
  for (auto c : axl::test::load_vectors("routing/malformed.json")["cases"].get_array()) {
    CAPTURE(axl::test::text(c["name"]));
    const auto body = axl::test::hex(c["message"]);
    axl::Bytes frame;
    axl::wire::append_uvarint(frame, body.size());
    frame.insert(frame.end(), body.begin(), body.end());
    const auto error = axl::test::text(c["error"]);
    const bool framing = error == "ErrEmptyMessage" || error == "ErrUnrecognizedMessage";
    auto a = established_end(alice, bob);
    a.feed(frame);
    CHECK(a.link.failed() == framing);
    const bool passed_on = !framing && body.front() > std::byte{1};
    CHECK(a.messages.size() == (passed_on ? 1 : 0));
    if (passed_on) CHECK(a.messages[0] == axl::to_hex(body));
  }
}

TEST_CASE("link: an oversize length closes before a byte of the body", "[link]") {
  auto a = established_end(alice, bob);
  a.feed(axl::from_hex("ff8008").value());
  CHECK(a.link.failed());
  CHECK_FALSE(a.failure().empty());
  CHECK(a.failures[0].error.is(axl::Errc::too_large));
}

TEST_CASE("link: random bytes after the handshake never do more than close", "[link]") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    axl::crypto::SeededRng rng{seed};
    axl::Bytes garbage(3000);
    rng.fill(garbage);
    auto a = established_end(alice, bob);
    a.feed(garbage, t0, 1 + seed % 100);
    for (const auto& message : a.messages) CHECK(message.size() <= 2 * garbage.size());
  }
}
