#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <string>

#include "msgpack/reader.hpp"
#include "msgpack/writer.hpp"

using namespace axl;
using namespace axl::msgpack;

namespace {

Bytes hex(std::string_view digits) { return from_hex(digits).value(); }

template <class Write>
std::string written(Write write) {
  Writer out;
  write(out);
  return to_hex(std::move(out).take());
}

template <class T>
T only(std::string_view digits) {
  const auto bytes = hex(digits);
  Reader in{bytes};
  const auto value = in.next();
  REQUIRE(value);
  CHECK(in.at_end());
  const auto* typed = std::get_if<T>(&*value);
  REQUIRE(typed != nullptr);
  return *typed;
}

bool refused(std::string_view digits) {
  const auto bytes = hex(digits);
  Reader in{bytes};
  const bool stays = !in.next() && in.rest().size() == bytes.size();
  return stays;
}

}  // namespace

TEST_CASE("msgpack: whole numbers take the shortest form and come back", "[msgpack]") {
  const std::pair<std::int64_t, const char*> cases[] = {
      {0, "00"},          {127, "7f"},          {128, "cc80"},           {255, "ccff"},
      {256, "cd0100"},    {65'535, "cdffff"},   {65'536, "ce00010000"},  {-1, "ff"},
      {-32, "e0"},        {-33, "d0df"},        {-128, "d080"},          {-129, "d1ff7f"},
      {-32'768, "d18000"}, {-32'769, "d2ffff7fff"}, {INT32_MIN, "d280000000"}, {INT64_MIN, "d38000000000000000"},
      {INT64_MAX, "cf7fffffffffffffff"},
  };
  for (const auto& [value, bytes] : cases) {
    INFO(value);
    CHECK(written([&](Writer& out) { out.integer(value); }) == bytes);
    CHECK(only<std::int64_t>(bytes) == value);
  }
  CHECK(written([](Writer& out) { out.unsigned_integer(UINT64_MAX); }) == "cfffffffffffffffff");
  CHECK(only<std::uint64_t>("cfffffffffffffffff") == UINT64_MAX);
  CHECK(only<std::int64_t>("d3ffffffffffffffff") == -1);
  CHECK(only<std::int64_t>("d07f") == 127);
}

TEST_CASE("msgpack: floats, truth values and nil", "[msgpack]") {
  CHECK(written([](Writer& out) { out.real(1.5).boolean(true).boolean(false).nil(); }) == "cb3ff8000000000000c3c2c0");
  CHECK(only<double>("cb3ff8000000000000") == 1.5);
  CHECK(only<double>("ca3fc00000") == 1.5);
  CHECK(std::isnan(only<double>("cb7ff8000000000000")));
  CHECK(only<bool>("c3"));
  CHECK_FALSE(only<bool>("c2"));
  (void)only<Nil>("c0");
}

TEST_CASE("msgpack: text and bytes of any size are views of the input", "[msgpack]") {
  for (const std::size_t size : {0u, 31u, 32u, 255u, 256u, 65'535u, 65'536u}) {
    INFO(size);
    const std::string text(size, 'x');
    Writer out;
    out.text(text).bytes(as_bytes(text));
    const auto bytes = std::move(out).take();
    Reader in{bytes};
    const auto read = in.text();
    REQUIRE(read);
    CHECK(*read == text);
    const auto raw = in.bytes();
    REQUIRE(raw);
    CHECK(as_text(*raw) == text);
    CHECK(in.at_end());
    CHECK(raw->data() + raw->size() == bytes.data() + bytes.size());
  }
  CHECK(written([](Writer& out) { out.text("ab").bytes(as_bytes("ab")); }) == "a26162c4026162");
  CHECK(refused("a1ff"));    // no UTF-8
  CHECK(refused("a2c328"));  // nor this
}

TEST_CASE("msgpack: maps and arrays announce their size, and skip steps over all of them", "[msgpack]") {
  Writer out;
  out.map(2).text("a").array(3).integer(1).array(0).map(1).nil().real(0.5).text("b").bytes(as_bytes("xyz"));
  out.integer(7);
  const auto bytes = std::move(out).take();
  Reader in{bytes};
  CHECK(in.map().value() == 2);
  CHECK(in.text().value() == "a");
  CHECK(in.skip());
  CHECK(in.text().value() == "b");
  CHECK(in.skip());
  CHECK(in.integer().value() == 7);
  CHECK(in.at_end());
  CHECK_FALSE(in.skip());
  CHECK(written([](Writer& w) { w.array(15).array(16).array(65'536).map(16).map(65'536); }) ==
        "9fdc0010dd00010000de0010df00010000");
}

TEST_CASE("msgpack: a size is not believed before the input is long enough for it", "[msgpack]") {
  for (const auto* bytes : {"dd7fffffff00", "dfffffffff0000", "dc0001", "92c0", "81c0", "c6ffffffff00", "dbffffffff61",
                            "c9ffffffff0100", "c4", "c5ff", "d9", "cb00", "ca000000", "d800", "c1", ""}) {
    INFO(bytes);
    CHECK(refused(bytes));
  }
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += "91";
  const auto nested = hex(deep + "c0");
  Reader in{nested};
  CHECK_FALSE(in.skip());
  CHECK(in.rest().size() == nested.size());
  const auto within = hex(deep.substr(0, 2 * 31) + "c0");
  Reader shallow{within};
  CHECK(shallow.skip());
  CHECK(shallow.at_end());
}

TEST_CASE("msgpack: a value of another kind stays where it is", "[msgpack]") {
  const auto bytes = hex("a161");
  Reader in{bytes};
  CHECK_FALSE(in.integer());
  CHECK_FALSE(in.array());
  CHECK_FALSE(in.map());
  CHECK(in.text().value() == "a");
  const auto ext = only<Ext>("c70205aabb");
  CHECK(ext.type == 5);
  CHECK(ext.bytes.size() == 2);
  CHECK(only<Ext>("d4ff00").type == -1);
}
