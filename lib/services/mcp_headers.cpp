#include "services/mcp_headers.hpp"

#include <algorithm>

namespace axl::services {

namespace {

constexpr std::string_view kPrefix = "=?base64?";
constexpr std::string_view kSuffix = "?=";

std::string base64(std::string_view text) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    const auto byte = [&](std::size_t at) -> std::uint32_t {
      return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
    };
    const auto group = (byte(i) << 16U) | (byte(i + 1) << 8U) | byte(i + 2);
    out += digits[group >> 18U];
    out += digits[(group >> 12U) & 63U];
    out += i + 1 < text.size() ? digits[(group >> 6U) & 63U] : '=';
    out += i + 2 < text.size() ? digits[group & 63U] : '=';
  }
  return out;
}

bool is_plain(std::string_view text) {
  const bool visible = std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
  const bool padded = !text.empty() && (text.front() == ' ' || text.back() == ' ');
  return visible && !padded && !(text.starts_with(kPrefix) && text.ends_with(kSuffix));
}

}  // namespace

http::Headers mcp_headers_of(const mcp::JsonRpc& message) {
  http::Headers headers;
  if (!message.meta_version) return headers;
  headers.add("MCP-Protocol-Version", *message.meta_version);
  if (!message.method.empty()) headers.add("Mcp-Method", encode_mcp_header(message.method));
  if (message.name) headers.add("Mcp-Name", encode_mcp_header(*message.name));
  return headers;
}

http::Headers mcp_headers_of(const McpSession& session) {
  http::Headers headers;
  if (!session.id.empty()) headers.add("Mcp-Session-Id", session.id);
  if (!session.version.empty()) headers.add("MCP-Protocol-Version", session.version);
  return headers;
}

std::string encode_mcp_header(std::string_view text) {
  if (is_plain(text)) return std::string{text};
  return std::string{kPrefix} + base64(text) + std::string{kSuffix};
}

}  // namespace axl::services
