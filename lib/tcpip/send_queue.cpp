#include "tcpip/send_queue.hpp"

#include <utility>

#include "core/expect.hpp"

namespace axl::tcpip {

namespace {
constexpr std::size_t kSmallWrite = 4 * 1024;
constexpr std::size_t kJoined = 16 * 1024;
}  // namespace

void SendQueue::write(Buffer data) {
  const auto count = data.size();
  if (count == 0) return;
  size_ += count;
  if (count < kSmallWrite) {
    if (tail_room_ >= count) {
      buffers_.back().append(data.span());
      tail_room_ -= count;
      return;
    }
    const bool last_is_untouched = !buffers_.empty() && (next_index_ + 1 < buffers_.size() ||
                                                         (next_index_ + 1 == buffers_.size() && next_offset_ == 0));
    if (last_is_untouched && front_offset_ == 0 && buffers_.back().size() < kSmallWrite) {
      const auto joined_size = buffers_.back().size() + count;
      Buffer joined{0, 0, kJoined};
      joined.append(buffers_.back().span());
      joined.append(data.span());
      buffers_.back() = std::move(joined);
      tail_room_ = kJoined - joined_size;
      return;
    }
  }
  buffers_.push_back(std::move(data));
  tail_room_ = 0;
  settle();
}

ByteSpan SendQueue::next() const noexcept {
  if (next_index_ >= buffers_.size()) return {};
  return buffers_[next_index_].span().subspan(next_offset_);
}

void SendQueue::on_handed_over(std::size_t count) noexcept {
  AXL_EXPECT_OR(count <= waiting(), return );
  handed_ += count;
  next_offset_ += count;
  settle();
}

void SendQueue::settle() noexcept {
  while (next_index_ < buffers_.size() && next_offset_ >= buffers_[next_index_].size()) {
    // A buffer that may still grow stays the next one.
    if (next_index_ + 1 == buffers_.size() && tail_room_ > 0) break;
    next_offset_ -= buffers_[next_index_].size();
    ++next_index_;
  }
}

void SendQueue::on_acknowledged(std::size_t count) noexcept {
  AXL_EXPECT_OR(count <= handed_, count = handed_);
  handed_ -= count;
  size_ -= count;
  front_offset_ += count;
  while (!buffers_.empty() && front_offset_ >= buffers_.front().size()) {
    front_offset_ -= buffers_.front().size();
    if (buffers_.size() == 1) tail_room_ = 0;
    buffers_.pop_front();
    if (next_index_ > 0) {
      --next_index_;
    } else {
      next_offset_ = 0;
    }
  }
}

}  // namespace axl::tcpip
