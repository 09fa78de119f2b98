#include "a2a/agent_skills.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace axl;
using namespace axl::a2a;

namespace {

constexpr std::string_view kList = R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})";

std::string read(std::vector<Part> parts) {
  Message message;
  message.id = "m";
  message.parts = std::move(parts);
  const auto request = read_skill_request(message);
  if (request) return request->service + "|" + request->request;
  CHECK(request.error().is(Errc::malformed));
  return request.error().text();
}

std::string read_text(std::string_view text) {
  return read({{.kind = Part::Kind::text, .content = std::string{text}}});
}

}  // namespace

TEST_CASE("skills: a message names a service and a request, or is the request alone", "[a2a]") {
  const std::string list{kList};
  CHECK(read_text(R"({"service":"weather","request":)" + list + "}") == "weather|" + list);
  CHECK(read_text(" { \"request\" : " + list + ",\"more\":1, \"service\":\"w\\u0065ather\" }\n") == "weather|" + list);
  CHECK(read_text(R"({"request":)" + list + "}") == "|" + list);
  CHECK(read_text(list) == "|" + list);
  CHECK(read_text(" " + list + "\n") == "|" + list);
  CHECK(read({{.kind = Part::Kind::data, .content = R"({"service":"s","request":)" + list + "}"}}) == "s|" + list);
}

TEST_CASE("skills: what is no request is told to the sender", "[a2a]") {
  for (const auto* text : {"hello", "{", "{'service':'s'}", "\xff"})
    CHECK(read_text(text) == "The message is not JSON");
  for (const auto* text : {"[]", "5", "null", R"("text")"})
    CHECK(read_text(text) == "The message is not a JSON object");
  for (const auto* text : {"{}", R"({"service":"s"})", R"({"query":"rain?"})"}) {
    CHECK(read_text(text) == "No 'request' in the message");
  }
  CHECK(read_text(R"({"service":"s","request":"tools/list"})") == "'request' must be a JSON-RPC object");
  CHECK(read_text(R"({"service":5,"request":{}})") == "'service' must be a text");
  CHECK(read_text("") == "The message is empty");
  CHECK(read_text(" \n") == "The message is empty");
  CHECK(read({}) == "The message is empty");
}

TEST_CASE("skills: the first part that holds a request counts", "[a2a]") {
  const std::string list{kList};
  const auto text = [](std::string content) { return Part{.kind = Part::Kind::text, .content = std::move(content)}; };
  CHECK(read({text("please:"), text(""), text(list), text("{}")}) == "|" + list);
  CHECK(read({text("please"), text("{}")}) == "No 'request' in the message");
}

TEST_CASE("skills: the card has one for each service, or one that waits for services", "[a2a]") {
  AgentIdentity identity{.version = "1.2", .url = "http://h/a2a"};
  const auto none = encode_agent_card(identity, {});
  CHECK(none.starts_with(R"({"name":"AXL A2A Agent","description":)"));
  CHECK(none.find(R"("version":"1.2")") != std::string::npos);
  CHECK(none.find(R"("skills":[{"id":"mcp_proxy","name":"MCP Proxy",)") != std::string::npos);
  CHECK(none.find(R"("capabilities":{"streaming":true,"pushNotifications":false})") != std::string::npos);
  CHECK(none.find(
            R"("defaultInputModes":["text","application/json"],"defaultOutputModes":["text","application/json"])") !=
        std::string::npos);

  identity.name = "Mine, \"quoted\"";
  identity.description = "d";
  const auto two = encode_agent_card(identity, {"weather", "code search"});
  CHECK(two.starts_with(R"({"name":"Mine, \"quoted\"","description":"d",)"));
  CHECK(two.find("mcp_proxy") == std::string::npos);
  CHECK(two.find(R"("skills":[{"id":"weather","name":"Weather Service",)") != std::string::npos);
  CHECK(two.find(R"("tags":["weather","mcp"],"examples":["{\"service\":\"weather\",\"request\":)") !=
        std::string::npos);
  CHECK(two.find(R"({"id":"code search","name":"Code Search Service",)") != std::string::npos);
}
