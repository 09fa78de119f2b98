// What has come for a connection and its reader has not taken. The window bounds its bytes; joining small pieces bounds
// the memory behind them, so that a peer cannot make a slow reader keep a thousand nearly empty packets.
//
// Pure.
#pragma once

#include <cstddef>

#include "core/buffer.hpp"
#include "core/ring.hpp"

namespace axl::tcpip {

class ReceiveQueue {
 public:
  void push(Buffer data);
  [[nodiscard]] Buffer pop();
  void clear() noexcept;
  [[nodiscard]] bool empty() const noexcept { return buffers_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  Ring<Buffer, 16> buffers_;  // there may be many connections
  std::size_t size_ = 0;
  std::size_t tail_room_ = 0;  // free bytes behind the last buffer, when we made it to join pieces
};

}  // namespace axl::tcpip
