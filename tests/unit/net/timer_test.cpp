#include "net/timer.hpp"

#include <catch2/catch_test_macros.hpp>

#include "net_support.hpp"

using namespace std::chrono_literals;
using axl::net::SteadyClock;
using axl::net::Timer;

TEST_CASE("timer: calls once, at its deadline and not before", "[net]") {
  asio::io_context loop;
  int calls = 0;
  const SteadyClock clock;
  Timer timer{loop, clock, [&] { ++calls; }};
  const auto deadline = clock.now() + 20ms;
  timer.arm(deadline);
  CHECK(timer.deadline() == deadline);
  REQUIRE(axl::test::run_until(loop, [&] { return calls != 0; }));
  CHECK(clock.now() >= deadline);
  CHECK_FALSE(timer.deadline());
  axl::test::run_for(loop, 30ms);
  CHECK(calls == 1);
}

TEST_CASE("timer: a later deadline costs no new wait, an earlier one does", "[net]") {
  asio::io_context loop;
  int calls = 0;
  const SteadyClock clock;
  Timer timer{loop, clock, [&] { ++calls; }};
  const auto start = clock.now();
  timer.arm(start + 20ms);
  for (int i = 0; i < 1000; ++i) timer.arm(start + 20ms + i * 10us);
  CHECK(timer.waits_started() == 1);
  REQUIRE(axl::test::run_until(loop, [&] { return calls != 0; }));
  CHECK(clock.now() >= start + 29ms);
  CHECK(timer.waits_started() == 2);
  timer.arm(clock.now() + 1h);
  timer.arm(clock.now() + 1ms);
  CHECK(timer.waits_started() == 4);
  REQUIRE(axl::test::run_until(loop, [&] { return calls == 2; }));
}

TEST_CASE("timer: a deadline that has passed is met on the next turn, not inside arm", "[net]") {
  asio::io_context loop;
  int calls = 0;
  Timer timer{loop, {}, [&] { ++calls; }};
  timer.arm(axl::Time{});
  CHECK(calls == 0);
  loop.run_one();
  CHECK(calls == 1);
}

TEST_CASE("timer: disarmed or destroyed it stays silent", "[net]") {
  asio::io_context loop;
  int calls = 0;
  const SteadyClock clock;
  auto timer = std::make_unique<Timer>(loop, clock, [&] { ++calls; });
  timer->arm(clock.now() + 5ms);
  timer->disarm();
  axl::test::run_for(loop, 15ms);
  timer->arm(clock.now() + 5ms);
  timer.reset();
  axl::test::run_for(loop, 15ms);
  CHECK(calls == 0);
}

TEST_CASE("timer: its call may arm it again, and may destroy it", "[net]") {
  asio::io_context loop;
  const SteadyClock clock;
  int calls = 0;
  std::unique_ptr<Timer> timer;
  timer = std::make_unique<Timer>(loop, clock, [&] {
    if (++calls < 3) {
      timer->arm(clock.now() + 1ms);
    } else {
      timer.reset();
    }
  });
  timer->arm(clock.now());
  REQUIRE(axl::test::run_until(loop, [&] { return timer == nullptr; }));
  CHECK(calls == 3);
}
