#include "crypto/box.hpp"

#include <sodium.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <numeric>

#include "crypto/hash.hpp"
#include "crypto/one_time_mac.hpp"
#include "crypto/sodium.hpp"
#include "vectors.hpp"

using axl::crypto::BoxPublicKey;
using axl::crypto::Secret;
using axl::test::hex;
using axl::test::text;

namespace {

Secret secret(simdjson::dom::element value) {
  const auto bytes = hex(value);
  return Secret{std::span<const std::byte, 32>{bytes}};
}

BoxPublicKey box_key(simdjson::dom::element value) {
  BoxPublicKey key;
  std::ranges::copy(hex(value), key.bytes.begin());
  return key;
}

/// Hands out given bytes, as a recorded random source.
class FixedRng final : public axl::Rng {
 public:
  explicit FixedRng(axl::Bytes bytes) : bytes_{std::move(bytes)} {}
  void fill(axl::MutableByteSpan out) override { std::copy_n(bytes_.begin(), out.size(), out.begin()); }

 private:
  axl::Bytes bytes_;
};

}  // namespace

TEST_CASE("box: seals and opens as the golden boxes, in place", "[crypto]") {
  for (auto c : axl::test::load_vectors("session/box.json")["cases"].get_array()) {
    FixedRng rng{hex(c["a_private"])};
    const auto pair = axl::crypto::BoxKeyPair::generate(rng);
    CHECK(axl::to_hex(pair.public_key.bytes) == text(c["a_public"]));
    CHECK(axl::to_hex(pair.private_key.bytes()) == text(c["a_private"]));

    const auto shared = axl::crypto::box_shared(box_key(c["b_public"]), pair.private_key);
    REQUIRE(shared);
    CHECK(axl::to_hex(shared->bytes()) == axl::to_hex(axl::crypto::stream_key(secret(c["shared"])).bytes()));
    const auto other_side = axl::crypto::box_shared(pair.public_key, secret(c["b_private"]));
    REQUIRE(other_side);
    CHECK(axl::to_hex(other_side->bytes()) == axl::to_hex(shared->bytes()));

    const auto nonce = axl::test::u64(c["nonce_u64"]);
    auto data = hex(c["plain"]);
    std::array<std::byte, axl::crypto::kBoxTagSize> tag{};
    axl::crypto::seal_in_place(data, tag, nonce, *shared);
    CHECK(axl::to_hex(tag) + axl::to_hex(data) == text(c["boxed"]));

    const auto sealed = data;
    CHECK_FALSE(axl::crypto::open_in_place(data, tag, nonce + 1, *shared));
    CHECK(data == sealed);
    auto wrong_tag = tag;
    wrong_tag[3] ^= std::byte{4};
    CHECK_FALSE(axl::crypto::open_in_place(data, wrong_tag, nonce, *shared));
    CHECK(data == sealed);
    CHECK(axl::crypto::open_in_place(data, tag, nonce, *shared));
    CHECK(axl::to_hex(data) == text(c["plain"]));
  }
}

TEST_CASE("box: packets of all sizes are those of libsodium", "[crypto]") {
  axl::crypto::SeededRng rng{3};
  const auto ours = axl::crypto::BoxKeyPair::generate(rng);
  const auto theirs = axl::crypto::BoxKeyPair::generate(rng);
  const auto shared = axl::crypto::box_shared(theirs.public_key, ours.private_key).value();
  std::array<unsigned char, crypto_box_BEFORENMBYTES> box_key{};
  REQUIRE(crypto_box_beforenm(box_key.data(), axl::crypto::raw(theirs.public_key.bytes.data()),
                              axl::crypto::raw(ours.private_key.bytes().data())) == 0);
  std::vector<std::size_t> sizes(2'100);
  std::iota(sizes.begin(), sizes.end(), 0);
  for (const std::size_t size : {4'095, 16'199, 16'200, 65'535}) sizes.push_back(size);
  for (const auto size : sizes) {
    CAPTURE(size);
    axl::Bytes plain(size);
    rng.fill(plain);
    const auto nonce = size * 0x0101'0101'0101'0101;
    std::array<unsigned char, crypto_box_NONCEBYTES> full_nonce{};
    for (std::size_t i = 0; i < 8; ++i) full_nonce[23 - i] = static_cast<unsigned char>(nonce >> (8 * i));
    axl::Bytes expected(crypto_box_MACBYTES + size);
    crypto_box_easy_afternm(axl::crypto::raw(expected.data()), axl::crypto::raw(plain.data()), size, full_nonce.data(),
                            box_key.data());

    auto data = plain;
    std::array<std::byte, axl::crypto::kBoxTagSize> tag{};
    axl::crypto::seal_in_place(data, tag, nonce, shared);
    axl::Bytes sealed{tag.begin(), tag.end()};
    sealed.insert(sealed.end(), data.begin(), data.end());
    REQUIRE(sealed == expected);
    if (size > 0) {
      auto damaged = data;
      damaged[size / 2] ^= std::byte{1};
      REQUIRE_FALSE(axl::crypto::open_in_place(damaged, tag, nonce, shared));
      axl::Bytes untouched(size, std::byte{7});
      REQUIRE_FALSE(axl::crypto::open_into(untouched, damaged, tag, nonce, shared));
      REQUIRE(untouched == axl::Bytes(size, std::byte{7}));
    }
    axl::Bytes opened(size);
    REQUIRE(axl::crypto::open_into(opened, data, tag, nonce, shared));
    REQUIRE(opened == plain);
    REQUIRE(axl::crypto::open_in_place(data, tag, nonce, shared));
    REQUIRE(data == plain);
  }
}

TEST_CASE("one-time MAC: the example of RFC 8439, section 2.5.2", "[crypto]") {
  const auto key = axl::from_hex("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b").value();
  std::array<std::byte, axl::crypto::kMacSize> mac{};
  axl::crypto::one_time_mac(mac, axl::as_bytes("Cryptographic Forum Research Group"),
                            std::span<const std::byte, axl::crypto::kMacKeySize>{key});
  CHECK(axl::to_hex(mac) == "a8061dc1305136c6c22b8baf0c0127a9");
}

TEST_CASE("box: Ed25519 keys convert to the golden X25519 pairs", "[crypto]") {
  for (auto c : axl::test::load_vectors("session/ed_to_x25519.json")["cases"].get_array()) {
    const auto seed = hex(c["seed"]);
    const auto key = axl::PrivateKey::from_seed(std::span<const std::byte, 32>{seed});
    CHECK(key.public_key().to_hex() == text(c["ed_public"]));
    auto clamped = hex(c["x25519_private_unclamped"]);
    clamped[0] &= std::byte{0xf8};
    clamped[31] &= std::byte{0x7f};
    clamped[31] |= std::byte{0x40};
    CHECK(axl::to_hex(axl::crypto::to_x25519(key).bytes()) == axl::to_hex(clamped));
    const auto converted = axl::crypto::to_x25519(key.public_key());
    REQUIRE(converted);
    CHECK(axl::to_hex(converted->bytes) == text(c["x25519_public"]));
  }
}

TEST_CASE("box: public keys that no honest node has are not converted", "[crypto]") {
  int seen = 0;
  for (auto c : axl::test::load_vectors("session/ed_to_x25519.json")["odd_points"].get_array()) {
    CAPTURE(text(c["note"]));
    const auto converted = axl::crypto::to_x25519(axl::PublicKey::from_hex(text(c["ed_public"])).value());
    CHECK(converted.has_value() == axl::test::has(c, "libsodium_result"));
    ++seen;
  }
  CHECK(seen == 20);
}

TEST_CASE("box: a peer key that makes the shared secret zero gives none", "[crypto]") {
  axl::crypto::SeededRng rng{1};
  const auto pair = axl::crypto::BoxKeyPair::generate(rng);
  CHECK_FALSE(axl::crypto::box_shared(BoxPublicKey{}, pair.private_key));
}
