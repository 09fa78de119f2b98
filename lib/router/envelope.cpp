#include "router/envelope.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace axl::router {

namespace {

constexpr std::size_t kMaxDepth = 128;

bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// The first member's name decides cheaply for nearly every message; only what may be an envelope is parsed.
bool may_be_envelope(std::string_view text) {
  const auto next = [&text] {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  };
  next();
  if (!text.starts_with('{')) return false;
  text.remove_prefix(1);
  next();
  constexpr std::array<std::string_view, 4> kMembers{"\"service\"", "\"request\"", "\"a2a\"", "\"agent_card\""};
  return std::ranges::any_of(kMembers, [text](std::string_view member) { return text.starts_with(member); });
}

struct Members {
  std::optional<simdjson::dom::element> service;
  std::optional<simdjson::dom::element> request;
  std::optional<simdjson::dom::element> a2a;
  std::optional<simdjson::dom::element> agent_card;
};

std::optional<Members> members_of(simdjson::dom::object object) {
  Members members;
  for (const auto field : object) {
    auto* slot = field.key == "service"      ? &members.service
                 : field.key == "request"    ? &members.request
                 : field.key == "a2a"        ? &members.a2a
                 : field.key == "agent_card" ? &members.agent_card
                                             : nullptr;
    if (slot == nullptr || slot->has_value()) return {};
    *slot = field.value;
  }
  return members;
}

bool is_true(const std::optional<simdjson::dom::element>& value) {
  bool flag = false;
  return value && value->get(flag) == simdjson::SUCCESS && flag;
}

// Length of the UTF-8 sequence at the front of `text`, 0 when it is none.
std::size_t utf8_length(std::string_view text) noexcept {
  const auto at = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto first = at(0);
  const std::size_t length = first < 0x80                    ? 1
                             : first >= 0xC2 && first < 0xE0 ? 2
                             : first >= 0xE0 && first < 0xF0 ? 3
                             : first >= 0xF0 && first < 0xF5 ? 4
                                                             : 0;
  if (length == 0 || text.size() < length) return 0;
  std::uint32_t code = length == 1 ? first : first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0U) != 0x80U) return 0;
    code = code << 6U | (at(i) & 0x3FU);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  return overlong || (code >= 0xD800 && code < 0xE000) || code > 0x10FFFF ? 0 : length;
}

}  // namespace

std::optional<Envelope> classify(ByteSpan frame) {
  if (!may_be_envelope(as_text(frame))) return {};
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.allocate(frame.size(), kMaxDepth) != simdjson::SUCCESS) return {};
  if (parser.parse(reinterpret_cast<const char*>(frame.data()), frame.size()).get(object) != simdjson::SUCCESS) {
    return {};
  }
  const auto members = members_of(object);
  if (!members || !members->request) return {};
  if (members->service) {
    std::string_view name;
    if (members->a2a || members->agent_card || !members->request->is_object()) return {};
    if (members->service->get(name) != simdjson::SUCCESS || name.empty()) return {};
    return McpRequest{std::string{name}};
  }
  if (!is_true(members->a2a)) return {};
  if (members->agent_card) {
    if (!is_true(members->agent_card) || !members->request->is_null()) return {};
    return A2aRequest{.agent_card = true};
  }
  if (!members->request->is_object()) return {};
  return A2aRequest{};
}

std::string error_envelope(const Envelope& request, std::string_view error) {
  std::string out;
  if (const auto* mcp = std::get_if<McpRequest>(&request)) {
    out = "{\"service\":" + json_string(mcp->service);
  } else {
    out = "{\"a2a\":true";
  }
  return out + ",\"response\":null,\"error\":" + json_string(error) + "}";
}

std::string json_string(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out{'"'};
  while (!text.empty()) {
    const auto length = utf8_length(text);
    const auto c = text.front();
    if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += kHex[static_cast<unsigned char>(c) >> 4U];
      out += kHex[static_cast<unsigned char>(c) & 15U];
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out + '"';
}

}  // namespace axl::router
