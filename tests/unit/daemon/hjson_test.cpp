#include "hjson.hpp"

#include <catch2/catch_test_macros.hpp>

#include "config_text.hpp"

using axl::daemon::Array;
using axl::daemon::Object;
using axl::daemon::parse_hjson;
using axl::daemon::to_json;
using axl::daemon::Value;

namespace {

std::string json(std::string_view text) {
  const auto object = parse_hjson(text);
  return object ? to_json(Value{*object, 0}) : "error: " + object.error().text();
}

}  // namespace

TEST_CASE("hjson: valid JSON means what JSON says", "[daemon]") {
  CHECK(json(R"({"a":"x","b":19333,"c":-1.5e3,"d":[true,false,null,[],{}],"e":{"f":"\u00e9\ud83d\ude00\n\/"}})") ==
        "{\"a\":\"x\",\"b\":19333,\"c\":-1500,\"d\":[true,false,null,[],{}],\"e\":{\"f\":"
        "\"\xC3\xA9\xF0\x9F\x98\x80\\u000a/\"}}");
  CHECK(json("{}") == "{}");
  CHECK(json(R"({"PrivateKeyPath":"k.pem","api_port":19333})") == R"({"PrivateKeyPath":"k.pem","api_port":19333})");
}

TEST_CASE("hjson: comments, bare keys, trailing commas, an outer object without braces", "[daemon]") {
  CHECK(json("{\n # one\n a: 1 // two\n /* three\n lines */ b: 2,\n 'c': [1, 2,],\n}") == R"({"a":1,"b":2,"c":[1,2]})");
  CHECK(json("a: 1\nb: tls://host:1?key=ab#x\n") == R"({"a":1,"b":"tls://host:1?key=ab#x"})");
  CHECK(json("Peers: [\n tls://a:1\n tls://b:2,\n]") == R"({"Peers":["tls://a:1","tls://b:2"]})");
  CHECK(json("") == "{}");
  CHECK(json("  # nothing\n") == "{}");
}

TEST_CASE("hjson: what only looks like a number is text, as in JSON", "[daemon]") {
  CHECK(json("{a: 007\n b: 1.\n c: +1\n d: 0x10\n e: 9223372036854775807\n f: 1 2\n}") ==
        R"({"a":"007","b":"1.","c":"+1","d":"0x10","e":9223372036854775807,"f":"1 2"})");
  const auto object = parse_hjson("{a: 9223372036854775808}");
  REQUIRE(object);
  CHECK(object->at(0).second.as<double>() != nullptr);
}

TEST_CASE("hjson: errors name the line", "[daemon]") {
  CHECK(json("{") == "error: end of input while reading an object (is a closing '}' missing?) (line 1)");
  CHECK(json("{\n\"a\":1,\n") == "error: end of input while reading an object (is a closing '}' missing?) (line 3)");
  CHECK(json("{\"a\":[1,") == "error: end of input while reading a list (is a closing ']' missing?) (line 1)");
  CHECK(json("{\"a\"\n 1}") == "error: ':' is missing after the key \"a\" (line 2)");
  CHECK(json("{\"a\":}") == "error: unexpected '}' where a value is needed (line 1)");
  CHECK(json("{\"a\":1}}") == "error: unexpected text after the end (line 1)");
  CHECK(json("{\"a\":\"x\n\"}") == "error: a quoted string does not end (line 1)");
  CHECK(json("{\"a\":\"\\x\"}") == "error: an unknown escape in a string (line 1)");
  CHECK(json("{\"a\":\"\\ud800\"}") == "error: a bad \\u escape in a string (line 1)");
  CHECK(json("/* x") == "error: a /* comment does not end (line 1)");
}

TEST_CASE("hjson: nesting is bounded", "[daemon]") {
  std::string deep = "{\"a\":";
  deep.append(100'000, '[');
  CHECK(json(deep) == "error: nested too deeply (line 1)");
}

TEST_CASE("hjson: every truncation of a text is refused or parsed, never worse", "[daemon]") {
  const std::string text = "{\"a\": [1, \"\\u00e9\", {b: tls://x}\n], // c\n \"d\": /* e */ null}";
  for (std::size_t size = 0; size < text.size(); ++size) static_cast<void>(json(text.substr(0, size)));
  CHECK(json(text).starts_with("error"));  // the bare string takes the rest of its line, the brace with it
}

TEST_CASE("config text: byte-order marks", "[daemon]") {
  using axl::as_bytes;
  using axl::daemon::decode_text;
  CHECK(decode_text(as_bytes("\xEF\xBB\xBF{}")).value() == "{}");
  CHECK(decode_text(as_bytes(std::string_view{"\xFF\xFE{\0\xE9\0\x3D\xD8\x00\xDE}\0", 12})).value() ==
        "{\xC3\xA9\xF0\x9F\x98\x80}");
  CHECK(decode_text(as_bytes(std::string_view{"\xFE\xFF\0{\0}", 6})).value() == "{}");
  CHECK_FALSE(decode_text(as_bytes("\xFF\xFE{")));
  CHECK_FALSE(decode_text(as_bytes(std::string_view{"\xFF\xFE\0\xDC", 4})));
  CHECK_FALSE(decode_text(as_bytes(std::string_view{"\xFF\xFE\0\xD8", 4})));
}
