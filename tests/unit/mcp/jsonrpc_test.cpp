#include <axl/mcp.hpp>
#include <catch2/catch_test_macros.hpp>

using axl::as_bytes;
using axl::mcp::JsonRpc;
using axl::mcp::peek;
using Kind = JsonRpc::Kind;

TEST_CASE("json-rpc: the kinds of messages", "[mcp]") {
  const auto kind_of = [](std::string_view text) { return peek(as_bytes(text)).value().kind; };
  CHECK(kind_of(R"({"jsonrpc":"2.0","id":1,"method":"m"})") == Kind::request);
  CHECK(kind_of(R"({"jsonrpc":"2.0","method":"m"})") == Kind::notification);
  CHECK(kind_of(R"({"id":null,"method":"m"})") == Kind::notification);
  CHECK(kind_of(R"({"id":1,"result":{}})") == Kind::response);
  CHECK(kind_of(R"({"id":1,"error":{}})") == Kind::response);
  CHECK(kind_of(R"([{"id":1,"method":"m"}])") == Kind::batch);
  CHECK(kind_of(R"({"method":5})") == Kind::other);
  CHECK(kind_of("null") == Kind::other);
  CHECK(kind_of(R"("text")") == Kind::other);
  CHECK_FALSE(peek(as_bytes("")));
  CHECK_FALSE(peek(as_bytes("{")));
  CHECK_FALSE(peek(as_bytes("hello")));
  CHECK_FALSE(peek(as_bytes("{} {}")));
}

TEST_CASE("json-rpc: the id keeps its bytes", "[mcp]") {
  CHECK(peek(as_bytes(R"({"id": 10000000000000000000001 ,"method":"m"})"))->id == "10000000000000000000001");
  CHECK(peek(as_bytes(R"({"id":"a\u0062","method":"m"})"))->id == R"("a\u0062")");
}

TEST_CASE("json-rpc: what the headers of revision 2026-07-28 repeat", "[mcp]") {
  const auto call = peek(as_bytes(
      R"({"id":1,"method":"tools/call","params":{"name":"add","uri":"u","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}})"));
  CHECK(call->meta_version == "2026-07-28");
  CHECK(call->name == "add");
  CHECK(peek(as_bytes(R"({"id":1,"method":"resources/read","params":{"name":"n","uri":"file:///x"}})"))->name ==
        "file:///x");
  CHECK(peek(as_bytes(R"({"id":1,"method":"prompts/get","params":{"name":"p"}})"))->name == "p");
  const auto list = peek(as_bytes(R"({"id":1,"method":"tools/list","params":{"name":"n","_meta":{"x":1}}})"));
  CHECK_FALSE(list->name);
  CHECK_FALSE(list->meta_version);
  CHECK_FALSE(peek(as_bytes(R"({"id":1,"method":"m","params":[1]})"))->meta_version);
}

TEST_CASE("json-rpc: an error answer carries the id as it was written", "[mcp]") {
  CHECK(axl::mcp::encode_rpc_error("\"a\"", -32603, "no \"way\"") ==
        R"({"jsonrpc":"2.0","id":"a","error":{"code":-32603,"message":"no \"way\""}})");
  CHECK(axl::mcp::encode_rpc_error("", -32601, "x") ==
        R"({"jsonrpc":"2.0","id":null,"error":{"code":-32601,"message":"x"}})");
}
