#include "core/block_pool.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <thread>
#include <vector>

using namespace axl;

TEST_CASE("block pool: a block has at least the size asked for", "[core]") {
  for (const std::size_t wanted :
       {0UL, 1UL, 1'535UL, 1'536UL, 2'048UL, 2'049UL, 10'000UL, 17'408UL, 65'536UL, 200'000UL, 5'000'000UL}) {
    auto size = wanted;
    const auto block = take_block(size);
    CHECK(size >= wanted);
    CHECK(size <= std::max<std::size_t>(2 * wanted, wanted));
    std::memset(block.get(), 0x5a, size);
  }
}

TEST_CASE("block pool: blocks are used again, and many more than it keeps do no harm", "[core]") {
  std::vector<Block> held;
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < 500; ++i) {
      std::size_t size = i % 2 == 0 ? 2'000 : 17'000;
      held.push_back(take_block(size));
      std::memset(held.back().get(), static_cast<int>(i), size);
    }
    for (std::size_t i = 0; i < held.size(); ++i) {
      REQUIRE(held[i].get()[1'999] == static_cast<std::byte>(i));  // nobody else has it
    }
    held.clear();
  }
}

TEST_CASE("block pool: a block may be freed on another thread, also at its end", "[core]") {
  std::size_t size = 17'000;
  auto block = take_block(size);
  std::thread{[moved = std::move(block)]() mutable {
    moved.reset();
    std::size_t again = 17'000;
    thread_local Block late;  // freed when the thread's own blocks may be gone already
    late = take_block(again);
  }}.join();
  SUCCEED();
}

TEST_CASE("block pool: memory of any size, aligned, given back in any order", "[core]") {
  std::mt19937 random{2};
  std::vector<std::pair<std::byte*, std::size_t>> taken;
  for (int i = 0; i < 20'000; ++i) {
    if (taken.size() < 300 && random() % 2 == 0) {
      const auto size = random() % (random() % 10 == 0 ? 200'000U : 300U);
      auto* const memory = static_cast<std::byte*>(axl::take_memory(size));
      REQUIRE(memory != nullptr);
      REQUIRE(reinterpret_cast<std::uintptr_t>(memory) % alignof(std::max_align_t) == 0);
      std::memset(memory, static_cast<int>(size % 251), size);
      taken.emplace_back(memory, size);
    } else if (!taken.empty()) {
      std::swap(taken[random() % taken.size()], taken.back());
      const auto [memory, size] = taken.back();
      REQUIRE(std::all_of(memory, memory + size, [size](std::byte b) { return b == std::byte(size % 251); }));
      axl::give_back_memory(memory);
      taken.pop_back();
    }
  }
  for (const auto& [memory, size] : taken) axl::give_back_memory(memory);
  axl::give_back_memory(nullptr);
  CHECK(axl::take_memory(std::numeric_limits<std::size_t>::max()) == nullptr);
}
