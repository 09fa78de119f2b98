// The shortest round trip to a peer within the last half to whole minute: what the path takes when nothing waits on it.
// An older one says nothing, since paths change.
//
// Pure.
#pragma once

#include <algorithm>
#include <axl/time.hpp>
#include <optional>

namespace axl::tcpip {

class LeastRoundTrip {
 public:
  void add(Duration sample, Time now) noexcept {
    forget(now);
    recent_ = std::min(recent_.value_or(sample), sample);
  }
  [[nodiscard]] std::optional<Duration> at(Time now) noexcept {
    forget(now);
    if (!before_ || !recent_) return before_ ? before_ : recent_;
    return std::min(*before_, *recent_);
  }

 private:
  void forget(Time now) noexcept {
    constexpr Duration kPeriod = std::chrono::seconds{30};
    const auto age = now - since_;
    if (age < kPeriod) return;
    before_ = age < 2 * kPeriod ? recent_ : std::nullopt;
    recent_.reset();
    since_ = now;
  }

  Time since_{};  // of `recent_`
  std::optional<Duration> recent_;
  std::optional<Duration> before_;  // the period before that
};

}  // namespace axl::tcpip
