#include <algorithm>
#include <array>
#include <axl/key.hpp>
#include <catch2/catch_test_macros.hpp>
#include <unordered_map>
#include <unordered_set>

#include "crypto/partial_key.hpp"
#include "crypto/transform.hpp"
#include "vectors.hpp"

using axl::Address;
using axl::PublicKey;
using axl::Subnet;
using axl::test::text;

namespace {

Address address_of_hex(std::string_view digits) {
  const auto bytes = axl::from_hex(digits).value();
  return Address{std::span<const std::byte, Address::kSize>{bytes}};
}

Subnet subnet_of_hex(std::string_view digits) {
  const auto bytes = axl::from_hex(digits).value();
  return Subnet{std::span<const std::byte, Subnet::kSize>{bytes}};
}

}  // namespace

TEST_CASE("address: every golden key gives its address, subnet, partial keys and transform", "[crypto]") {
  int seen = 0;
  for (auto c : axl::test::load_vectors("session/address.json")["cases"].get_array()) {
    CAPTURE(text(c["public_key"]));
    const auto key = PublicKey::from_hex(text(c["public_key"])).value();
    const auto address = Address::of(key);
    const auto subnet = Subnet::of(key);
    CHECK(axl::to_hex(address.bytes()) == text(c["address"]));
    CHECK(address.to_string() == text(c["address_text"]));
    CHECK(axl::to_hex(subnet.bytes()) == text(c["subnet"]));
    CHECK(subnet.to_string() == text(c["subnet_text"]));
    CHECK(address.partial_key().to_hex() == text(c["partial_key_from_address"]));
    CHECK(subnet.partial_key().to_hex() == text(c["partial_key_from_subnet"]));
    const auto transformed = axl::crypto::transform(key);
    CHECK(transformed.to_hex() == text(c["bloom_transform"]));
    CHECK(axl::crypto::transform(transformed) == transformed);
    if (axl::test::has(c, "seed")) {
      const auto seed = axl::test::hex(c["seed"]);
      CHECK(axl::PrivateKey::from_seed(std::span<const std::byte, 32>{seed}).public_key() == key);
    }
    ++seen;
  }
  CHECK(seen == 63);
}

TEST_CASE("address: every golden address and subnet gives back its partial key, extremes included", "[crypto]") {
  const auto root = axl::test::load_vectors("session/address_reverse.json");
  for (auto c : root["addresses"].get_array()) {
    const auto address = address_of_hex(text(c["address"]));
    CHECK(address.to_string() == text(c["address_text"]));
    CHECK(address.partial_key().to_hex() == text(c["partial_key"]));
  }
  for (auto c : root["subnets"].get_array()) {
    CHECK(subnet_of_hex(text(c["subnet"])).partial_key().to_hex() == text(c["partial_key"]));
  }
}

TEST_CASE("address: other addresses give other partial keys, and the same one always the same", "[crypto]") {
  std::unordered_map<Address, PublicKey> partial;
  std::unordered_set<PublicKey> seen;
  for (auto c : axl::test::load_vectors("session/address.json")["cases"].get_array()) {
    const auto address = Address::of(PublicKey::from_hex(text(c["public_key"])).value());
    const auto key = address.partial_key();
    CHECK(key == address_of_hex(text(c["address"])).partial_key());
    CHECK(Address::of(key) == address);
    const auto [entry, added] = partial.emplace(address, key);
    CHECK(entry->second == key);
    if (added) CHECK(seen.insert(key).second);
  }
  CHECK(partial.size() > 50);
}

TEST_CASE("address: the text compresses the first longest run of two or more zero groups", "[crypto]") {
  CHECK(address_of_hex("02000000000000000000000000000000").to_string() == "200::");
  CHECK(address_of_hex("02010000000000010000000000000001").to_string() == "201:0:0:1::1");
  CHECK(address_of_hex("02010000000000010002000000000001").to_string() == "201::1:2:0:0:1");
  CHECK(address_of_hex("02010000000200030004000500060007").to_string() == "201:0:2:3:4:5:6:7");
  CHECK(address_of_hex("00000000000000000000000000000001").to_string() == "::1");
  CHECK(address_of_hex("00000000000000000000000000000000").to_string() == "::");
  CHECK(subnet_of_hex("0301fac300000001").to_string() == "301:fac3:0:1::/64");
}

TEST_CASE("public key: only 64 hexadecimal digits make one", "[crypto]") {
  const std::string digits(64, 'A');
  CHECK(PublicKey::from_hex(digits).value().to_hex() == std::string(64, 'a'));
  CHECK_FALSE(PublicKey::from_hex(digits.substr(1)));
  CHECK_FALSE(PublicKey::from_hex(digits + "0"));
  CHECK_FALSE(PublicKey::from_hex(std::string(63, 'a') + "g"));
  CHECK_FALSE(PublicKey::from_hex(""));
}

TEST_CASE("public key: keys and addresses work in hash tables", "[crypto]") {
  std::unordered_set<PublicKey> keys;
  std::unordered_set<Address> addresses;
  for (auto c : axl::test::load_vectors("session/address.json")["cases"].get_array()) {
    const auto key = PublicKey::from_hex(text(c["public_key"])).value();
    keys.insert(key);
    CHECK(keys.contains(key));
    addresses.insert(Address::of(key));
    CHECK(addresses.contains(Address::of(key)));
  }
  CHECK(keys.size() > 60);
}

TEST_CASE("public key: a partial one is told from others with the same address", "[crypto]") {
  for (std::size_t zeros = 0; zeros <= 256; ++zeros) {
    CAPTURE(zeros);
    std::array<std::byte, PublicKey::kSize> bits{};
    for (std::size_t bit = zeros; bit < 256; ++bit) {
      if (bit == zeros || bit % 3 != 0) bits[bit / 8] |= std::byte{0x80} >> (bit % 8);
    }
    const PublicKey key{bits};
    CHECK(axl::is_partial(key) == (Address::of(key).partial_key() == key));
    const auto partial = Address::of(key).partial_key();
    CHECK(axl::is_partial(partial) == (Address::of(partial).partial_key() == partial));
    if (zeros < 256) CHECK(axl::is_partial(partial));
    for (std::size_t bit = 0; bit < 256; ++bit) {
      auto other = bits;
      std::ranges::copy(partial.bytes(), other.begin());
      other[bit / 8] ^= std::byte{0x80} >> (bit % 8);
      const PublicKey changed{other};
      CHECK(axl::is_partial(changed) == (Address::of(changed).partial_key() == changed));
    }
  }
}
