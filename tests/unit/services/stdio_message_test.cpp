#include "services/stdio_message.hpp"

#include <catch2/catch_test_macros.hpp>

using axl::services::id_key;
using axl::services::read_messages;
using axl::services::with_parts;
using Kind = axl::mcp::JsonRpc::Kind;

TEST_CASE("stdio message: kinds, ids and tokens are found where they lie", "[services]") {
  const std::string text =
      R"( {"jsonrpc":"2.0", "params":{"_meta":{"progressToken" : "t"},"id":9}, "id" : 12 ,"method":"m"} )";
  const auto messages = read_messages(text);
  REQUIRE(messages.size() == 1);
  const auto& message = messages[0];
  CHECK(message.kind == Kind::request);
  CHECK(message.id == "12");
  CHECK(message.token == "\"t\"");
  CHECK(message.method == "m");
  CHECK(with_parts(message, {{message.id, "\"x\""}, {message.token, "7"}}) ==
        R"({"jsonrpc":"2.0", "params":{"_meta":{"progressToken" : 7},"id":9}, "id" : "x" ,"method":"m"})");
}

TEST_CASE("stdio message: what names another request is read from where that kind has it", "[services]") {
  CHECK(read_messages(R"({"method":"notifications/progress","params":{"progressToken":3}})").at(0).token == "3");
  CHECK(read_messages(R"({"method":"notifications/cancelled","params":{"requestId":"r"}})").at(0).subject == "\"r\"");
  const auto heard = read_messages(R"({"method":"n","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":4}}})");
  CHECK(heard.at(0).subscription == "4");
  CHECK(read_messages(R"({"id":1,"error":{"code":-32601,"message":"m"}})").at(0).error == -32601);
  CHECK_FALSE(read_messages(R"({"id":1,"result":{}})").at(0).error);
}

TEST_CASE("stdio message: a batch is bounded", "[services]") {
  const auto batch = [](std::size_t count) {
    std::string text{"["};
    for (std::size_t i = 0; i < count; ++i) text += i == 0 ? R"({"method":"a"})" : R"(,{"method":"a"})";
    return text + "]";
  };
  CHECK(read_messages(batch(1'024)).size() == 1'024);
  CHECK(read_messages(batch(1'025)).empty());
}

TEST_CASE("stdio message: a batch is its elements, and one bad element spoils it", "[services]") {
  CHECK(read_messages(R"([{"method":"a"},{"id":1,"method":"b"}])").size() == 2);
  for (const auto* text :
       {"", "[]", "1", "{}", "[1]", R"([{"method":"a"},2])", R"({"method":"a"} x)", "{", "[[{\"method\":\"a\"}]]"}) {
    CAPTURE(text);
    CHECK(read_messages(text).empty());
  }
}

TEST_CASE("stdio message: ids are equal by value and type", "[services]") {
  CHECK(id_key("\"a\"") == id_key(R"("\u0061")"));
  CHECK(id_key("1") != id_key("\"1\""));
  CHECK(id_key("1") == id_key("1"));
}
