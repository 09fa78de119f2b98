#include "mcp/json.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

namespace json = axl::mcp::json;

namespace {
std::vector<std::string> members_of(std::string_view object) {
  std::vector<std::string> out;
  json::Members members{object};
  while (const auto member = members.next()) {
    out.push_back(std::string{member->name} + "=" + std::string{member->value});
  }
  return out;
}
std::vector<std::string> elements_of(std::string_view array) {
  std::vector<std::string> out;
  json::Elements elements{array};
  while (const auto element = elements.next()) out.emplace_back(*element);
  return out;
}
}  // namespace

TEST_CASE("json: members and elements are walked where they lie", "[mcp]") {
  CHECK(members_of(R"( {"a":1 , "b\"":[{"c":"}"},2],"":"x\\","n" : null} )") ==
        std::vector<std::string>{R"("a"=1)", R"("b\""=[{"c":"}"},2])", R"(""="x\\")", R"("n"=null)"});
  CHECK(members_of("{}").empty());
  CHECK(members_of("[1]").empty());
  CHECK(elements_of(R"([ 1, "a,]", {"x":[1,2]} ,[],true])") ==
        std::vector<std::string>{"1", R"("a,]")", R"({"x":[1,2]})", "[]", "true"});
  CHECK(elements_of("[ ]").empty());
  CHECK(elements_of("{}").empty());
}

TEST_CASE("json: all that RFC 8259 allows is JSON, numbers of any size too", "[mcp]") {
  for (const auto* text : {"null", " true ", "false", "0", "-0", "-1.5e+10", "1E-2", "1e400",
                           "123456789012345678901234567890", "\"\"", R"("\u00e9\"\\\/\b\f\n\r\t\ud800")", "[]", "{}",
                           "[[],{}]", R"({"":{"a":[1,2,{"b":null}]},"":0})", "\t[\r\n1 , 2 ] ", "\"\x7f\xC3\xA9\""}) {
    INFO(text);
    CHECK(json::is_valid(text));
  }
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(json::is_valid(nested(json::kMaxDepth)));
  CHECK_FALSE(json::is_valid(nested(json::kMaxDepth + 2)));
}

TEST_CASE("json: all else is none", "[mcp]") {
  for (const auto* text : {"",
                           " ",
                           "nul",
                           "nulll",
                           "True",
                           "01",
                           "-",
                           "+1",
                           ".5",
                           "1.",
                           "1e",
                           "1e+",
                           "0x1",
                           "NaN",
                           "Infinity",
                           "'a'",
                           "\"",
                           "\"a",
                           "\"\n\"",
                           "\"\x01\"",
                           R"("\x41")",
                           R"("\u12")",
                           R"("\u12g4")",
                           R"("\)",
                           "[",
                           "]",
                           "[1",
                           "[1,",
                           "[1,]",
                           "[,]",
                           "[,1]",
                           "[1 2]",
                           "[1}",
                           "{",
                           "}",
                           "{]",
                           "{1:2}",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\" 1}",
                           "{\"a\":1,}",
                           "{\"a\":1,2}",
                           "{,}",
                           "{\"a\":1]",
                           "1 2",
                           "{}{}",
                           "{} x",
                           "[1]]",
                           "// c\n1",
                           "\"\xff\"",
                           "\"\xC3\"",
                           "\"\xED\xA0\x80\"",
                           "\xEF\xBB\xBF{}"}) {
    INFO(text);
    CHECK_FALSE(json::is_valid(text));
  }
  CHECK_FALSE(json::is_valid(std::string_view{"{}\0", 3}));
}

TEST_CASE("json: walking text that is no JSON ends", "[mcp]") {
  for (const auto* text : {"{", "{\"", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":\"", "{\"a\":{", "{,,,", "[",
                           "[,", "[,,1", "[\"", "[[", "[}", "{]", "{\"a\"}}}", "[1 2 3"}) {
    INFO(text);
    CHECK(members_of(text).size() < 10);
    CHECK(elements_of(text).size() < 10);
  }
}

TEST_CASE("json: the last member of a name counts", "[mcp]") {
  CHECK(json::find(R"({"a":1,"b":2,"a":3})", "a") == "3");
  CHECK_FALSE(json::find(R"({"A":1})", "a"));
  CHECK(json::says(R"("M\u0045thod")", "mEthod", true));
  CHECK_FALSE(json::says(R"("Method")", "method"));
}

TEST_CASE("json: the text of a string, escapes and surrogate pairs", "[mcp]") {
  CHECK(json::text_of(R"("a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00")") == "a\"\\/\b\f\n\r\t\xC3\xA9\xF0\x9F\x98\x80");
  CHECK(json::text_of(R"("\ud83dx")") == "\xEF\xBF\xBDx");
  CHECK(json::text_of(R"("\ud83d\u0041")") ==
        "\xEF\xBF\xBD"
        "A");
  CHECK_FALSE(json::text_of("5"));
  CHECK_FALSE(json::text_of("null"));
}
