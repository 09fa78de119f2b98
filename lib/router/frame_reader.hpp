// Frames of overlay port 7000: 4 length bytes, big-endian, then that many bytes. A length of zero is an empty message.
//
// Memory grows as bytes arrive, never by what a length announces.
//
// Source: bridge, section 4.
#pragma once

#include <array>
#include <axl/message.hpp>
#include <axl/result.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "core/buffer.hpp"

namespace axl::router {

inline constexpr std::size_t kFrameHeaderSize = 4;

/// The length bytes in front of a body; `size` must fit in 32 bits.
[[nodiscard]] std::array<std::byte, kFrameHeaderSize> frame_header(std::size_t size) noexcept;

/// Room for a body: four times what has come, sixteen times of an announced length, and never more than `most`. Memory
/// that is not written to costs little, but not nothing, and lengths are announced for free.
class BodyCollector {
 public:
  void begin_announced(std::size_t length);
  void begin_unknown(std::size_t most);
  void add(ByteSpan bytes);
  /// Up to `most` bytes behind what has come, no more than have come, to be filled in place of add(); empty where more
  /// room has to be made first. placed() says how many are there.
  [[nodiscard]] MutableByteSpan place(std::size_t most);
  void placed(std::size_t count) noexcept { size_ += count; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] ByteSpan span() const noexcept { return {room_.get(), size_}; }
  /// There is room for all of an announced body: what has come stays where it is.
  [[nodiscard]] bool settled() const noexcept { return announced_ && size_ > 0 && capacity_ == most_; }
  /// While settled(): the announced body, of which the first size() bytes are there.
  [[nodiscard]] MessageBody announced() const { return {room_, {room_.get(), most_}}; }
  [[nodiscard]] MessageBody finish();

 private:
  void move_to(std::size_t capacity);
  void touch(std::size_t needed) noexcept;

  std::shared_ptr<std::byte[]> room_;
  std::size_t capacity_ = 0;
  std::size_t touched_ = 0;  // of the capacity; see touch_room()
  std::size_t size_ = 0;
  std::size_t most_ = 0;
  bool announced_ = false;
};

class FrameReader {
 public:
  explicit FrameReader(std::size_t max_size) noexcept : max_size_{max_size} {}

  /// How many bytes of the current frame's body read() would take out of `available` ones.
  [[nodiscard]] std::size_t body_bytes_wanted(std::size_t available) const noexcept;
  /// Takes bytes from the front of `input`: of the length, or of the body, whichever is due. Gives the body when it is
  /// complete. The error (too_large) is final: nothing after it can be understood.
  [[nodiscard]] Result<std::optional<MessageBody>> read(Buffer& input);

  [[nodiscard]] bool inside_length() const noexcept { return header_size_ > 0 && header_size_ < kFrameHeaderSize; }
  [[nodiscard]] bool inside_body() const noexcept { return header_size_ == kFrameHeaderSize; }
  [[nodiscard]] std::size_t body_size() const noexcept { return body_size_; }  ///< announced; valid inside the body

 private:
  std::optional<MessageBody> take_if_complete();

  std::size_t max_size_;
  std::array<std::byte, kFrameHeaderSize> header_{};
  std::size_t header_size_ = 0;
  std::size_t body_size_ = 0;
  BodyCollector body_;
};

}  // namespace axl::router
