#include <axl/key.hpp>
#include <catch2/catch_test_macros.hpp>

#include "vectors.hpp"

using axl::PrivateKey;
using axl::test::text;

namespace {

constexpr std::string_view kPem =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIMsXXxYDtkOe+gaVnPYSnXMvnY8ooC1iNzsb+YMgDOsm\n"
    "-----END PRIVATE KEY-----\n";

std::string replaced(std::string_view what, std::string_view by) {
  std::string pem{kPem};
  return pem.replace(pem.find(what), what.size(), by);
}

}  // namespace

TEST_CASE("private key: every golden PEM text gives its key or is refused", "[crypto]") {
  for (auto c : axl::test::load_vectors("session/keys_pem.json")["cases"].get_array()) {
    CAPTURE(text(c["note"]));
    const auto key = PrivateKey::from_pem(text(c["pem"]));
    if (axl::test::has(c, "error")) {
      CHECK_FALSE(key);
      continue;
    }
    REQUIRE(key);
    CHECK(key->public_key().to_hex() == text(c["public_key"]));
    CHECK(axl::to_hex(key->secret_bytes()) == text(c["private_key"]));
    const auto seed = axl::test::hex(c["seed"]);
    const auto same = PrivateKey::from_seed(std::span<const std::byte, 32>{seed});
    CHECK(same.public_key() == key->public_key());
    CHECK(PrivateKey::from_pem(key->to_pem()).value().public_key() == key->public_key());
    if (text(c["note"]) == "PKCS#8 v1 as exported") CHECK(key->to_pem() == text(c["pem"]));
  }
}

TEST_CASE("private key: the hex form of a config is read, in either case", "[crypto]") {
  const auto example = axl::test::load_vectors("session/keys_pem.json")["tls_certificate_example"];
  std::string digits{text(example["private_key"])};
  CHECK(PrivateKey::from_hex(digits).value().public_key().to_hex() == text(example["public_key"]));
  for (auto& digit : digits) digit = static_cast<char>(std::toupper(digit));
  CHECK(PrivateKey::from_hex(digits));

  SECTION("but not with a public half that is not the seed's, which would leak the key when signing") {
    digits.back() = digits.back() == '0' ? '1' : '0';
    CHECK_FALSE(PrivateKey::from_hex(digits));
  }
  SECTION("nor with any other length") {
    CHECK_FALSE(PrivateKey::from_hex(digits.substr(0, 64)));
    CHECK_FALSE(PrivateKey::from_hex(digits.substr(0, 127)));
    CHECK_FALSE(PrivateKey::from_hex(digits + "00"));
    CHECK_FALSE(PrivateKey::from_hex(""));
  }
  SECTION("nor with other characters") {
    digits[5] = 'x';
    CHECK_FALSE(PrivateKey::from_hex(digits));
    digits[5] = ' ';
    CHECK_FALSE(PrivateKey::from_hex(digits));
  }
}

TEST_CASE("private key: only a whole first PEM block counts", "[crypto]") {
  REQUIRE(PrivateKey::from_pem(kPem));
  CHECK_FALSE(PrivateKey::from_pem(""));
  CHECK_FALSE(PrivateKey::from_pem(replaced("-----END PRIVATE KEY-----\n", "")));
  CHECK_FALSE(PrivateKey::from_pem(replaced("END PRIVATE", "END PUBLIC")));
  CHECK_FALSE(PrivateKey::from_pem(replaced("MC4C", "MC!C")));
  CHECK_FALSE(PrivateKey::from_pem(replaced("-----BEGIN", "x-----BEGIN")));
  CHECK_FALSE(PrivateKey::from_pem(std::string{"-----BEGIN PRIVATE KEY-----\n"} + std::string(100'000, 'A')));
  for (std::size_t cut = 0; cut < kPem.find("-----END") + 20; ++cut) {
    CHECK_FALSE(PrivateKey::from_pem(kPem.substr(0, cut)));
  }
}

TEST_CASE("private key: an attached public key must be the seed's", "[crypto]") {
  std::string pem;
  for (auto c : axl::test::load_vectors("session/keys_pem.json")["cases"].get_array()) {
    if (text(c["note"]).starts_with("PKCS#8 v2")) pem = text(c["pem"]);
  }
  REQUIRE(PrivateKey::from_pem(pem));
  const auto at = pem.find("\ngSEA") + 10;
  pem[at] = pem[at] == 'A' ? 'B' : 'A';
  CHECK_FALSE(PrivateKey::from_pem(pem));
}

TEST_CASE("private key: fresh keys differ", "[crypto]") {
  CHECK(PrivateKey::generate().public_key() != PrivateKey::generate().public_key());
}
