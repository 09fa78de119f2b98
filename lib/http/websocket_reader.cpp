#include "http/websocket_reader.hpp"

#include <algorithm>
#include <cstring>

#include "core/utf8.hpp"

namespace axl::http {

namespace {

constexpr auto kFin = 0x80U;
constexpr auto kReserved = 0x70U;
constexpr auto kOpcodeBits = 0x0FU;
constexpr auto kMask = 0x80U;
constexpr auto kLengthBits = 0x7FU;
constexpr std::size_t kMaskSize = 4;

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const auto length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace

bool WebSocketReader::fail(WebSocketCode code, std::string_view why) noexcept {
  code_ = code;
  why_ = why;
  return false;
}

std::size_t WebSocketReader::header_wanted() const noexcept {
  if (header_size_ < 2) return 2;
  const auto length = std::to_integer<unsigned>(header_[1]) & kLengthBits;
  return 2 + (length == 126 ? 2U : length == 127 ? 8U : 0U) + kMaskSize;
}

// The two bytes that every frame has.
bool WebSocketReader::check_beginning() {
  const auto first = std::to_integer<unsigned>(header_[0]);
  const auto second = std::to_integer<unsigned>(header_[1]);
  opcode_ = static_cast<std::uint8_t>(first & kOpcodeBits);
  final_ = (first & kFin) != 0;
  if ((first & kReserved) != 0) return fail(WebSocketCode::protocol_error, "reserved bits are set");
  if ((opcode_ & 0x7U) > 2) return fail(WebSocketCode::protocol_error, "unknown opcode");
  if ((second & kMask) == 0) return fail(WebSocketCode::protocol_error, "frames of a client must be masked");
  if (is_control()) {
    if (!final_) return fail(WebSocketCode::protocol_error, "a control frame in fragments");
    if ((second & kLengthBits) > kMaxControlPayload) {
      return fail(WebSocketCode::protocol_error, "a control frame of more than 125 bytes");
    }
    control_size_ = 0;
    return true;
  }
  const bool continues = opcode_ == static_cast<std::uint8_t>(WebSocketOpcode::continuation);
  if (continues != (message_ != Message::none)) {
    return fail(WebSocketCode::protocol_error, continues ? "a continuation of nothing" : "a message within another");
  }
  if (!continues) {
    const bool text = opcode_ == static_cast<std::uint8_t>(WebSocketOpcode::text);
    message_ = text ? Message::text : Message::binary;
    message_size_ = 0;
    text_.clear();
  }
  return true;
}

bool WebSocketReader::check_length(std::uint64_t length) {
  const auto form = std::to_integer<unsigned>(header_[1]) & kLengthBits;
  if ((form == 126 && length < 126) || (form == 127 && (length <= 0xFFFF || length >> 63U != 0))) {
    return fail(WebSocketCode::protocol_error, "a length in a wrong form");
  }
  left_ = length;
  if (is_control()) return true;
  const auto limit = message_ == Message::text ? limits_.text : limits_.binary;
  if (length > limit - message_size_) return fail(WebSocketCode::too_big, "the message is too big");
  message_size_ += static_cast<std::size_t>(length);
  return true;
}

// Takes what there is of the header. False: a violation.
bool WebSocketReader::take_header(ByteSpan input, std::size_t& at) {
  while (at < input.size() && header_size_ < header_wanted()) {
    header_[header_size_++] = input[at++];
    if (header_size_ == 2 && !check_beginning()) return false;
    if (header_size_ < 2 || header_size_ != header_wanted() - kMaskSize) continue;
    std::uint64_t length = std::to_integer<unsigned>(header_[1]) & kLengthBits;
    if (header_size_ > 2) length = 0;
    for (std::size_t i = 2; i < header_size_; ++i) length = length << 8U | std::to_integer<std::uint64_t>(header_[i]);
    if (!check_length(length)) return false;
  }
  if (header_size_ < 2 || header_size_ < header_wanted()) return true;
  std::copy_n(header_.begin() + static_cast<std::ptrdiff_t>(header_size_ - kMaskSize), kMaskSize, mask_.begin());
  mask_at_ = 0;
  in_payload_ = true;
  return true;
}

void WebSocketReader::unmask(MutableByteSpan payload) noexcept {
  std::array<std::byte, 8> turned{};
  for (std::size_t i = 0; i < turned.size(); ++i) turned[i] = mask_[(mask_at_ + i) % kMaskSize];
  std::uint64_t mask = 0;
  std::memcpy(&mask, turned.data(), sizeof mask);
  std::size_t at = 0;
  for (; at + sizeof mask <= payload.size(); at += sizeof mask) {
    std::uint64_t word = 0;
    std::memcpy(&word, payload.data() + at, sizeof word);
    word ^= mask;
    std::memcpy(payload.data() + at, &word, sizeof word);
  }
  for (; at < payload.size(); ++at) payload[at] ^= turned[at % turned.size()];
  mask_at_ = (mask_at_ + payload.size()) % kMaskSize;
}

bool WebSocketReader::end_control(Step& step) {
  step.payload = ByteSpan{control_}.first(control_size_);
  if (opcode_ != static_cast<std::uint8_t>(WebSocketOpcode::close)) {
    step.what = opcode_ == static_cast<std::uint8_t>(WebSocketOpcode::ping) ? What::ping : What::pong;
    return true;
  }
  step.what = What::close;
  over_ = true;
  if (control_size_ == 0) return true;
  if (control_size_ == 1) return fail(WebSocketCode::protocol_error, "half a close code");
  const auto code =
      static_cast<std::uint16_t>(std::to_integer<unsigned>(control_[0]) << 8U | std::to_integer<unsigned>(control_[1]));
  if (!may_be_sent(code)) return fail(WebSocketCode::protocol_error, "a close code that may not be sent");
  step.code = static_cast<WebSocketCode>(code);
  step.payload = step.payload.subspan(2);
  return is_utf8(as_text(step.payload)) || fail(WebSocketCode::invalid_data, "a reason that is not UTF-8");
}

bool WebSocketReader::end_text() {
  return is_utf8(text_) || fail(WebSocketCode::invalid_data, "text that is not UTF-8");
}

WebSocketReader::Step WebSocketReader::read(MutableByteSpan input) {
  Step step;
  if (over_) {
    step.consumed = input.size();
    return step;
  }
  bool good = true;
  while (good && step.what == What::nothing) {
    if (!in_payload_) {
      good = take_header(input, step.consumed);
      if (good && !in_payload_) return step;
      continue;
    }
    const auto available = input.size() - step.consumed;
    const auto piece = input.subspan(step.consumed, static_cast<std::size_t>(std::min<std::uint64_t>(left_, available)));
    if (piece.empty() && left_ > 0) return step;
    unmask(piece);
    step.consumed += piece.size();
    left_ -= piece.size();
    const bool frame_ends = left_ == 0;
    if (frame_ends) {
      in_payload_ = false;
      header_size_ = 0;
    }
    if (is_control()) {
      std::copy(piece.begin(), piece.end(), control_.begin() + static_cast<std::ptrdiff_t>(control_size_));
      control_size_ += piece.size();
      if (frame_ends) good = end_control(step);
      continue;
    }
    const bool message_ends = frame_ends && final_;
    const bool text = message_ == Message::text;
    if (message_ends) message_ = Message::none;
    if (text) {
      text_ += as_text(piece);
      if (!message_ends) continue;
      good = end_text();
      step.what = What::text;
      step.payload = as_bytes(text_);
    } else if (!piece.empty() || message_ends) {
      step.what = What::binary;
      step.payload = piece;
    }
    step.end = message_ends;
  }
  if (!good) {
    over_ = true;
    return {.consumed = input.size(), .what = What::violation, .code = code_, .payload = as_bytes(why_)};
  }
  return step;
}

}  // namespace axl::http
