// The frames of a WebSocket's client, and what a server's frames say: for tests, and written apart from the code that
// they test.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace axl::test {

/// A masked frame. `first` is its first byte: 0x80 for the last of a message, and the opcode.
inline std::string client_frame(unsigned first, std::string_view payload, std::string_view mask = "\x37\xfa\x21\x3d") {
  std::string out(1, static_cast<char>(first));
  const auto put = [&out](std::uint64_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
  };
  if (payload.size() < 126) {
    put(0x80U | payload.size(), 1);
  } else if (payload.size() < 65'536) {
    put(0x80U | 126U, 1);
    put(payload.size(), 2);
  } else {
    put(0x80U | 127U, 1);
    put(payload.size(), 8);
  }
  out += mask;
  for (std::size_t i = 0; i < payload.size(); ++i) out += static_cast<char>(payload[i] ^ mask[i % 4]);
  return out;
}

inline std::string client_close(std::uint16_t code, std::string_view reason = {}) {
  return client_frame(0x88, std::string{static_cast<char>(code >> 8U), static_cast<char>(code)}.append(reason));
}

struct ServerFrame {
  unsigned first = 0;
  std::string payload;
};

/// Takes one whole frame of a server from the front of `bytes`.
inline std::optional<ServerFrame> take_server_frame(std::string& bytes) {
  const auto at = [&bytes](std::size_t i) { return static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])); };
  if (bytes.size() < 2) return {};
  std::size_t head = 2;
  std::uint64_t size = at(1);
  const std::size_t more = size == 126 ? 2 : size == 127 ? 8 : 0;
  if (bytes.size() < head + more) return {};
  if (more > 0) size = 0;
  for (std::size_t i = 0; i < more; ++i) size = size << 8U | at(head + i);
  head += more;
  if (bytes.size() - head < size) return {};
  ServerFrame out{static_cast<unsigned>(at(0)), bytes.substr(head, static_cast<std::size_t>(size))};
  bytes.erase(0, head + static_cast<std::size_t>(size));
  return out;
}

}  // namespace axl::test
