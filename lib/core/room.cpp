#include "core/room.hpp"

#include <cstdint>
#include <new>
#include <utility>

#include "core/kept_memory.hpp"

#if __has_include(<sys/mman.h>)
#include <sys/mman.h>
#endif

namespace axl {

namespace {

constexpr std::size_t kSmallestKept = 256UL * 1024;
constexpr std::size_t kLargestKept = 2UL * 1024 * 1024;

// One freed room of this thread.
struct KeptRoom {
  std::byte* memory = nullptr;
  std::size_t size = 0;
  bool ended = false;

  ~KeptRoom() {
    ended = true;  // what is freed later by this thread goes straight back
    ::operator delete(memory);
  }
};

thread_local KeptRoom kept;

struct Keep {
  std::size_t size;
  void operator()(std::byte* room) const noexcept {
    if (kKeepFreedMemory && !kept.ended) {
      kept.size = size;
      std::swap(kept.memory, room);
    }
    ::operator delete(room);
  }
};

Room make_kept_room(std::size_t size) {
  if (kept.memory != nullptr && kept.size >= size && kept.size / 2 <= size) {
    return {{std::exchange(kept.memory, nullptr), Keep{kept.size}}, true};
  }
  return {{static_cast<std::byte*>(::operator new(size)), Keep{size}}, false};
}

}  // namespace

Room make_room(std::size_t size) {
#ifdef MADV_HUGEPAGE
  constexpr std::size_t kPage = 2UL * 1024 * 1024;
  constexpr std::size_t kWorthwhile = 2 * kPage;
  if (size >= kWorthwhile) {
    // A last page that would be less than half full is left to small ones.
    const auto huge = (size + kPage / 2) / kPage * kPage;
    constexpr std::align_val_t kAlignment{kPage};
    auto* memory = static_cast<std::byte*>(::operator new(huge > size ? huge : size, kAlignment));
    ::madvise(memory, huge, MADV_HUGEPAGE);  // only a wish
    return {{memory, [](std::byte* room) { ::operator delete(room, kAlignment); }}, false};
  }
#endif
  if (size >= kSmallestKept && size <= kLargestKept) return make_kept_room(size);
  return {std::make_shared_for_overwrite<std::byte[]>(size), false};
}

void touch_room([[maybe_unused]] std::byte* first, [[maybe_unused]] std::size_t size) noexcept {
#ifdef MADV_POPULATE_WRITE
  constexpr std::uintptr_t kPage = 4'096;
  const auto from = (reinterpret_cast<std::uintptr_t>(first) + kPage - 1) / kPage * kPage;
  const auto to = (reinterpret_cast<std::uintptr_t>(first) + size) / kPage * kPage;
  if (from < to) ::madvise(reinterpret_cast<void*>(from), to - from, MADV_POPULATE_WRITE);  // only a wish
#endif
}

}  // namespace axl
