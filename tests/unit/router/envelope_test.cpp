#include "router/envelope.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace std::string_view_literals;
using axl::as_bytes;
using axl::router::A2aRequest;
using axl::router::classify;
using axl::router::error_envelope;
using axl::router::json_string;
using axl::router::McpRequest;

TEST_CASE("envelope: the exact shapes are envelopes", "[router]") {
  const auto mcp = classify(as_bytes(R"({"service":"svc","request":{"jsonrpc":"2.0","id":1,"method":"tools/list"}})"));
  REQUIRE(mcp);
  CHECK(std::get<McpRequest>(*mcp).service == "svc");
  CHECK(error_envelope(*mcp, "no \"such\" service") ==
        R"({"service":"svc","response":null,"error":"no \"such\" service"})");

  const auto a2a = classify(as_bytes(R"({"a2a":true,"request":{"jsonrpc":"2.0"}})"));
  REQUIRE(a2a);
  CHECK_FALSE(std::get<A2aRequest>(*a2a).agent_card);
  CHECK(error_envelope(*a2a, "off") == R"({"a2a":true,"response":null,"error":"off"})");

  const auto card = classify(as_bytes(R"({"a2a":true,"agent_card":true,"request":null})"));
  REQUIRE(card);
  CHECK(std::get<A2aRequest>(*card).agent_card);

  CHECK(classify(as_bytes(" {\n \"request\" : {} , \"service\" : \"s\" } ")));
}

TEST_CASE("envelope: anything looser is a plain message", "[router]") {
  for (const auto* text : {
           "",
           "{",
           "{}",
           "[]",
           "null",
           "hello",
           "{\"service\"",
           R"({"service":"svc"})",
           R"({"service":"","request":{}})",
           R"({"service":5,"request":{}})",
           R"({"service":"svc","request":[]})",
           R"({"service":"svc","request":null})",
           R"({"service":"svc","request":"x"})",
           R"({"service":"svc","request":{},"extra":1})",
           R"({"extra":1,"service":"svc","request":{}})",
           R"({"service":"svc","service":"svc","request":{}})",
           R"({"SERVICE":"svc","request":{}})",
           R"({"service":"svc","request":{}} trailing)",
           R"({"service":"svc","request":{}}{"service":"svc","request":{}})",
           R"({"service":"svc","response":{}})",
           R"({"service":"svc","a2a":true,"request":{}})",
           R"({"a2a":false,"request":{}})",
           R"({"a2a":"true","request":{}})",
           R"({"a2a":true})",
           R"({"a2a":true,"request":null})",
           R"({"a2a":true,"agent_card":false,"request":null})",
           R"({"a2a":true,"agent_card":true,"request":{}})",
       }) {
    INFO(text);
    CHECK_FALSE(classify(as_bytes(text)));
  }
}

TEST_CASE("envelope: hostile JSON is a plain message", "[router]") {
  std::string deep = R"({"service":"s","request":{"a":)";
  deep.append(100'000, '[');
  CHECK_FALSE(classify(as_bytes(deep)));
  std::string nested = R"({"service":"s","request":{"a":)" + std::string(5'000, '[') + std::string(5'000, ']') + "}}";
  CHECK_FALSE(classify(as_bytes(nested)));
  CHECK_FALSE(classify(as_bytes("{\"service\":\"\xff\xfe\",\"request\":{}}")));
  CHECK_FALSE(classify(as_bytes("{\"service\":\"a\0\",\"request\":{}}"sv)));
}

TEST_CASE("json string: quotes, control characters and bytes that are not UTF-8", "[router]") {
  CHECK(json_string("a\"b\\c\nd\x01") == R"("a\"b\\c\nd\u0001")");
  CHECK(json_string("h\xC3\xA9") == "\"h\xC3\xA9\"");
  CHECK(json_string("\xF0\x9F\x98\x80") == "\"\xF0\x9F\x98\x80\"");
  CHECK(json_string("\xC3") == "\"\xEF\xBF\xBD\"");
  CHECK(json_string("\xED\xA0\x80") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
  CHECK(json_string("\xC0\x80") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
}
