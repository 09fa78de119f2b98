#include "bridge/ws_message.hpp"

#include <optional>
#include <string_view>
#include <utility>

#include "bridge/peer_id.hpp"
#include "core/expect.hpp"

namespace axl::bridge {

namespace {

Error bad(std::string text) { return Error{Errc::invalid_argument, std::move(text)}; }

// A length byte and so many bytes of text from the front of `rest`; empty if it is cut short.
std::optional<std::string_view> take_text(ByteSpan& rest) {
  if (rest.empty()) return {};
  const auto size = std::to_integer<std::size_t>(rest[0]);
  if (rest.size() - 1 < size) return {};
  const auto text = as_text(rest.subspan(1, size));
  rest = rest.subspan(1 + size);
  return text;
}

void put_text(Bytes& out, std::string_view text) {
  out.push_back(std::byte{static_cast<std::uint8_t>(text.size())});
  const auto bytes = as_bytes(text);
  out.insert(out.end(), bytes.begin(), bytes.end());
}

}  // namespace

Result<WsMessage> parse_ws_message(ByteSpan bytes) {
  if (bytes.size() < PublicKey::kSize) return bad("The message ends within the destination's key");
  WsMessage out;
  out.peer = PublicKey{bytes.first<PublicKey::kSize>()};
  auto rest = bytes.subspan(PublicKey::kSize);
  const auto id = take_text(rest);
  if (!id) return bad("The message ends within its id");
  const auto topic = take_text(rest);
  if (!topic) return bad("The message ends within its topic");
  if (!id->empty() && !is_name(*id, kMaxMessageIdSize)) return bad("Invalid message id");
  if (!topic->empty() && !is_name(*topic, kMaxTopicSize)) return bad("Invalid topic");
  out.id = *id;
  out.topic = *topic;
  out.body = rest;
  return out;
}

Bytes encode_ws_head(const PublicKey& sender, std::string_view id, std::string_view topic) {
  AXL_EXPECT_OR(id.size() <= kMaxMessageIdSize, id = {});
  AXL_EXPECT_OR(topic.size() <= kMaxTopicSize, topic = {});
  Bytes out;
  out.reserve(PublicKey::kSize + 2 + id.size() + topic.size());
  const auto key = sender.bytes();
  out.insert(out.end(), key.begin(), key.end());
  put_text(out, id);
  put_text(out, topic);
  return out;
}

}  // namespace axl::bridge
