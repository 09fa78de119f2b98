#include "wire/meta.hpp"

#include <catch2/catch_test_macros.hpp>
#include <set>

#include "vectors.hpp"

using axl::test::hex;
using axl::test::text;
using axl::test::u64;
using axl::wire::decode_meta;

namespace {

axl::Bytes with_length(axl::Bytes message, std::size_t length) {
  message[4] = std::byte{static_cast<std::uint8_t>(length >> 8)};
  message[5] = std::byte{static_cast<std::uint8_t>(length)};
  return message;
}

}  // namespace

TEST_CASE("meta: is encoded as the golden messages, and read back", "[wire]") {
  for (auto c : axl::test::load_vectors("session/meta.json")["encode"].get_array()) {
    const auto seed = hex(c["seed"]);
    const auto password = hex(c["password"]);
    const auto key = axl::PrivateKey::from_seed(std::span<const std::byte, 32>{seed});
    const auto priority = static_cast<std::uint8_t>(u64(c["priority"]));
    const auto message = axl::wire::encode_meta(key, priority, password);
    CHECK(axl::to_hex(message) == text(c["bytes"]));
    const auto decoded = decode_meta(message, password);
    REQUIRE(decoded);
    REQUIRE(decoded->meta);
    CHECK(*decoded->meta == axl::wire::Meta{key.public_key(), priority});
    CHECK(decoded->size == message.size());
  }
}

TEST_CASE("meta: golden messages are accepted or refused as a strict reader must", "[wire]") {
  for (auto c : axl::test::load_vectors("session/meta.json")["decode"].get_array()) {
    CAPTURE(text(c["note"]));
    const auto message = hex(c["bytes"]);
    const auto decoded = decode_meta(message, hex(c["password"]));
    const bool accept = text(c["expect"]) == "accept";
    REQUIRE(decoded.ok() == accept);
    if (accept) {
      REQUIRE(decoded->meta);
      CHECK(decoded->meta->key.to_hex() == text(c["public_key"]));
      CHECK(decoded->meta->priority == u64(c["priority"]));
      CHECK(decoded->size == message.size());
    }
    if (text(c["reference_0_5_12"]) == "password does not match remote side") {
      CHECK(decoded.error().text() == text(c["reference_0_5_12"]));
    }
  }
}

TEST_CASE("meta: every prefix asks for more, and what follows is left alone", "[wire]") {
  const auto golden = hex(axl::test::load_vectors("session/meta.json")["encode"].at(0)["bytes"]);
  for (std::size_t cut = 0; cut < golden.size(); ++cut) {
    const auto partial = decode_meta(axl::ByteSpan{golden}.first(cut), {});
    REQUIRE(partial);
    CHECK_FALSE(partial->meta);
  }
  auto longer = golden;
  longer.push_back(std::byte{1});
  CHECK(decode_meta(longer, {})->size == golden.size());
}

TEST_CASE("meta: strangers are told apart by the first wrong byte", "[wire]") {
  const auto error = decode_meta(axl::as_bytes("G"), {});
  REQUIRE_FALSE(error);
  CHECK(error.error().text() == "invalid handshake, remote side is not Yggdrasil");
  CHECK_FALSE(decode_meta(axl::as_bytes("metb"), {}));
}

TEST_CASE("meta: the length is bounded before its bytes are waited for", "[wire]") {
  const auto golden = hex(axl::test::load_vectors("session/meta.json")["encode"].at(0)["bytes"]);
  for (const std::size_t length : {0U, 63U, 1025U, 65535U}) {
    const auto message = with_length(golden, length);
    const auto result = decode_meta(axl::ByteSpan{message}.first(6), {});
    REQUIRE_FALSE(result);
    CHECK(result.error().text() == "invalid handshake length, possible version mismatch");
  }
  const auto longest = with_length(golden, 1024);
  CHECK(decode_meta(axl::ByteSpan{longest}.first(6), {}));
}

TEST_CASE("meta: no changed byte is accepted but of what is neither signed nor needed", "[wire]") {
  const auto golden = hex(axl::test::load_vectors("session/meta.json")["encode"].at(0)["bytes"]);
  const std::size_t priority_at = golden.size() - 65;
  // The types of the major version and of the priority: both fields count as 0 when they are absent.
  const std::set<std::size_t> harmless{6, 7, priority_at - 4, priority_at - 3, priority_at};
  for (std::size_t at = 0; at < golden.size(); ++at) {
    if (harmless.contains(at)) continue;
    auto message = golden;
    message[at] ^= std::byte{0x10};
    const auto result = decode_meta(message, {});
    CAPTURE(at);
    CHECK((!result || !result->meta));
  }
}
