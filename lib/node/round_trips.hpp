// The round trips last measured, for those who ask how far a key is.
//
// Bounded: the oldest goes. What is older than ten minutes says nothing any more.
#pragma once

#include <algorithm>
#include <axl/key.hpp>
#include <axl/time.hpp>
#include <chrono>
#include <cstddef>
#include <map>
#include <optional>

namespace axl::node {

class RoundTrips {
 public:
  static constexpr std::size_t kMax = 1'024;
  static constexpr Duration kValid{std::chrono::minutes{10}};

  void remember(const PublicKey& key, Duration round_trip, Time now) {
    if (measured_.size() >= kMax && !measured_.contains(key)) {
      measured_.erase(
          std::ranges::min_element(measured_, {}, [](const auto& item) { return item.second.measured; }));
    }
    measured_[key] = {round_trip, now};
  }
  [[nodiscard]] std::optional<Duration> find(const PublicKey& key, Time now) const {
    const auto found = measured_.find(key);
    if (found == measured_.end() || now - found->second.measured > kValid) return std::nullopt;
    return found->second.round_trip;
  }

 private:
  struct Entry {
    Duration round_trip{};
    Time measured{};
  };
  std::map<PublicKey, Entry> measured_;
};

}  // namespace axl::node
