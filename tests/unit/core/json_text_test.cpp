#include "core/json_text.hpp"

#include <catch2/catch_test_macros.hpp>

using axl::json::quote;

TEST_CASE("json text: quotes, control characters and bytes that are not UTF-8", "[core]") {
  CHECK(quote("a\"b\\c\nd\x01") == R"("a\"b\\c\nd\u0001")");
  CHECK(quote("h\xC3\xA9") == "\"h\xC3\xA9\"");
  CHECK(quote("\xF0\x9F\x98\x80") == "\"\xF0\x9F\x98\x80\"");
  CHECK(quote("\xC3") == "\"\xEF\xBF\xBD\"");
  CHECK(quote("\xED\xA0\x80") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
  CHECK(quote("\xC0\x80") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
}
