// What both directions of a WebSocket share: opcodes, close codes, and how frames are written. RFC 6455, section 5.
//
// We are always the server: what we write carries no mask, what we read must have one.
#pragma once

#include <axl/bytes.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/buffer.hpp"

namespace axl::http {

enum class WebSocketOpcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

/// Why a WebSocket ends. Section 7.4.1.
enum class WebSocketCode : std::uint16_t {
  none = 0,  ///< a Close frame without a code; never on the wire
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  unsupported = 1003,   ///< a kind of data that is not taken
  invalid_data = 1007,  ///< text that is not UTF-8
  policy = 1008,
  too_big = 1009,
  internal_error = 1011,
};

/// Longest payload of Close, Ping and Pong.
inline constexpr std::size_t kMaxControlPayload = 125;

/// A code that a Close frame may carry: some are names for what no frame says, some belong to nobody.
[[nodiscard]] bool may_be_sent(std::uint16_t code) noexcept;

/// One whole frame. `end`: the message ends with it.
[[nodiscard]] Buffer encode_websocket_frame(WebSocketOpcode opcode, bool end, ByteSpan payload);
/// The same with a payload in two parts.
[[nodiscard]] Buffer encode_websocket_frame(WebSocketOpcode opcode, bool end, ByteSpan first, ByteSpan second);

/// A Close frame. `reason` is UTF-8 for people, at most 123 bytes. Without a code there is no reason either.
[[nodiscard]] Buffer encode_websocket_close(WebSocketCode code, std::string_view reason);

}  // namespace axl::http
