#include "a2a/agent_skills.hpp"

#include <axl/mcp.hpp>

#include "mcp/json.hpp"

namespace axl::a2a {

namespace {

namespace json = mcp::json;
using json::quote;

constexpr std::string_view kModes = R"(["text","application/json"])";

bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// The first letter of every word is a capital one.
std::string title_of(std::string_view name) {
  std::string out{name};
  bool inside = false;
  for (auto& c : out) {
    if (!is_letter(c)) {
      inside = false;
      continue;
    }
    const bool lower = c >= 'a';
    if (!inside && lower) c = static_cast<char>(c - ('a' - 'A'));
    if (inside && !lower) c = static_cast<char>(c + ('a' - 'A'));
    inside = true;
  }
  return out;
}

std::string example_of(std::string_view service) {
  return R"({"service":)" + quote(service) + R"(,"request":{"jsonrpc":"2.0","id":1,"method":"tools/list"}})";
}

std::string encode_skill(std::string_view id, std::string_view name, std::string_view description,
                         std::string_view tags, std::string_view example) {
  return R"({"id":)" + quote(id) + R"(,"name":)" + quote(name) + R"(,"description":)" + quote(description) +
         R"(,"tags":)" + std::string{tags} + R"(,"examples":[)" + quote(example) + "]}";
}

std::string encode_skills(const std::vector<std::string>& services) {
  std::string out;
  for (const auto& service : services) {
    if (!out.empty()) out += ',';
    out += encode_skill(service, title_of(service) + " Service",
                        "Sends JSON-RPC requests to the MCP service '" + service + "'",
                        "[" + quote(service) + R"(,"mcp"])", example_of(service));
  }
  if (!out.empty()) return out;
  return encode_skill("mcp_proxy", "MCP Proxy", "Sends JSON-RPC requests to an MCP service, once there is one",
                      R"(["mcp","proxy"])", example_of("service"));
}

std::string encode_interface(const AgentIdentity& agent, std::string_view version) {
  return R"({"url":)" + quote(agent.url) + R"(,"protocolBinding":"JSONRPC","protocolVersion":)" + quote(version) + "}";
}

Error malformed(std::string text) { return {Errc::malformed, std::move(text)}; }

Result<SkillRequest> read_object(std::string_view text) {
  const auto service = json::find(text, "service");
  const auto request = json::find(text, "request");
  if (request) {
    if (json::type_of(*request) != json::Type::object) return malformed("'request' must be a JSON-RPC object");
    SkillRequest out{.service = {}, .request = std::string{*request}};
    if (service) {
      auto name = json::text_of(*service);
      if (!name) return malformed("'service' must be a text");
      out.service = std::move(*name);
    }
    return out;
  }
  if (json::find(text, "method")) return SkillRequest{.service = {}, .request = std::string{text}};
  return malformed("No 'request' in the message");
}

}  // namespace

std::string encode_agent_card(const AgentIdentity& agent, const std::vector<std::string>& services) {
  return R"({"name":)" + quote(agent.name) + R"(,"description":)" + quote(agent.description) + R"(,"version":)" +
         quote(agent.version) + R"(,"supportedInterfaces":[)" + encode_interface(agent, "1.0") + "," +
         encode_interface(agent, "0.3") + R"(],"capabilities":{"streaming":true,"pushNotifications":false})" +
         R"(,"defaultInputModes":)" + std::string{kModes} + R"(,"defaultOutputModes":)" + std::string{kModes} +
         R"(,"skills":[)" + encode_skills(services) + R"(],"url":)" + quote(agent.url) +
         R"(,"preferredTransport":"JSONRPC","protocolVersion":"0.3.0"})";
}

Result<SkillRequest> read_skill_request(const Message& message) {
  Error error = malformed("The message is empty");
  for (const auto& part : message.parts) {
    const auto text = json::trim(part.content);
    if (text.empty()) continue;
    if (!json::is_valid(text)) {
      error = malformed("The message is not JSON");
    } else if (json::type_of(text) != json::Type::object) {
      error = malformed("The message is not a JSON object");
    } else {
      auto request = read_object(text);
      if (request) return request;
      error = request.error();
    }
  }
  return error;
}

std::string with_progress_token(std::string_view request, std::string_view token) {
  const auto head = mcp::peek(as_bytes(request));
  const bool takes_one = head && head->kind == mcp::JsonRpc::Kind::request && head->method == "tools/call" &&
                         json::type_of(head->params) == json::Type::object && !json::find(head->params, "_meta");
  if (!takes_one) return std::string{request};
  const auto brace = static_cast<std::size_t>(head->params.data() - request.data());
  const bool empty = !json::Members{head->params}.next();
  std::string out{request.substr(0, brace + 1)};
  out += R"("_meta":{"progressToken":)" + quote(token) + "}";
  if (!empty) out += ',';
  return out.append(request.substr(brace + 1));
}

std::optional<std::string> progress_text(std::string_view notification) {
  const auto head = mcp::peek(as_bytes(notification));
  if (!head || head->method != "notifications/progress") return {};
  const auto progress = json::find(head->params, "progress");
  if (!progress || json::type_of(*progress) != json::Type::number) return {};
  std::string out{*progress};
  const auto total = json::find(head->params, "total");
  if (total && json::type_of(*total) == json::Type::number) out += "/" + std::string{*total};
  const auto message = json::find(head->params, "message");
  const auto text = message ? json::text_of(*message) : std::nullopt;
  return text && !text->empty() ? out + " " + *text : out;
}

}  // namespace axl::a2a
