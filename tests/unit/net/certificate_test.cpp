#include <catch2/catch_test_macros.hpp>

#include "net/tls.hpp"
#include "vectors.hpp"

TEST_CASE("certificate: the same bytes as the network's, for the same key and start", "[net]") {
  const auto example = axl::test::load_vectors("session/keys_pem.json")["tls_certificate_example"];
  const auto key = axl::PrivateKey::from_hex(axl::test::text(example["private_key"]));
  REQUIRE(key);
  const auto expected = axl::test::hex(example["certificate_der"]);
  // The start is the only thing that does not follow from the key; it stands there as YYMMDDhhmmssZ.
  const auto text = axl::as_text(expected);
  const auto at = text.find("\x17\x0d");
  REQUIRE(at != std::string_view::npos);
  const auto two_digits = [&](std::size_t index) {
    return (text[at + 2 + index] - '0') * 10 + (text[at + 3 + index] - '0');
  };
  const std::chrono::year_month_day date{std::chrono::year{2000 + two_digits(0)},
                                         std::chrono::month{static_cast<unsigned>(two_digits(2))},
                                         std::chrono::day{static_cast<unsigned>(two_digits(4))}};
  const auto start = std::chrono::sys_days{date} + std::chrono::hours{two_digits(6)} +
                     std::chrono::minutes{two_digits(8)} + std::chrono::seconds{two_digits(10)};

  const auto made = axl::net::make_certificate(*key, start);
  REQUIRE(made);
  CHECK(axl::to_hex(*made) == axl::to_hex(expected));
}
