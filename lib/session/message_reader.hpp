// Cuts a byte stream into messages: 4 length bytes, big-endian, then the body. Memory grows as bytes arrive, never by
// what a length announces.
//
// Source: bridge, section 4.
#pragma once

#include <array>
#include <axl/bytes.hpp>
#include <axl/result.hpp>
#include <cstdint>
#include <functional>

#include "core/buffer.hpp"

namespace axl::session {

inline constexpr std::size_t kMessageHeaderSize = 4;

/// The 4 bytes in front of a body of `size` bytes.
[[nodiscard]] std::array<std::byte, kMessageHeaderSize> message_header(std::uint32_t size) noexcept;

class MessageReader {
 public:
  explicit MessageReader(std::size_t max_size) noexcept : max_size_{max_size} {}

  /// Takes bytes; calls `sink` with each body that is complete. Stops early when `sink` returns false; what is left is
  /// then offered again by calling with an empty span. An error (too_large) is final.
  Result<void> read(ByteSpan bytes, const std::function<bool(Bytes body)>& sink);

  /// Some bytes of a message are here, but not all.
  [[nodiscard]] bool inside_message() const noexcept { return header_size_ != 0; }
  /// A stopped sink left bytes here.
  [[nodiscard]] bool has_held_back() const noexcept { return !held_back_.empty(); }
  /// Bytes held: of the body under way, and of what a stopped sink left.
  [[nodiscard]] std::size_t held() const noexcept { return body_.capacity() + held_back_.size(); }

 private:
  Result<bool> take(ByteSpan& bytes, const std::function<bool(Bytes body)>& sink);

  std::size_t max_size_;
  std::array<std::byte, kMessageHeaderSize> header_{};
  std::size_t header_size_ = 0;  // of header_, how many are here
  std::size_t body_size_ = 0;    // announced; set once the header is complete
  Bytes body_;
  Bytes held_back_;
};

}  // namespace axl::session
