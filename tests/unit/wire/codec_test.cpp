#include "wire/codec.hpp"

#include <catch2/catch_test_macros.hpp>

#include "vectors.hpp"

using axl::test::hex;
using axl::test::text;
using axl::test::u64;
using axl::wire::Path;
using axl::wire::Reader;
using axl::wire::UvarintStatus;

namespace {

Path ports(simdjson::dom::element value) {
  Path path;
  for (auto port : value.get_array()) path.push_back(u64(port));
  return path;
}

bool ok(simdjson::dom::element c) { return c["ok"].get_bool().value(); }

}  // namespace

TEST_CASE("uvarint: encodes minimally, as the golden bytes", "[wire]") {
  for (auto c : axl::test::load_vectors("routing/uvarint.json")["encode"].get_array()) {
    axl::Bytes out;
    axl::wire::append_uvarint(out, u64(c["value"]));
    CHECK(axl::to_hex(out) == text(c["hex"]));
    CHECK(axl::wire::uvarint_size(u64(c["value"])) == u64(c["size"]));
    Reader reader{out};
    CHECK(reader.uvarint() == u64(c["value"]));
    CHECK(reader.at_end());
  }
}

TEST_CASE("uvarint: decodes longer forms, refuses overflow and missing bytes", "[wire]") {
  for (auto c : axl::test::load_vectors("routing/uvarint.json")["decode"].get_array()) {
    CAPTURE(text(c["hex"]));
    const auto input = hex(c["hex"]);
    const auto prefix = axl::wire::read_uvarint_prefix(input);
    Reader reader{input};
    const auto value = reader.uvarint();
    REQUIRE(reader.ok() == ok(c));
    REQUIRE((prefix.status == UvarintStatus::complete) == ok(c));
    if (!ok(c)) {
      CHECK((prefix.status == UvarintStatus::need_more) == (input.size() < axl::wire::kMaxUvarintSize));
      CHECK(reader.rest().empty());
      continue;
    }
    CHECK(value == u64(c["value"]));
    CHECK(prefix.value == value);
    CHECK(prefix.size == u64(c["consumed"]));
    CHECK(input.size() - reader.rest().size() == u64(c["consumed"]));
  }
}

TEST_CASE("path: encodes and decodes as the golden bytes", "[wire]") {
  const auto root = axl::test::load_vectors("routing/uvarint.json");
  for (auto c : root["path_encode"].get_array()) {
    const auto path = ports(c["ports"]);
    axl::Bytes out;
    axl::wire::append_path(out, path);
    CHECK(axl::to_hex(out) == text(c["hex"]));
    CHECK(axl::wire::path_size(path) == u64(c["size"]));
  }
  for (auto c : root["path_decode"].get_array()) {
    CAPTURE(text(c["hex"]));
    const auto input = hex(c["hex"]);
    Reader reader{input};
    const auto path = reader.path();
    REQUIRE(reader.ok() == ok(c));
    if (!ok(c)) continue;
    CHECK(path == ports(c["ports"]));
    CHECK(input.size() - reader.rest().size() == u64(c["consumed"]));
  }
}

TEST_CASE("reader: integers are big-endian, and a failed read fails all that follow", "[wire]") {
  const auto input = axl::from_hex("010203040506070809aabbccddeeff0011").value();
  Reader reader{input};
  CHECK(reader.u8() == 0x01);
  CHECK(reader.u16() == 0x0203);
  CHECK(reader.u32() == 0x04050607);
  CHECK(reader.u64() == 0x0809aabbccddeeffU);
  CHECK(reader.bytes(3).empty());
  CHECK_FALSE(reader.ok());
  CHECK(reader.at_end());
  CHECK(reader.u8() == 0);
  CHECK(reader.u16() == 0);
  CHECK(reader.key() == axl::PublicKey{});
  CHECK(reader.signature() == axl::crypto::Signature{});
  CHECK_FALSE(reader.ok());
}
