#include "core/buffer.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/expect.hpp"

namespace axl {

Buffer::Buffer(std::size_t size, std::size_t headroom, std::size_t tailroom)
    : storage_{std::make_unique_for_overwrite<std::byte[]>(headroom + size + tailroom)},
      capacity_{headroom + size + tailroom},
      begin_{headroom},
      end_{headroom + size} {}

Buffer Buffer::copy_of(ByteSpan bytes, std::size_t headroom) {
  Buffer buffer{bytes.size(), headroom};
  if (!bytes.empty()) std::memcpy(buffer.data(), bytes.data(), bytes.size());
  return buffer;
}

Buffer::Buffer(Buffer&& other) noexcept
    : storage_{std::move(other.storage_)},
      capacity_{std::exchange(other.capacity_, 0)},
      begin_{std::exchange(other.begin_, 0)},
      end_{std::exchange(other.end_, 0)} {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this != &other) {
    storage_ = std::move(other.storage_);
    capacity_ = std::exchange(other.capacity_, 0);
    begin_ = std::exchange(other.begin_, 0);
    end_ = std::exchange(other.end_, 0);
  }
  return *this;
}

MutableByteSpan Buffer::prepend(std::size_t count) {
  if (begin_ < count) reallocate(count + kHeadroom, capacity_ - end_);
  begin_ -= count;
  return {data(), count};
}

void Buffer::prepend(ByteSpan bytes) {
  if (!bytes.empty()) std::memcpy(prepend(bytes.size()).data(), bytes.data(), bytes.size());
}

MutableByteSpan Buffer::append(std::size_t count) {
  if (capacity_ - end_ < count) reallocate(begin_, std::max(count, capacity_));
  end_ += count;
  return {storage_.get() + end_ - count, count};
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
  if (size() < capacity_ / 2) *this = copy_of(span());
}

void Buffer::reallocate(std::size_t headroom, std::size_t tailroom) {
  Buffer larger{size(), headroom, tailroom};
  if (!empty()) std::memcpy(larger.data(), data(), size());
  *this = std::move(larger);
}

}  // namespace axl
