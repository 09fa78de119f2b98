// A queue whose elements lie in one piece of memory, which it keeps from one to the next: what passes through it in a
// steady flow takes nothing from the heap. After a burst, when the queue is empty, no more than `kept` places stay.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace axl {

template <class T, std::size_t kept = 64>
class Ring {
 public:
  Ring() = default;
  Ring(Ring&& other) noexcept { swap(other); }
  Ring& operator=(Ring&& other) noexcept {
    Ring taken{std::move(other)};
    swap(taken);
    return *this;
  }

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  // Of a queue that is not empty; `index` counts from the front.
  [[nodiscard]] T& operator[](std::size_t index) noexcept { return slots_[slot(index)]; }
  [[nodiscard]] const T& operator[](std::size_t index) const noexcept { return slots_[slot(index)]; }
  [[nodiscard]] T& front() noexcept { return (*this)[0]; }
  [[nodiscard]] const T& front() const noexcept { return (*this)[0]; }
  [[nodiscard]] T& back() noexcept { return (*this)[size_ - 1]; }

  void push_back(T element) {
    make_room();
    slots_[slot(size_)] = std::move(element);
    ++size_;
  }
  void push_front(T element) {
    make_room();
    first_ = slot(slots_.size() - 1);
    slots_[first_] = std::move(element);
    ++size_;
  }
  void pop_front() {
    slots_[first_] = T{};
    first_ = slot(1);
    if (--size_ == 0 && slots_.size() > kept) clear();
  }
  void clear() noexcept {
    std::vector<T>{}.swap(slots_);
    first_ = 0;
    size_ = 0;
  }

 private:
  static constexpr std::size_t kLeast = 4;  // a power of two, as every number of slots

  [[nodiscard]] std::size_t slot(std::size_t index) const noexcept { return (first_ + index) & (slots_.size() - 1); }

  void swap(Ring& other) noexcept {
    slots_.swap(other.slots_);
    std::swap(first_, other.first_);
    std::swap(size_, other.size_);
  }
  void make_room() {
    if (size_ < slots_.size()) return;
    std::vector<T> larger(std::max(kLeast, 2 * size_));
    for (std::size_t i = 0; i < size_; ++i) larger[i] = std::move((*this)[i]);
    slots_ = std::move(larger);
    first_ = 0;
  }

  std::vector<T> slots_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace axl
