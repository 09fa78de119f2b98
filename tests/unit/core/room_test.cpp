#include "core/room.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <span>

using axl::make_room;
using axl::touch_room;

TEST_CASE("room: every byte can be written and read, small or in large pages", "[core]") {
  for (const std::size_t size : {1UL, 4'096UL, 1'000'000UL, 4'194'304UL, 5'300'000UL, 15'728'640UL}) {
    const auto room = make_room(size);
    const std::span bytes{room.get(), size};
    std::ranges::fill(bytes, std::byte{7});
    CHECK(std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{7}; }));
  }
}

TEST_CASE("room: touching a part of it changes no byte", "[core]") {
  constexpr std::size_t kSize = 1'000'000;
  const auto room = make_room(kSize);
  const std::span bytes{room.get(), kSize};
  std::ranges::fill(bytes, std::byte{9});
  touch_room(room.get(), kSize);
  touch_room(room.get() + 12'345, 1);
  touch_room(room.get() + 12'345, 0);
  touch_room(room.get() + 12'345, 700'000);
  CHECK(std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{9}; }));
}
