// Time as the library sees it: a point on a clock that cannot be asked.
//
// Everything that decides something gets the time as an argument, so a test can run a day in a millisecond. Where the
// epoch lies is the caller's affair; only differences mean anything.
#pragma once

#include <chrono>

namespace axl {

using Duration = std::chrono::nanoseconds;

struct Clock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Clock>;
  static constexpr bool is_steady = true;
};

using Time = Clock::time_point;

}  // namespace axl
