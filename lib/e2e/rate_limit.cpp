#include "e2e/rate_limit.hpp"

#include <algorithm>

namespace axl::e2e {

RateLimit::RateLimit(Rate rate) noexcept
    : interval_{rate.per_second == 0 ? Duration::zero() : Duration{std::chrono::seconds{1}} / rate.per_second},
      slack_{interval_ * (std::max<std::uint32_t>(rate.burst, 1) - 1)} {}

bool RateLimit::take(Time& full_at, Time now) const noexcept {
  if (unlimited()) return true;
  const auto from = std::max(full_at, now);
  if (from - now > slack_) return false;
  full_at = from + interval_;
  return true;
}

bool RateLimitPerSource::allow(const PublicKey& source, Time now) {
  if (rate_.unlimited()) return true;
  auto found = by_source_.find(source);
  if (found == by_source_.end()) {
    if (entries_.size() >= max_sources_ && !entries_.empty()) {
      by_source_.erase(entries_.front().source);
      entries_.pop_front();
    }
    found = by_source_.emplace(source, entries_.insert(entries_.end(), Entry{source})).first;
  } else {
    entries_.splice(entries_.end(), entries_, found->second);
  }
  return rate_.take(found->second->full_at, now);
}

}  // namespace axl::e2e
