#include "mcp/envelope.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace std::string_view_literals;
using axl::as_bytes;
using axl::mcp::encode_answer;
using axl::mcp::encode_error;
using axl::mcp::encode_request;
using axl::mcp::read_answer;
using axl::mcp::read_request;
using axl::mcp::Shape;

TEST_CASE("mcp envelope: written compactly, members in order, the JSON untouched", "[mcp]") {
  CHECK(encode_request("svc", "{ \"id\" : 1e400, \"<\":\"\xC3\xA9\" }") ==
        "{\"service\":\"svc\",\"request\":{ \"id\" : 1e400, \"<\":\"\xC3\xA9\" }}");
  CHECK(encode_answer("a\"b", "null") == R"({"service":"a\"b","response":null})");
  CHECK(encode_error("svc", "no \"such\" service") ==
        R"({"service":"svc","response":null,"error":"no \"such\" service"})");
}

TEST_CASE("mcp envelope: the request is a view into the frame", "[mcp]") {
  const auto frame =
      " {\n \"request\" : { \"method\":\"x\", \"big\":12345678901234567890123 } , \"service\" : \"s\\u00e9\" } "sv;
  const auto envelope = read_request(as_bytes(frame));
  REQUIRE(envelope);
  CHECK(envelope->service == "s\xC3\xA9");
  CHECK(envelope->request == R"({ "method":"x", "big":12345678901234567890123 })");
  CHECK(envelope->request.data() == frame.data() + frame.find("{ \"method"));
}

TEST_CASE("mcp envelope: anything but the exact shape is no envelope of that shape", "[mcp]") {
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
           R"({"service":"svc","request":{"a":tru}})",
       }) {
    INFO(text);
    CHECK_FALSE(read_request(as_bytes(text)));
  }
}

TEST_CASE("mcp envelope: as nodes read, a service's name is enough", "[mcp]") {
  const auto request_of = [](std::string_view text) {
    const auto envelope = read_request(as_bytes(text), Shape::loose);
    return envelope ? envelope->service + "|" + std::string{envelope->request} : "none";
  };
  CHECK(request_of(R"({"service":"svc"})") == "svc|null");
  CHECK(request_of(R"({"SERVICE":"svc","ReQuest":[1, 2]})") == "svc|[1, 2]");
  CHECK(request_of(R"({"x":{"service":5},"service":"svc","request":"text"})") == "svc|\"text\"");
  CHECK(request_of(R"({"service":"a","request":1,"Service":"b","request":2})") == "b|2");
  CHECK(request_of(R"({"service":"a","service":null})") == "a|null");
  CHECK(request_of(R"({"\u0073ervice":"a"})") == "a|null");
  CHECK(request_of(R"({"service":""})") == "none");
  CHECK(request_of(R"({"service":5})") == "none");
  CHECK(request_of(R"({"service":"a","service":5})") == "none");
  CHECK(request_of(R"({"other":"a"})") == "none");
  CHECK(request_of(R"(["service"])") == "none");
  CHECK(request_of(R"({"service":"a"} x)") == "none");
}

TEST_CASE("mcp envelope: answers are read as nodes read them", "[mcp]") {
  const auto answer = read_answer(as_bytes(R"({"more":[{}],"Service":"s","response": {"id":1} ,"error":null})"));
  REQUIRE(answer);
  CHECK(answer->service == "s");
  CHECK(answer->response == R"({"id":1})");
  CHECK_FALSE(answer->error);

  CHECK(read_answer(as_bytes(R"({"response":null})"))->response == "null");
  CHECK(read_answer(as_bytes("{}"))->response == "null");
  CHECK_FALSE(read_answer(as_bytes(R"({"response":null,"error":""})"))->error);
  CHECK(read_answer(as_bytes(R"({"response":null,"ERROR":"a\nb"})"))->error == "a\nb");
  for (const auto* text : {"", "x", "[]", "null", R"({"error":5})", R"({"service":5})", "{\"response\":}", "{"}) {
    INFO(text);
    CHECK_FALSE(read_answer(as_bytes(text)));
  }
}

TEST_CASE("mcp envelope: what was written is read, and each truncation is refused", "[mcp]") {
  const auto request = encode_request("weather/now", R"({"jsonrpc":"2.0","id":"\u0000","method":"tools/list"})");
  const auto read = read_request(as_bytes(request));
  REQUIRE(read);
  CHECK(encode_request(read->service, read->request) == request);
  const auto answer = encode_error("weather", "router error: \x01");
  CHECK(read_answer(as_bytes(answer))->error == "router error: \x01");
  for (std::size_t size = 0; size < request.size(); ++size) {
    CHECK_FALSE(read_request(as_bytes(std::string_view{request}.substr(0, size)), Shape::loose));
  }
  for (std::size_t size = 0; size < answer.size(); ++size) {
    CHECK_FALSE(read_answer(as_bytes(std::string_view{answer}.substr(0, size))));
  }
}

TEST_CASE("mcp envelope: hostile JSON is no envelope", "[mcp]") {
  std::string deep = R"({"service":"s","request":{"a":)";
  deep.append(100'000, '[');
  std::string nested = R"({"service":"s","request":{"a":)" + std::string(5'000, '[') + std::string(5'000, ']') + "}}";
  for (const auto text : {std::string_view{deep}, std::string_view{nested},
                          "{\"service\":\"\xff\xfe\",\"request\":{}}"sv, "{\"service\":\"a\0\",\"request\":{}}"sv}) {
    CHECK_FALSE(read_request(as_bytes(text), Shape::exact));
    CHECK_FALSE(read_request(as_bytes(text), Shape::loose));
  }
}
