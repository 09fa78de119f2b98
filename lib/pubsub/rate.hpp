// Token buckets that take more than one token at a time: bodies, bytes, ids.
#pragma once

#include <algorithm>
#include <axl/time.hpp>
#include <cstdint>

namespace axl::pubsub {

struct Rate {
  std::uint64_t per_second = 0;
  std::uint64_t burst = 0;
};

class Bucket {
 public:
  /// Whether so many are allowed now; takes them if so. It begins full.
  [[nodiscard]] bool take(const Rate& rate, std::uint64_t amount, Time now) noexcept {
    const auto rest = std::min(Duration{std::chrono::hours{1}}, now - std::max(at_, Time{}));
    const auto gained = static_cast<double>(rate.per_second) * std::chrono::duration<double>(rest).count();
    used_ = std::max(0.0, used_ - gained);
    at_ = now;
    if (used_ + static_cast<double>(amount) > static_cast<double>(rate.burst)) return false;
    used_ += static_cast<double>(amount);
    return true;
  }

 private:
  double used_ = 0;
  Time at_{};
};

}  // namespace axl::pubsub
