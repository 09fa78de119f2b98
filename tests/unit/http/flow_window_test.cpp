#include "http/flow_window.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace axl;
using namespace axl::http;
using namespace std::chrono_literals;

namespace {

// Fills and empties the window so many times.
void turn(FlowWindow& window, int times, Duration emptied_after, bool may_grow = true) {
  Time now{};
  for (int i = 0; i < times; ++i) {
    window.on_full(now);
    now += emptied_after;
    window.on_room(now, may_grow);
  }
}

}  // namespace

TEST_CASE("flow window: a reader far away gets more, up to a bound", "[http]") {
  FlowWindow window{64 * 1024};
  turn(window, 15, 50ms);
  CHECK(window.size() == 64 * 1024);
  turn(window, 1, 50ms);
  CHECK(window.size() == 128 * 1024);
  turn(window, 16 * 10, 50ms);
  CHECK(window.size() == 4 * 1024 * 1024);
}

TEST_CASE("flow window: it grows only while its owner has bytes for that", "[http]") {
  FlowWindow window{64 * 1024};
  turn(window, 16, 50ms);
  turn(window, 16 * 10, 50ms, false);
  CHECK(window.size() == 128 * 1024);
  turn(window, 16, 50ms);
  CHECK(window.size() == 256 * 1024);
}

TEST_CASE("flow window: who empties it at once would gain nothing by more", "[http]") {
  FlowWindow window{64 * 1024};
  turn(window, 1'000, 1ms);
  CHECK(window.size() == 64 * 1024);
}

TEST_CASE("flow window: a reader that becomes slow is back at the first window", "[http]") {
  FlowWindow window{64 * 1024};
  turn(window, 16 * 3, 50ms);
  CHECK(window.size() == 512 * 1024);
  turn(window, 1, 1s);
  CHECK(window.size() == 64 * 1024);
}
