// How a message lies in a binary message of `/ws`, the same both ways.
//
//   32 bytes   the key at the other end: whom it is from, or whom it is for
//    1 byte    length of the message's id, then the id
//    1 byte    length of its topic, then the topic
//   the rest   the body
//
// One unit carries all that `/recv` says in headers, so nothing has to be matched with anything, and what was received
// is sent on by changing the key. Towards the node an empty id means: make one; an empty topic: none.
//
// Source: bridge, section 9, row 3.
#pragma once

#include <axl/bytes.hpp>
#include <axl/key.hpp>
#include <axl/message.hpp>
#include <axl/result.hpp>
#include <cstddef>
#include <string>

namespace axl::bridge {

/// What stands before the body, at most.
inline constexpr std::size_t kMaxWsHead = PublicKey::kSize + 1 + kMaxMessageIdSize + 1 + kMaxTopicSize;

struct WsMessage {
  PublicKey peer;
  std::string id;
  std::string topic;
  ByteSpan body;  ///< within what was parsed
};

/// The error's text is for the client.
[[nodiscard]] Result<WsMessage> parse_ws_message(ByteSpan bytes);

/// What stands before the body of a message from `sender`.
[[nodiscard]] Bytes encode_ws_head(const PublicKey& sender, std::string_view id, std::string_view topic);

}  // namespace axl::bridge
