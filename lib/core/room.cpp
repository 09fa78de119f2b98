#include "core/room.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
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

#ifdef MADV_HUGEPAGE
constexpr std::size_t kPage = 2UL * 1024 * 1024;
#else
constexpr std::size_t kPage = alignof(std::max_align_t);
#endif

struct LargeRoom {
  std::byte* memory = nullptr;
  std::size_t size = 0;
  bool idle = false;  // nobody took it since the last tidy()

  void free() noexcept {
    ::operator delete(std::exchange(memory, nullptr), std::align_val_t{kPage});
    size = 0;
  }
};

// Freed rooms of this process, the last one at the back: its bytes are in a cache, perhaps.
class LargeRooms {
 public:
  LargeRoom take(std::size_t size) {
    wanted_.store(true, std::memory_order_relaxed);
    const std::lock_guard lock{mutex_};
    for (auto at = count_; at-- > 0;) {
      if (kept_[at].size < size || kept_[at].size / 2 > size) continue;
      const auto found = kept_[at];
      drop(at);
      return found;
    }
    return {};
  }

  void give_back(LargeRoom room) noexcept {
    {
      const std::lock_guard lock{mutex_};
      if (kKeepFreedMemory && keepers_ > 0 && room.size <= kLargest) {
        // The one at the front was not taken for the longest time.
        if (count_ == kMost) {
          std::swap(room, kept_.front());
          std::rotate(kept_.begin(), kept_.begin() + 1, kept_.end());
        } else {
          kept_[count_++] = std::exchange(room, {});
        }
      }
    }
    room.free();
  }

  void begin() noexcept {
    const std::lock_guard lock{mutex_};
    ++keepers_;
  }
  void end() noexcept {
    const std::lock_guard lock{mutex_};
    if (--keepers_ > 0) return;
    while (count_ > 0) kept_[--count_].free();
  }

  bool tidy() noexcept {
    const std::lock_guard lock{mutex_};
    for (auto at = count_; at-- > 0;) {
      if (std::exchange(kept_[at].idle, true)) {
        kept_[at].free();
        drop(at);
      }
    }
    return count_ > 0;
  }

  // The load first: it is asked for in every turn of a loop, and seldom true.
  bool wanted() noexcept {
    return wanted_.load(std::memory_order_relaxed) && wanted_.exchange(false, std::memory_order_relaxed);
  }

 private:
  static constexpr std::size_t kMost = 4;
  static constexpr std::size_t kLargest = 16UL * 1024 * 1024;

  void drop(std::size_t at) noexcept {
    std::copy(kept_.begin() + at + 1, kept_.begin() + count_, kept_.begin() + at);
    --count_;
  }

  std::mutex mutex_;
  std::array<LargeRoom, kMost> kept_;
  std::size_t count_ = 0;
  std::size_t keepers_ = 0;
  std::atomic<bool> wanted_{false};
};

LargeRooms& large_rooms() {
  // Never destroyed: a body may outlive everything static.
  static auto& rooms = *new LargeRooms;
  return rooms;
}

Room make_large_room(std::size_t size) {
  // A last page that would be less than half full is left to small ones.
  const auto huge = (size + kPage / 2) / kPage * kPage;
  auto room = large_rooms().take(size);
  const bool resident = room.memory != nullptr;
  if (!resident) {
    room.size = std::max(huge, size);
    room.memory = static_cast<std::byte*>(::operator new(room.size, std::align_val_t{kPage}));
#ifdef MADV_HUGEPAGE
    ::madvise(room.memory, huge, MADV_HUGEPAGE);  // only a wish
#endif
  }
  return {{room.memory, [size = room.size](std::byte* memory) { large_rooms().give_back({memory, size}); }}, resident};
}

}  // namespace

Room make_room(std::size_t size) {
  if (size > kLargestKept) return make_large_room(size);
  if (size >= kSmallestKept) return make_kept_room(size);
  return {std::make_shared_for_overwrite<std::byte[]>(size), false};
}

RoomKeeper::RoomKeeper() noexcept { large_rooms().begin(); }

RoomKeeper::~RoomKeeper() { large_rooms().end(); }

bool RoomKeeper::wanted() noexcept { return large_rooms().wanted(); }

bool RoomKeeper::tidy() noexcept {
  const bool kept = large_rooms().tidy();
  return wanted() || kept;
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
