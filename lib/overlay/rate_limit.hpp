// Token buckets: how often something may happen, with a burst allowed after a rest.
//
// A bucket is one point in time, the moment at which it would be full again; taking a token moves it one interval on.
#pragma once

#include <algorithm>
#include <axl/key.hpp>
#include <axl/time.hpp>
#include <cstdint>
#include <deque>
#include <map>

#include "overlay/config.hpp"

namespace axl::overlay {

class TokenBucket {
 public:
  /// Whether one more may happen now; takes the token if so.
  [[nodiscard]] bool take(const Rate& rate, Time now) noexcept {
    if (rate.per_second == 0) return true;
    if (ready(rate) > now) return false;
    full_ = std::max(full_, now) + interval(rate);
    return true;
  }
  /// Earliest time at which take() says yes.
  [[nodiscard]] Time ready(const Rate& rate) const noexcept {
    if (rate.per_second == 0) return Time::min();
    return full_ - interval(rate) * (std::max<std::uint32_t>(rate.burst, 1) - 1);
  }

 private:
  [[nodiscard]] static Duration interval(const Rate& rate) noexcept {
    return Duration{std::chrono::seconds{1}} / rate.per_second;
  }
  Time full_ = Time::min() + std::chrono::hours{24};  // far past, with room to subtract a burst
};

/// One bucket per key that somebody claims to be. Remembers so many keys and forgets the oldest: a limit for the
/// honest, since a liar can change its name. What a neighbour can send in all is limited elsewhere.
class KeyedBuckets {
 public:
  KeyedBuckets(Rate rate, std::size_t limit) : rate_{rate}, limit_{std::max<std::size_t>(limit, 1)} {}

  [[nodiscard]] bool take(const PublicKey& key, Time now) {
    if (rate_.per_second == 0) return true;
    auto found = buckets_.find(key);
    if (found == buckets_.end()) {
      if (order_.size() == limit_) {
        buckets_.erase(order_.front());
        order_.pop_front();
      }
      found = buckets_.try_emplace(key).first;
      order_.push_back(key);
    }
    return found->second.take(rate_, now);
  }
  [[nodiscard]] std::size_t size() const noexcept { return buckets_.size(); }

 private:
  Rate rate_;
  std::size_t limit_;
  std::map<PublicKey, TokenBucket> buckets_;
  std::deque<PublicKey> order_;
};

}  // namespace axl::overlay
