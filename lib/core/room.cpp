#include "core/room.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
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

// Freed large rooms of this process. A slot belongs to whoever has taken what it holds out of it; what a room has to
// say about itself stands in its own first bytes. The first slots are used first, so that those left over fall idle.
class LargeRooms {
 public:
  struct Piece {
    std::byte* memory = nullptr;
    std::size_t size = 0;
  };

  Piece take(std::size_t size) noexcept {
    wanted_.store(true, std::memory_order_relaxed);
    for (auto& slot : kept_) {
      auto* const memory = slot.exchange(nullptr, std::memory_order_acquire);
      if (memory == nullptr) continue;
      const auto found = read(memory);
      if (found.size >= size && found.size / 2 <= size) return {memory, found.size};
      put(memory);
    }
    return {};
  }

  void give_back(Piece room) noexcept {
    if (!kKeepFreedMemory || room.size > kLargest || keepers_.load() == 0) return free(room.memory);
    write(room.memory, {.size = room.size, .idle = false});
    put(room.memory);
    if (keepers_.load() == 0) free_all();  // the last has gone meanwhile
  }

  void begin() noexcept { ++keepers_; }
  void end() noexcept {
    if (--keepers_ == 0) free_all();
  }

  // True: some are kept.
  bool tidy() noexcept {
    bool some = false;
    for (auto& slot : kept_) {
      auto* const memory = slot.exchange(nullptr, std::memory_order_acquire);
      if (memory == nullptr) continue;
      auto about = read(memory);
      if (std::exchange(about.idle, true)) {
        free(memory);
        continue;
      }
      write(memory, about);
      put(memory);
      some = true;
    }
    return some;
  }

  // The load first: it is asked for in every turn of a loop, and seldom true.
  bool wanted() noexcept {
    return wanted_.load(std::memory_order_relaxed) && wanted_.exchange(false, std::memory_order_relaxed);
  }

 private:
  static constexpr std::size_t kMost = 8;
  static constexpr std::size_t kLargest = 16UL * 1024 * 1024;
  struct Kept {
    std::size_t size = 0;
    bool idle = false;  // nobody took it since the last tidy()
  };

  static Kept read(const std::byte* memory) noexcept {
    Kept about;
    std::memcpy(&about, memory, sizeof about);
    return about;
  }
  static void write(std::byte* memory, const Kept& about) noexcept { std::memcpy(memory, &about, sizeof about); }
  static void free(std::byte* memory) noexcept { ::operator delete(memory, std::align_val_t{kPage}); }

  // Into the first slot that is free, or away.
  void put(std::byte* memory) noexcept {
    for (auto& slot : kept_) {
      std::byte* none = nullptr;
      if (slot.compare_exchange_strong(none, memory, std::memory_order_release, std::memory_order_relaxed)) return;
    }
    free(memory);
  }

  void free_all() noexcept {
    for (auto& slot : kept_) {
      if (auto* const memory = slot.exchange(nullptr, std::memory_order_acquire)) free(memory);
    }
  }

  std::array<std::atomic<std::byte*>, kMost> kept_{};
  std::atomic<std::size_t> keepers_{0};
  std::atomic<bool> wanted_{false};
};

// Trivially destroyed: a body may outlive everything static.
constinit LargeRooms large_rooms;

Room make_large_room(std::size_t size) {
  // A last page that would be less than half full is left to small ones.
  const auto huge = (size + kPage / 2) / kPage * kPage;
  auto room = large_rooms.take(size);
  const bool resident = room.memory != nullptr;
  if (!resident) {
    room.size = std::max(huge, size);
    room.memory = static_cast<std::byte*>(::operator new(room.size, std::align_val_t{kPage}));
#ifdef MADV_HUGEPAGE
    ::madvise(room.memory, huge, MADV_HUGEPAGE);  // only a wish
#endif
  }
  return {{room.memory, [size = room.size](std::byte* memory) { large_rooms.give_back({memory, size}); }}, resident};
}

}  // namespace

Room make_room(std::size_t size) {
  if (size > kLargestKept) return make_large_room(size);
  if (size >= kSmallestKept) return make_kept_room(size);
  return {std::make_shared_for_overwrite<std::byte[]>(size), false};
}

RoomKeeper::RoomKeeper() noexcept { large_rooms.begin(); }

RoomKeeper::~RoomKeeper() { large_rooms.end(); }

bool RoomKeeper::wanted() noexcept { return large_rooms.wanted(); }

bool RoomKeeper::tidy() noexcept {
  const bool kept = large_rooms.tidy();
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
