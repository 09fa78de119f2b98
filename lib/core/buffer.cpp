#include "core/buffer.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/expect.hpp"

namespace axl {

Buffer::Buffer(std::size_t size, std::size_t headroom, std::size_t tailroom)
    : capacity_{headroom + size + tailroom}, begin_{headroom}, end_{headroom + size} {
  auto there = capacity_;
  storage_ = take_block(there);
  base_ = storage_.get();
}

Buffer Buffer::copy_of(ByteSpan bytes, std::size_t headroom) {
  Buffer buffer{bytes.size(), headroom};
  if (!bytes.empty()) std::memcpy(buffer.data(), bytes.data(), bytes.size());
  return buffer;
}

Buffer Buffer::view_of(std::shared_ptr<const void> owner, ByteSpan bytes) {
  if (!owner) return copy_of(bytes);
  Buffer view;
  view.owner_ = std::move(owner);
  view.base_ = const_cast<std::byte*>(bytes.data());  // written to by nobody: see become_own()
  view.capacity_ = view.end_ = bytes.size();
  return view;
}

MutableByteSpan Buffer::prepend(std::size_t count) {
  if (begin_ < count || owner_) reallocate(count + kHeadroom, capacity_ - end_);
  begin_ -= count;
  return {data(), count};
}

void Buffer::prepend(ByteSpan bytes) {
  if (!bytes.empty()) std::memcpy(prepend(bytes.size()).data(), bytes.data(), bytes.size());
}

MutableByteSpan Buffer::append(std::size_t count) {
  if (capacity_ - end_ < count || owner_) reallocate(begin_, std::max(count, capacity_));
  end_ += count;
  return {base_ + end_ - count, count};
}

void Buffer::append(ByteSpan bytes) {
  if (!bytes.empty()) std::memcpy(append(bytes.size()).data(), bytes.data(), bytes.size());
}

void Buffer::drop_front(std::size_t count) noexcept {
  AXL_EXPECT_OR(count <= size(), count = size());
  begin_ += count;
}

void Buffer::drop_back(std::size_t count) noexcept {
  AXL_EXPECT_OR(count <= size(), count = size());
  end_ -= count;
}

void Buffer::shed() {
  if (!owner_ && size() < capacity_ / 2) *this = copy_of(span());
}

void Buffer::reallocate(std::size_t headroom, std::size_t tailroom) {
  Buffer larger{size(), headroom, tailroom};
  if (!empty()) std::memcpy(larger.base_ + larger.begin_, base_ + begin_, size());
  *this = std::move(larger);
}

void Buffer::become_own() { *this = copy_of(span()); }

}  // namespace axl
