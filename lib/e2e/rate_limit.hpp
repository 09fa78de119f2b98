// How often something may happen: over all, and for each source.
//
// Sources are forged freely, so what is remembered of them is bounded: the one least recently seen is forgotten. The
// limit over all sources is what holds then.
//
// Pure. Source: overlay links and sessions, section 8.3.
#pragma once

#include <axl/key.hpp>
#include <axl/time.hpp>
#include <list>
#include <unordered_map>

#include "e2e/config.hpp"

namespace axl::e2e {

/// A token bucket, kept as the time at which it would be full again.
class RateLimit {
 public:
  explicit RateLimit(Rate rate) noexcept;

  /// True, and counted, when one more may happen now.
  [[nodiscard]] bool allow(Time now) noexcept { return take(full_at_, now); }
  /// The same for a bucket that the caller keeps; Time::min() is a full one.
  [[nodiscard]] bool take(Time& full_at, Time now) const noexcept;
  [[nodiscard]] bool unlimited() const noexcept { return interval_ == Duration::zero(); }

 private:
  Duration interval_;  // zero: no limit
  Duration slack_;
  Time full_at_ = Time::min();
};

class RateLimitPerSource {
 public:
  RateLimitPerSource(Rate rate, std::size_t max_sources) noexcept : rate_{rate}, max_sources_{max_sources} {}

  [[nodiscard]] bool allow(const PublicKey& source, Time now);
  [[nodiscard]] std::size_t sources() const noexcept { return entries_.size(); }

 private:
  struct Entry {
    PublicKey source;
    Time full_at = Time::min();
  };

  RateLimit rate_;
  std::size_t max_sources_;
  std::list<Entry> entries_;  // least recently seen first
  std::unordered_map<PublicKey, std::list<Entry>::iterator> by_source_;
};

}  // namespace axl::e2e
