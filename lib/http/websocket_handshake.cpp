#include "http/websocket_handshake.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "http/text.hpp"

namespace axl::http {

namespace {

constexpr std::string_view kVersion = "13";
constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t kSha1Size = 20;

// 16 bytes in base64: 22 characters, of which the last carries two bits only, and two signs of padding.
bool is_key(std::string_view key) noexcept {
  const auto in_alphabet = [](char c) {
    const char lower = to_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  };
  return key.size() == 24 && key.ends_with("==") && std::string_view{"AQgw"}.find(key[21]) != std::string_view::npos &&
         std::all_of(key.begin(), key.begin() + 22, in_alphabet);
}

}  // namespace

std::optional<WebSocketRefusal> refuse_websocket(const RequestHead& request) {
  const auto& headers = request.headers;
  const auto bad = [](std::string_view text) { return WebSocketRefusal{.status = 400, .text = text}; };
  if (!request.is("GET")) {
    return WebSocketRefusal{.status = 405, .text = "Method not allowed", .headers = {{"Allow", "GET"}}};
  }
  if (request.version != Version::http_1_1) return bad("A WebSocket needs HTTP/1.1");
  if (!headers.has_token("Upgrade", "websocket")) return bad("This is a WebSocket: missing Upgrade: websocket");
  if (!headers.has_token("Connection", "upgrade")) return bad("This is a WebSocket: missing Connection: Upgrade");
  if (request.has_body()) return bad("A WebSocket handshake has no body");
  const auto version = headers.get("Sec-WebSocket-Version");
  if (!version || *version != kVersion || headers.count("Sec-WebSocket-Version") != 1) {
    return WebSocketRefusal{.status = 426,
                            .text = "The WebSocket version here is 13",
                            .headers = {{"Upgrade", "websocket"}, {"Sec-WebSocket-Version", kVersion}}};
  }
  const auto key = headers.get("Sec-WebSocket-Key");
  if (!key || headers.count("Sec-WebSocket-Key") != 1 || !is_key(*key)) {
    return bad("Sec-WebSocket-Key must be 16 bytes in base64");
  }
  return std::nullopt;
}

std::string websocket_accept(std::string_view key) {
  const auto text = std::string{key}.append(kGuid);
  std::array<unsigned char, kSha1Size> digest{};
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha1(), nullptr) != 1) return {};
  std::array<unsigned char, 32> encoded{};
  const auto size = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(digest.size()));
  return {reinterpret_cast<const char*>(encoded.data()), static_cast<std::size_t>(size)};
}

Headers websocket_answer(const RequestHead& request) {
  const auto key = request.headers.get("Sec-WebSocket-Key").value_or(std::string_view{});
  return {{"Upgrade", "websocket"}, {"Sec-WebSocket-Accept", websocket_accept(key)}};
}

}  // namespace axl::http
