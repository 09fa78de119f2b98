// What a connection has been given to send and its peer has not acknowledged. The bytes stay where they are until then,
// since TCP refers to them; only small writes are joined, so that they travel in one segment.
//
// Pure.
#pragma once

#include <cstddef>

#include "core/buffer.hpp"
#include "core/ring.hpp"

namespace axl::tcpip {

class SendQueue {
 public:
  void write(Buffer data);

  /// Bytes held: handed over or not.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// Bytes handed over and not yet acknowledged.
  [[nodiscard]] std::size_t handed_over() const noexcept { return handed_; }
  [[nodiscard]] std::size_t waiting() const noexcept { return size_ - handed_; }

  /// The next bytes to hand over, as many as lie together; they keep their place until acknowledged.
  [[nodiscard]] ByteSpan next() const noexcept;
  void on_handed_over(std::size_t count) noexcept;
  void on_acknowledged(std::size_t count) noexcept;

 private:
  void settle() noexcept;

  Ring<Buffer, 16> buffers_;  // there may be many connections
  std::size_t size_ = 0;
  std::size_t handed_ = 0;
  std::size_t next_index_ = 0;    // the buffer with the first byte not handed over
  std::size_t next_offset_ = 0;   // where in it
  std::size_t front_offset_ = 0;  // acknowledged bytes of the first buffer
  std::size_t tail_room_ = 0;     // free bytes behind the last buffer, when we made it to join writes
};

}  // namespace axl::tcpip
