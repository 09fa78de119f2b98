// For containers whose elements come and go with packets: their memory is the thread's blocks (core/block_pool).
#pragma once

#include <cstddef>
#include <limits>
#include <new>

#include "core/block_pool.hpp"

namespace axl {

template <class T>
struct Pooled {
  using value_type = T;

  Pooled() = default;
  template <class Other>
  explicit(false) Pooled(const Pooled<Other>&) noexcept {}

  [[nodiscard]] T* allocate(std::size_t count) {
    static_assert(alignof(T) <= alignof(std::max_align_t));
    if (count > std::numeric_limits<std::size_t>::max() / sizeof(T)) throw std::bad_alloc{};
    auto* const memory = take_memory(count * sizeof(T));
    if (memory == nullptr) throw std::bad_alloc{};
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t /*count*/) noexcept { give_back_memory(memory); }

  friend bool operator==(const Pooled&, const Pooled&) noexcept { return true; }
};

}  // namespace axl
