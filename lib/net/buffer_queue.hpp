// Bytes waiting to be sent, in the Buffers they came in.
//
// Small pieces that wait behind others are joined: a thousand of a few bytes each would cost far more than their bytes.
// Holds no memory while empty, so that thousands of idle connections cost little. Unbounded: whoever writes to a stream
// watches Stream::unsent().
#pragma once

#include <asio/buffer.hpp>
#include <cstddef>
#include <span>
#include <vector>

#include "core/buffer.hpp"

namespace axl::net {

class BufferQueue {
 public:
  BufferQueue() = default;
  /// Buffers that have been consumed stay until clear(): for a queue that is consumed on another thread than the one
  /// that made them and has to free them.
  struct KeepUsed {};
  explicit BufferQueue(KeepUsed /*keep*/) noexcept : keeps_used_{true} {}

  void push(Buffer data);
  /// Moves pieces from the front to the end of `to`, until that holds `enough` bytes.
  void move_front(BufferQueue& to, std::size_t enough);
  /// Puts what `earlier` still holds in front, and clears it.
  void put_back(BufferQueue& earlier);
  void clear() noexcept;

  [[nodiscard]] bool empty() const noexcept { return bytes_ == 0; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::size_t pieces() const noexcept { return items_.size() - head_; }
  /// Not on an empty queue.
  [[nodiscard]] const Buffer& front() const noexcept { return items_[head_]; }

  /// Views of the first pieces, at most out.size() of them, stopping once they hold `enough` bytes. Returns how many.
  [[nodiscard]] std::size_t gather(std::span<asio::const_buffer> out, std::size_t enough) const noexcept;
  /// Copies the first bytes, as many as fit; returns how many.
  [[nodiscard]] std::size_t copy(MutableByteSpan out) const noexcept;
  /// Removes bytes from the front; `count` is at most bytes().
  void consume(std::size_t count) noexcept;

 private:
  void forget_used() noexcept;

  std::vector<Buffer> items_;
  std::size_t head_ = 0;  // items before this one have been consumed
  std::size_t bytes_ = 0;
  bool joins_ = false;  // the last item was made here, to join pieces
  bool keeps_used_ = false;
};

}  // namespace axl::net
