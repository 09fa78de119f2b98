#include "crypto/signature.hpp"

#include <catch2/catch_test_macros.hpp>

#include "vectors.hpp"

using axl::test::hex;
using axl::test::text;

TEST_CASE("signature: a meta hash is signed with the golden bytes, and verifies", "[crypto]") {
  for (auto c : axl::test::load_vectors("session/meta.json")["encode"].get_array()) {
    const auto seed = hex(c["seed"]);
    const auto key = axl::PrivateKey::from_seed(std::span<const std::byte, 32>{seed});
    const auto message = hex(c["signed_hash"]);
    auto signature = axl::crypto::sign(key, message);
    CHECK(axl::to_hex(signature.bytes) == text(c["signature"]));
    CHECK(axl::crypto::verify(key.public_key(), message, signature));
    signature.bytes[10] ^= std::byte{1};
    CHECK_FALSE(axl::crypto::verify(key.public_key(), message, signature));
  }
}

TEST_CASE("signature: the all-zero key verifies nothing", "[crypto]") {
  CHECK_FALSE(axl::crypto::verify(axl::PublicKey{}, axl::as_bytes("x"), axl::crypto::Signature{}));
}
