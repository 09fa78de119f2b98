#include "http/websocket_frame.hpp"

#include <array>

#include "core/expect.hpp"

namespace axl::http {

namespace {

constexpr std::size_t kLongestHeader = 10;  // of a frame without a mask
constexpr std::size_t kShortLength = 125;
constexpr std::size_t kMediumLength = 0xFFFF;

std::byte low_byte(std::uint64_t value) noexcept { return std::byte{static_cast<std::uint8_t>(value & 0xFFU)}; }

}  // namespace

bool may_be_sent(std::uint16_t code) noexcept {
  const bool named = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
  return named || (code >= 3000 && code <= 4999);
}

Buffer encode_websocket_frame(WebSocketOpcode opcode, bool end, ByteSpan first, ByteSpan second) {
  const auto size = first.size() + second.size();
  std::array<std::byte, kLongestHeader> header{};
  header[0] = std::byte{static_cast<std::uint8_t>(opcode)} | (end ? std::byte{0x80} : std::byte{0});
  std::size_t header_size = 2;
  if (size <= kShortLength) {
    header[1] = low_byte(size);
  } else {
    const std::size_t length_bytes = size <= kMediumLength ? 2 : 8;
    header[1] = std::byte{length_bytes == 2 ? std::uint8_t{126} : std::uint8_t{127}};
    for (std::size_t i = 0; i < length_bytes; ++i) {
      header[header_size++] = low_byte(static_cast<std::uint64_t>(size) >> (8 * (length_bytes - 1 - i)));
    }
  }
  Buffer out{0, 0, header_size + size};
  out.append(ByteSpan{header}.first(header_size));
  out.append(first);
  out.append(second);
  return out;
}

Buffer encode_websocket_frame(WebSocketOpcode opcode, bool end, ByteSpan payload) {
  return encode_websocket_frame(opcode, end, payload, {});
}

Buffer encode_websocket_close(WebSocketCode code, std::string_view reason) {
  if (code == WebSocketCode::none) return encode_websocket_frame(WebSocketOpcode::close, true, {});
  AXL_EXPECT_OR(reason.size() + 2 <= kMaxControlPayload, reason = {});
  const auto number = static_cast<std::uint16_t>(code);
  const std::array<std::byte, 2> code_bytes{low_byte(number >> 8U), low_byte(number)};
  return encode_websocket_frame(WebSocketOpcode::close, true, code_bytes, as_bytes(reason));
}

}  // namespace axl::http
