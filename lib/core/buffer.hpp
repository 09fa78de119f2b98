// Owned bytes with room in front, so that each layer puts its header before the payload without moving it. Or a view of
// bytes that others share, which becomes a copy of its own when somebody is about to change it.
#pragma once

#include <axl/bytes.hpp>
#include <cstddef>
#include <memory>
#include <utility>

#include "core/block_pool.hpp"

namespace axl {

class Buffer {
 public:
  /// Enough for every header from the IPv6 packet down to the link's frame length (paths up to a few hundred bytes).
  static constexpr std::size_t kHeadroom = 512;

  Buffer() = default;
  /// `size` uninitialised bytes behind `headroom` unused ones, `tailroom` unused ones behind them.
  explicit Buffer(std::size_t size, std::size_t headroom = 0, std::size_t tailroom = 0);
  [[nodiscard]] static Buffer copy_of(ByteSpan bytes, std::size_t headroom = 0);
  /// The bytes themselves, which `owner` keeps alive and nobody changes.
  [[nodiscard]] static Buffer view_of(std::shared_ptr<const void> owner, ByteSpan bytes);

  Buffer(Buffer&& other) noexcept
      : storage_{std::move(other.storage_)},
        owner_{std::move(other.owner_)},
        base_{std::exchange(other.base_, nullptr)},
        capacity_{std::exchange(other.capacity_, 0)},
        begin_{std::exchange(other.begin_, 0)},
        end_{std::exchange(other.end_, 0)} {}
  Buffer& operator=(Buffer&& other) noexcept {
    if (this == &other) return *this;
    storage_ = std::move(other.storage_);
    owner_ = std::move(other.owner_);
    base_ = std::exchange(other.base_, nullptr);
    capacity_ = std::exchange(other.capacity_, 0);
    begin_ = std::exchange(other.begin_, 0);
    end_ = std::exchange(other.end_, 0);
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() = default;

  /// For writing: a view becomes a copy here.
  [[nodiscard]] std::byte* data() {
    if (owner_) become_own();
    return base_ + begin_;
  }
  [[nodiscard]] const std::byte* data() const noexcept { return base_ + begin_; }
  [[nodiscard]] std::size_t size() const noexcept { return end_ - begin_; }
  [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
  [[nodiscard]] bool is_view() const noexcept { return owner_ != nullptr; }
  [[nodiscard]] std::size_t headroom() const noexcept { return begin_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] std::size_t tailroom() const noexcept { return capacity_ - end_; }
  [[nodiscard]] ByteSpan span() const noexcept { return {data(), size()}; }
  [[nodiscard]] MutableByteSpan mutable_span() { return {data(), size()}; }
  operator ByteSpan() const noexcept { return span(); }

  /// Adds `count` uninitialised bytes in front and returns them; moves to a larger allocation when there is no room.
  MutableByteSpan prepend(std::size_t count);
  void prepend(ByteSpan bytes);
  /// Adds `count` uninitialised bytes at the end and returns them.
  MutableByteSpan append(std::size_t count);
  void append(ByteSpan bytes);
  /// Removes bytes; `count` is at most size().
  void drop_front(std::size_t count) noexcept;
  void drop_back(std::size_t count) noexcept;
  /// Moves to an allocation of its own size if more than half of this one is unused: for bytes that are going to wait.
  void shed();

 private:
  void reallocate(std::size_t headroom, std::size_t tailroom);
  void become_own();

  Block storage_;
  std::shared_ptr<const void> owner_;  // of a view, which has no storage
  std::byte* base_ = nullptr;          // of the storage, or of the view
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace axl
