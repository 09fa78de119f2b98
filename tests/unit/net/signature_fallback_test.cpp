#include "net/signature_fallback.hpp"

#include <catch2/catch_test_macros.hpp>

#include "vectors.hpp"

using axl::PublicKey;
using axl::crypto::Signature;

namespace {

Signature signature_at(axl::ByteSpan bytes) {
  Signature signature;
  std::copy_n(bytes.begin(), Signature::kSize, signature.bytes.begin());
  return signature;
}

PublicKey key_at(axl::ByteSpan bytes) { return PublicKey{bytes.first<PublicKey::kSize>()}; }

}  // namespace

TEST_CASE("second opinion: agrees with the network on recorded announcements", "[net]") {
  const auto verify = axl::net::make_routing_verifier();
  std::size_t seen = 0;
  for (const auto entry : axl::test::load_vectors("routing/announce.json")["check"]) {
    const auto name = axl::test::text(entry["name"]);
    CAPTURE(name);
    const auto body = axl::test::hex(entry["body"]);
    const axl::ByteSpan all{body};
    constexpr auto kSignatures = 2 * Signature::kSize;
    if (all.size() < 2 * PublicKey::kSize + kSignatures) continue;
    const auto signed_bytes = all.first(all.size() - kSignatures);
    const auto node = key_at(all);
    const auto parent = key_at(all.subspan(PublicKey::kSize));
    const auto by_parent = signature_at(all.last(kSignatures));
    const auto by_node = signature_at(all.last(Signature::kSize));
    const auto both = verify(parent, signed_bytes, by_parent) && verify(node, signed_bytes, by_node);
    CHECK(both == (axl::net::openssl_verify(parent, signed_bytes, by_parent) &&
                   axl::net::openssl_verify(node, signed_bytes, by_node)));
    // The rule on port 0 is the routing layer's; everything else is a matter of signatures.
    if (name.find("port0") == std::string_view::npos) CHECK(both == bool{entry["valid"]});
    ++seen;
  }
  CHECK(seen >= 5);
}

TEST_CASE("second opinion: a small-order key that libsodium refuses is checked as the network does", "[net]") {
  // The neutral point as key and as R, S = 0: the equation S B = R + h A holds for every message.
  std::array<std::byte, PublicKey::kSize> neutral{std::byte{1}};
  const PublicKey key{neutral};
  Signature signature;
  signature.bytes[0] = std::byte{1};
  const auto message = axl::as_bytes("anything");
  CHECK_FALSE(axl::crypto::verify(key, message, signature));
  CHECK(axl::net::openssl_verify(key, message, signature));
  CHECK(axl::net::make_routing_verifier()(key, message, signature));
}

TEST_CASE("second opinion: wrong signatures, keys off the curve and S beyond the order are refused", "[net]") {
  const auto verify = axl::net::make_routing_verifier();
  const auto key = axl::PrivateKey::generate();
  const auto message = axl::as_bytes("a message");
  const auto good = axl::crypto::sign(key, message);
  CHECK(verify(key.public_key(), message, good));
  CHECK(axl::net::openssl_verify(key.public_key(), message, good));
  CHECK_FALSE(verify(key.public_key(), axl::as_bytes("another"), good));
  for (const std::size_t at : {0U, 31U, 32U, 62U}) {
    auto bad = good;
    bad.bytes[at] ^= std::byte{1};
    CHECK_FALSE(verify(key.public_key(), message, bad));
  }
  auto off_curve = std::array<std::byte, PublicKey::kSize>{std::byte{2}};
  CHECK_FALSE(verify(PublicKey{off_curve}, message, good));
  // S + L is the same number modulo the group order L, and not allowed.
  constexpr std::array<unsigned, 32> kOrder{0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                            0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                            0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
  auto beyond = good;
  unsigned carry = 0;
  for (std::size_t i = 0; i < kOrder.size(); ++i) {
    const auto sum = std::to_integer<unsigned>(beyond.bytes[32 + i]) + kOrder[i] + carry;
    beyond.bytes[32 + i] = static_cast<std::byte>(sum & 0xffU);
    carry = sum >> 8U;
  }
  CHECK_FALSE(verify(key.public_key(), message, beyond));
}
