// Reads what the client of a WebSocket sends, one step at a time. RFC 6455, sections 5, 7.4 and 8.1.
//
// Binary messages are handed out in pieces as they come, unmasked where they lie; texts, which are short here, and
// control frames whole. What breaks a rule is a violation with the code to close with: a frame without a mask, reserved
// bits (no extension is negotiated), an unknown opcode, a length in a longer form than needed, a control frame that is
// long or cut up, fragments out of turn, text that is not UTF-8, a message over its limit. A length is judged when it is
// announced, before any byte of it has come. After a violation or a Close frame nothing is read any more.
//
// Pure: no socket, no clock. Memory: one text and one control frame.
#pragma once

#include <array>
#include <axl/bytes.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/websocket_frame.hpp"

namespace axl::http {

class WebSocketReader {
 public:
  struct Limits {
    std::size_t text = 64UL * 1024;  ///< bytes of one message
    std::size_t binary = 16UL * 1024 * 1024;
  };
  enum class What : std::uint8_t {
    nothing,  ///< the input is used up
    text,     ///< a whole message
    binary,   ///< a piece of a message; the last one (`end`) may be empty
    ping,
    pong,
    close,      ///< `code` and payload are the client's
    violation,  ///< `code` and payload are for the Close frame that answers it
  };
  struct Step {
    std::size_t consumed = 0;
    What what = What::nothing;
    bool end = false;
    WebSocketCode code = WebSocketCode::none;
    ByteSpan payload;  ///< in the input or in the reader; valid until either changes
  };

  explicit WebSocketReader(Limits limits) noexcept : limits_{limits} {}

  /// Reads up to the next thing to say. Unmasks within `input`.
  [[nodiscard]] Step read(MutableByteSpan input);

  /// A message has begun and not ended, or a frame has.
  [[nodiscard]] bool in_message() const noexcept { return message_ != Message::none || header_size_ > 0; }

 private:
  enum class Message : std::uint8_t { none, text, binary };

  // Each returns a reason when it finds a violation, with its code in `code_`.
  bool take_header(ByteSpan input, std::size_t& at);
  bool check_beginning();
  bool check_length(std::uint64_t length);
  bool fail(WebSocketCode code, std::string_view why) noexcept;
  void unmask(MutableByteSpan payload) noexcept;
  bool end_control(Step& step);
  bool end_text();

  [[nodiscard]] bool is_control() const noexcept { return (opcode_ & 0x8U) != 0; }
  [[nodiscard]] std::size_t header_wanted() const noexcept;

  Limits limits_;
  std::array<std::byte, 14> header_{};
  std::size_t header_size_ = 0;  // so much of it has come
  bool in_payload_ = false;
  std::uint8_t opcode_ = 0;
  bool final_ = false;             // the frame ends its message
  std::uint64_t left_ = 0;         // of the frame's payload
  std::array<std::byte, 4> mask_{};
  std::size_t mask_at_ = 0;
  Message message_ = Message::none;  // the one under way
  std::size_t message_size_ = 0;     // as announced so far
  std::string text_;
  std::array<std::byte, kMaxControlPayload> control_{};
  std::size_t control_size_ = 0;
  bool over_ = false;
  WebSocketCode code_ = WebSocketCode::none;  // of the violation
  std::string_view why_;
};

}  // namespace axl::http
