#include "tcpip/receive_queue.hpp"

#include <utility>

namespace axl::tcpip {

namespace {
constexpr std::size_t kSmallPiece = 1024;
constexpr std::size_t kJoined = 4 * 1024;  // as many as the pool has blocks of
}  // namespace

void ReceiveQueue::push(Buffer data) {
  const auto count = data.size();
  if (count == 0) return;
  size_ += count;
  // The first piece is handed on as it came: a reader that keeps up sees no copy.
  if (count <= kSmallPiece && !buffers_.empty()) {
    if (tail_room_ < count) {
      buffers_.push_back(Buffer{0, 0, kJoined});
      tail_room_ = kJoined;
    }
    buffers_.back().append(data.span());
    tail_room_ -= count;
    return;
  }
  buffers_.push_back(std::move(data));
  tail_room_ = 0;
}

Buffer ReceiveQueue::pop() {
  Buffer first = std::move(buffers_.front());
  buffers_.pop_front();
  size_ -= first.size();
  if (buffers_.empty()) tail_room_ = 0;
  return first;
}

void ReceiveQueue::clear() noexcept {
  buffers_.clear();
  size_ = 0;
  tail_room_ = 0;
}

}  // namespace axl::tcpip
