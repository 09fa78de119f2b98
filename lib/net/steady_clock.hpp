// The one place where the library's Time meets a clock that can be asked.
#pragma once

#include <axl/time.hpp>
#include <chrono>

namespace axl::net {

/// Time counted from the epoch of the system's steady clock; all objects of this class agree.
class SteadyClock {
 public:
  [[nodiscard]] Time now() const noexcept { return from_steady(std::chrono::steady_clock::now()); }

  [[nodiscard]] static Time from_steady(std::chrono::steady_clock::time_point at) noexcept {
    return Time{std::chrono::duration_cast<Duration>(at.time_since_epoch())};
  }
  [[nodiscard]] static std::chrono::steady_clock::time_point to_steady(Time at) noexcept {
    return std::chrono::steady_clock::time_point{
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(at.time_since_epoch())};
  }
};

}  // namespace axl::net
