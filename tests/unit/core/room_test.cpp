#include "core/room.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <optional>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "core/kept_memory.hpp"

using axl::make_room;
using axl::RoomKeeper;
using axl::touch_room;

TEST_CASE("room: every byte can be written and read, small or in large pages", "[core]") {
  for (const std::size_t size : {1UL, 4'096UL, 1'000'000UL, 4'194'304UL, 5'300'000UL, 15'728'640UL}) {
    const auto room = make_room(size).bytes;
    const std::span bytes{room.get(), size};
    std::ranges::fill(bytes, std::byte{7});
    CHECK(std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{7}; }));
  }
}

TEST_CASE("room: touching a part of it changes no byte", "[core]") {
  constexpr std::size_t kSize = 1'000'000;
  const auto room = make_room(kSize).bytes;
  const std::span bytes{room.get(), kSize};
  std::ranges::fill(bytes, std::byte{9});
  touch_room(room.get(), kSize);
  touch_room(room.get() + 12'345, 1);
  touch_room(room.get() + 12'345, 0);
  touch_room(room.get() + 12'345, 700'000);
  CHECK(std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{9}; }));
}

TEST_CASE("room: one freed room serves a later message of about its size, on the thread that freed it", "[core]") {
  if (!axl::kKeepFreedMemory) return;
  constexpr std::size_t kSize = 1'000'000;
  auto* const first = make_room(kSize).bytes.get();  // freed at once
  CHECK(make_room(kSize * 3 / 4).bytes.get() == first);
  {
    const auto same = make_room(kSize / 2);
    CHECK(same.bytes.get() == first);
    CHECK(same.resident);
    const auto another = make_room(kSize);
    CHECK(another.bytes.get() != first);
    CHECK(!another.resident);
  }
  CHECK(!make_room(kSize / 5).resident);  // it would be mostly empty
  auto room = make_room(kSize).bytes;
  std::thread{[&] {
    auto* const memory = room.get();
    room.reset();
    CHECK(make_room(kSize).bytes.get() == memory);
  }}.join();
}

TEST_CASE("room: large ones are kept as long as somebody keeps them and they are wanted", "[core]") {
  if (!axl::kKeepFreedMemory) return;
  constexpr std::size_t kSize = 15'000'000;
  static_cast<void>(RoomKeeper::wanted());
  CHECK(!RoomKeeper::wanted());
  CHECK(!make_room(kSize).resident);
  CHECK(RoomKeeper::wanted());
  CHECK(!make_room(kSize).resident);  // nobody keeps it
  std::optional<RoomKeeper> keeper{std::in_place};
  auto* const first = make_room(kSize).bytes.get();
  {
    const auto same = make_room(kSize - 1'000'000);
    CHECK(same.resident);
    CHECK(same.bytes.get() == first);
    CHECK(!make_room(kSize).resident);
  }
  CHECK(!make_room(kSize / 3).resident);  // it would be mostly empty
  CHECK(keeper->tidy());
  CHECK(make_room(kSize).resident);  // taken between the two: not idle
  CHECK(keeper->tidy());
  CHECK(!keeper->tidy());
  CHECK(!make_room(kSize).resident);

  std::vector<axl::Room> many;
  for (int i = 0; i < 10; ++i) many.push_back(make_room(kSize));
  many.clear();
  for (int i = 0; i < 10; ++i) many.push_back(make_room(kSize));
  CHECK(std::ranges::count_if(many, [](const axl::Room& room) { return room.resident; }) == 8);
  many.clear();
  std::thread{[&] { CHECK(make_room(kSize).resident); }}.join();
  const RoomKeeper another;
  keeper.reset();
  CHECK(make_room(kSize).resident);
}

TEST_CASE("room: the end of the last keeper frees them, and none above 16 MiB is kept", "[core]") {
  if (!axl::kKeepFreedMemory) return;
  std::optional<RoomKeeper> keeper{std::in_place};
  static_cast<void>(make_room(5'000'000));
  keeper.reset();
  CHECK(!make_room(5'000'000).resident);
  keeper.emplace();
  static_cast<void>(make_room(40'000'000));
  CHECK(!make_room(40'000'000).resident);
}

TEST_CASE("room: threads take and free large ones while others tidy and end", "[core]") {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([thread] {
      for (int i = 0; i < 200; ++i) {
        RoomKeeper keeper;
        const auto size = 2'500'000U + 500'000U * static_cast<unsigned>((i + thread) % 3);
        const auto room = make_room(size);
        room.bytes[0] = room.bytes[size - 1] = static_cast<std::byte>(thread);
        static_cast<void>(keeper.tidy());
        const auto another = make_room(size);
        another.bytes[0] = std::byte{9};
        if (room.bytes[0] != static_cast<std::byte>(thread)) std::abort();
      }
    });
  }
  for (auto& thread : threads) thread.join();
}
