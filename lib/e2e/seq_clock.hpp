// Unix seconds for the `seq` of Init and Ack. They never go back: a remote ignores what is older than it has seen.
//
// Pure. Source: overlay links and sessions, section 5.6.
#pragma once

#include <algorithm>
#include <axl/time.hpp>
#include <cstdint>

namespace axl::e2e {

class SeqClock {
 public:
  /// `unix_at_zero`: Unix time at Time{}.
  explicit SeqClock(Duration unix_at_zero) noexcept : unix_at_zero_{unix_at_zero} {}

  /// At least 1: seq 0 is refused.
  [[nodiscard]] std::uint64_t now(Time now) noexcept {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(unix_at_zero_ + now.time_since_epoch()).count();
    if (seconds > 0) last_ = std::max(last_, static_cast<std::uint64_t>(seconds));
    return last_;
  }

 private:
  Duration unix_at_zero_;
  std::uint64_t last_ = 1;
};

}  // namespace axl::e2e
