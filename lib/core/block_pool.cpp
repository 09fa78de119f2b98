#include "core/block_pool.hpp"

#include <array>
#include <cstring>
#include <limits>
#include <new>

#include "core/kept_memory.hpp"

namespace axl {

namespace {

struct Kind {
  std::size_t size;
  std::size_t kept;
};
// What lwIP keeps of a segment, acknowledgements and other small packets and heads; a small message as it travels, a
// packet of 1280 bytes with its headroom, a small read, a packet of 16 KiB and a read of 64 KiB, both with theirs;
// records for 128 KiB.
constexpr std::array kKinds{Kind{64, 256},    Kind{128, 256},  Kind{256, 64},   Kind{384, 64},   Kind{512, 64},
                            Kind{768, 64},    Kind{1'024, 32}, Kind{1'536, 32}, Kind{2'048, 64}, Kind{4'096, 16},
                            Kind{17'408, 32}, Kind{66'560, 8}, Kind{163'840, 2}};

// The first kind that is large enough, for small sizes by their number of steps.
constexpr std::size_t kStep = 64;
constexpr std::size_t kSmall = 2'048;
constexpr auto kKindOfSteps = [] {
  std::array<std::uint8_t, kSmall / kStep + 1> kinds{};
  for (std::size_t steps = 0; steps < kinds.size(); ++steps) {
    while (kKinds[kinds[steps]].size < steps * kStep) ++kinds[steps];
  }
  return kinds;
}();

std::size_t kind_for(std::size_t size) noexcept {
  if (size <= kSmall) return kKindOfSteps[(size + kStep - 1) / kStep];
  std::size_t kind = kKindOfSteps.back();
  while (kind < kKinds.size() && kKinds[kind].size < size) ++kind;
  return kind;
}

constexpr std::size_t kHeader = alignof(std::max_align_t);  // in front of take_memory()'s: which kind

// Freed blocks of one kind, linked through their first bytes.
struct List {
  std::byte* first = nullptr;
  std::size_t count = 0;
};

struct Lists {
  std::array<List, kKinds.size()> of_kind;
  bool ended = false;

  ~Lists() {
    ended = true;  // what is freed later by this thread goes straight back
    for (auto& list : of_kind) {
      while (list.first != nullptr) ::operator delete(take(list));
    }
  }

  static std::byte* take(List& list) noexcept {
    auto* block = list.first;
    std::memcpy(&list.first, block, sizeof list.first);
    --list.count;
    return block;
  }
};

thread_local Lists lists;

}  // namespace

Block take_block(std::size_t& size) {
  const auto kind = kind_for(size);
  if (kind == kKinds.size() || 2 * size < kKinds[kind].size) {  // rather none of these than one that is mostly empty
    return Block{static_cast<std::byte*>(::operator new(size)), BlockDeleter{}};
  }
  size = kKinds[kind].size;
  const BlockDeleter deleter{static_cast<std::uint8_t>(kind + 1)};
  auto& list = lists.of_kind[kind];
  if (list.first != nullptr) return Block{Lists::take(list), deleter};
  return Block{static_cast<std::byte*>(::operator new(size)), deleter};
}

void* take_memory(std::size_t size) noexcept {
  if (size > std::numeric_limits<std::size_t>::max() - kHeader) return nullptr;
  try {
    auto whole = size + kHeader;
    auto block = take_block(whole);
    auto* const start = block.get();
    *start = static_cast<std::byte>(block.get_deleter().kind);
    static_cast<void>(block.release());  // freed by give_back_memory()
    return start + kHeader;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void give_back_memory(void* memory) noexcept {
  if (memory == nullptr) return;
  auto* const start = static_cast<std::byte*>(memory) - kHeader;
  BlockDeleter{std::to_integer<std::uint8_t>(*start)}(start);
}

void BlockDeleter::operator()(std::byte* block) const noexcept {
  if (kKeepFreedMemory && kind > 0 && !lists.ended) {
    auto& list = lists.of_kind[kind - 1];
    if (list.count < kKinds[kind - 1].kept) {
      std::memcpy(block, &list.first, sizeof list.first);
      list.first = block;
      ++list.count;
      return;
    }
  }
  ::operator delete(block);
}

}  // namespace axl
