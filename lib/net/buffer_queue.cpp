#include "net/buffer_queue.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "core/expect.hpp"

namespace axl::net {

namespace {
constexpr std::size_t kKeptCapacity = 64;  // pieces
constexpr std::size_t kSmallPiece = 1024;
constexpr std::size_t kJoined = 4 * 1024;  // as many as the pool has blocks of
}  // namespace

void BufferQueue::push(Buffer data) {
  if (data.empty()) return;
  bytes_ += data.size();
  // The first piece goes as it came, and mostly alone.
  if (data.size() <= kSmallPiece && pieces() > 0) {
    if (!joins_ || items_.back().tailroom() < data.size()) items_.emplace_back(0, 0, kJoined);
    items_.back().append(data.span());
    joins_ = true;
    return;
  }
  items_.push_back(std::move(data));
  joins_ = false;
}

void BufferQueue::move_front(BufferQueue& to, std::size_t enough) {
  while (!empty() && to.bytes_ < enough) {
    const auto size = front().size();
    to.items_.push_back(std::move(items_[head_++]));
    to.bytes_ += size;
    to.joins_ = false;
    bytes_ -= size;
  }
  forget_used();
}

void BufferQueue::put_back(BufferQueue& earlier) {
  if (!earlier.empty()) {
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
    items_.insert(items_.begin(),
                  std::make_move_iterator(earlier.items_.begin() + static_cast<std::ptrdiff_t>(earlier.head_)),
                  std::make_move_iterator(earlier.items_.end()));
    bytes_ += earlier.bytes_;
  }
  earlier.clear();
}

void BufferQueue::clear() noexcept {
  joins_ = false;
  items_ = std::vector<Buffer>{};
  head_ = 0;
  bytes_ = 0;
}

std::size_t BufferQueue::gather(std::span<asio::const_buffer> out, std::size_t enough) const noexcept {
  std::size_t count = 0;
  std::size_t total = 0;
  for (auto i = head_; i < items_.size() && count < out.size() && total < enough; ++i) {
    out[count++] = asio::const_buffer{items_[i].data(), items_[i].size()};
    total += items_[i].size();
  }
  return count;
}

std::size_t BufferQueue::copy(MutableByteSpan out) const noexcept {
  std::size_t copied = 0;
  for (auto i = head_; i < items_.size() && copied < out.size(); ++i) {
    const auto count = std::min(items_[i].size(), out.size() - copied);
    std::memcpy(out.data() + copied, items_[i].data(), count);
    copied += count;
  }
  return copied;
}

void BufferQueue::consume(std::size_t count) noexcept {
  AXL_EXPECT_OR(count <= bytes_, count = bytes_);
  bytes_ -= count;
  while (count > 0) {
    auto& first = items_[head_];
    if (count < first.size()) {
      first.drop_front(count);
      break;
    }
    count -= first.size();
    if (!keeps_used_) first = Buffer{};
    ++head_;
  }
  forget_used();
}

void BufferQueue::forget_used() noexcept {
  if (keeps_used_) return;
  if (head_ == items_.size()) {
    head_ = 0;
    joins_ = false;
    if (items_.capacity() > kKeptCapacity) {
      items_ = std::vector<Buffer>{};
    } else {
      items_.clear();
    }
  } else if (head_ >= kKeptCapacity && head_ * 2 >= items_.size()) {
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
}

}  // namespace axl::net
