#include "a2a/envelope.hpp"

#include <catch2/catch_test_macros.hpp>

using axl::as_bytes;
using namespace axl::a2a;

TEST_CASE("a2a envelope: written compactly, members in order, the JSON untouched", "[a2a]") {
  CHECK(encode_request(R"({ "id":1 })") == R"({"a2a":true,"request":{ "id":1 }})");
  CHECK(encode_card_request() == R"({"a2a":true,"agent_card":true,"request":null})");
  CHECK(encode_answer("{}") == R"({"a2a":true,"response":{}})");
  CHECK(encode_error("off") == R"({"a2a":true,"response":null,"error":"off"})");
}

TEST_CASE("a2a envelope: both requests are read back", "[a2a]") {
  const auto card = read_request(as_bytes(encode_card_request()));
  REQUIRE(card);
  CHECK(card->agent_card);
  const auto request = read_request(as_bytes(R"({ "request" : {"x": [1,2]} ,"a2a":true})"));
  REQUIRE(request);
  CHECK_FALSE(request->agent_card);
  CHECK(request->request == R"({"x": [1,2]})");
}

TEST_CASE("a2a envelope: anything but the exact shape is no envelope of that shape", "[a2a]") {
  for (const auto* text : {
           "",
           "{",
           "[]",
           R"({"a2a":false,"request":{}})",
           R"({"a2a":"true","request":{}})",
           R"({"a2a":true})",
           R"({"a2a":true,"request":null})",
           R"({"a2a":true,"request":[]})",
           R"({"a2a":true,"agent_card":false,"request":null})",
           R"({"a2a":true,"agent_card":true,"request":{}})",
           R"({"a2a":true,"agent_card":true})",
           R"({"A2A":true,"request":{}})",
           R"({"a2a":true,"a2a":true,"request":{}})",
           R"({"a2a":true,"service":"s","request":{}})",
       }) {
    INFO(text);
    CHECK_FALSE(read_request(as_bytes(text)));
  }
}

TEST_CASE("a2a envelope: as nodes read, the flag is enough", "[a2a]") {
  const auto request_of = [](std::string_view text) {
    const auto envelope = read_request(as_bytes(text), Shape::loose);
    return envelope ? (envelope->agent_card ? "card " : "") + std::string{envelope->request} : "none";
  };
  CHECK(request_of(R"({"a2a":true})") == "null");
  CHECK(request_of(R"({"x":1,"A2A":true,"request":"r"})") == "\"r\"");
  CHECK(request_of(R"({"a2a":true,"Agent_Card":true})") == "card null");
  CHECK(request_of(R"({"a2a":false,"a2a":true})") == "null");
  CHECK(request_of(R"({"a2a":"true"})") == "none");
  CHECK(request_of(R"({"a2a":true,"agent_card":1})") == "none");
  CHECK(request_of(R"({"a2a":false})") == "none");
  CHECK(request_of(R"({"a2a":null})") == "none");
}

TEST_CASE("a2a envelope: answers are read as nodes read them", "[a2a]") {
  CHECK(read_answer(as_bytes(R"({"a2a":true,"response":{"result": 1.50}})"))->response == R"({"result": 1.50})");
  CHECK(read_answer(as_bytes(R"({"response":[]})"))->response == "[]");
  CHECK(read_answer(as_bytes(R"({"a2a":true,"response":null,"error":"why"})"))->error == "why");
  CHECK(read_answer(as_bytes("{}"))->response == "null");
  CHECK_FALSE(read_answer(as_bytes(R"({"a2a":5})")));
  CHECK_FALSE(read_answer(as_bytes(R"({"a2a":true,"error":1})")));
  CHECK_FALSE(read_answer(as_bytes("[]")));
}

TEST_CASE("a2a: the method tells the version, and whether it streams", "[a2a]") {
  CHECK(version_of("message/send") == Version::v0_3);
  CHECK(version_of("SendMessage") == Version::v1_0);
  for (const auto* method : {"SendStreamingMessage", "SubscribeToTask", "message/stream", "tasks/resubscribe"}) {
    CHECK(is_streaming(method));
  }
  CHECK_FALSE(is_streaming("SendMessage"));
  CHECK_FALSE(is_streaming("message/send"));
}
