#include "crypto/hash.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "vectors.hpp"

using axl::test::hex;
using axl::test::text;

TEST_CASE("hash: BLAKE2b-512 keyed with passwords of any length gives the golden digests", "[crypto]") {
  for (auto c : axl::test::load_vectors("session/meta.json")["encode"].get_array()) {
    CHECK(axl::to_hex(axl::crypto::blake2b512(hex(c["public_key"]), hex(c["password"]))) == text(c["signed_hash"]));
  }
}

TEST_CASE("hash: secrets compare by length and content", "[crypto]") {
  using axl::as_bytes;
  CHECK(axl::crypto::equal_secret(as_bytes("token"), as_bytes("token")));
  CHECK(axl::crypto::equal_secret({}, {}));
  CHECK_FALSE(axl::crypto::equal_secret(as_bytes("token"), as_bytes("tokem")));
  CHECK_FALSE(axl::crypto::equal_secret(as_bytes("token"), as_bytes("toke")));
}

TEST_CASE("rng: a seed repeats its bytes, another seed and the system do not", "[crypto]") {
  const auto draw = [](axl::Rng& rng) {
    axl::Bytes bytes(40);
    rng.fill(bytes);
    return bytes;
  };
  axl::crypto::SeededRng a{7};
  axl::crypto::SeededRng b{7};
  axl::crypto::SeededRng c{8};
  const auto first = draw(a);
  CHECK(first == draw(b));
  CHECK(first != draw(c));
  const auto second = draw(a);
  CHECK(second != first);
  CHECK(second == draw(b));
  axl::crypto::SystemRng system;
  CHECK(draw(system) != draw(system));
}
