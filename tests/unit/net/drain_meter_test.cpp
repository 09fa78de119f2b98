#include "net/drain_meter.hpp"

#include <catch2/catch_test_macros.hpp>

using axl::Time;
using axl::net::DrainMeter;
using namespace std::chrono_literals;

namespace {

struct Socket {
  DrainMeter meter{4ms, 32 * 1024, 128 * 1024};
  Time now{};
  std::uint64_t taken = 0;

  // Full every `step` while it takes so many bytes a second. Returns how often the room has changed.
  int run(std::uint64_t bytes_per_second, axl::Duration length, axl::Duration step = 1ms) {
    int changes = 0;
    for (const auto end = now + length; now < end; now += step) {
      taken += bytes_per_second * static_cast<std::uint64_t>(step.count()) / 1'000'000'000;
      if (meter.on_full(now, taken)) ++changes;
    }
    return changes;
  }
};

}  // namespace

TEST_CASE("drain meter: as much may wait as leaves within the time", "[net]") {
  Socket socket;
  CHECK(socket.meter.room() == 128 * 1024);
  CHECK(socket.run(12'500'000, 5s) > 0);
  CHECK(socket.meter.room() > 37'500);
  CHECK(socket.meter.room() < 62'500);
}

TEST_CASE("drain meter: neither less than the least nor more than the most", "[net]") {
  Socket slow;
  slow.run(100'000, 10s, 50ms);
  CHECK(slow.meter.room() == 32 * 1024);
  Socket fast;
  CHECK(fast.run(500'000'000, 5s) == 0);
  CHECK(fast.meter.room() == 128 * 1024);
}

TEST_CASE("drain meter: follows a path that becomes faster again, without changing at every look", "[net]") {
  Socket socket;
  socket.run(5'000'000, 5s);
  CHECK(socket.meter.room() == 32 * 1024);
  CHECK(socket.run(1'000'000'000, 2s) <= 4);
  CHECK(socket.meter.room() == 128 * 1024);
}

TEST_CASE("drain meter: a socket that had nothing to send, and one that stalls, tell no rate", "[net]") {
  Socket socket;
  for (int i = 0; i < 100; ++i) {
    socket.meter.on_full(socket.now, socket.taken);
    socket.now += 1s;  // idle, not slow
    socket.meter.on_empty();
    socket.taken += 1'000;
  }
  CHECK(socket.meter.room() == 128 * 1024);
  for (int i = 0; i < 10; ++i) {
    socket.meter.on_full(socket.now, socket.taken);
    socket.now += 10s;
  }
  CHECK(socket.meter.room() == 128 * 1024);
}
