// Which peers are of the older kind, as far as we have seen: they refuse port 7001 and take envelopes and frames on
// port 7000.
//
// Shared by everything that reaches peers, so that one refusal is enough. Bounded: what ends soonest makes room.
//
// Source: bridge, section 8.4.
#pragma once

#include <algorithm>
#include <axl/key.hpp>
#include <axl/time.hpp>
#include <chrono>
#include <cstddef>
#include <map>

namespace axl::bridge {

class OldPeers {
 public:
  static constexpr Duration kRefused{std::chrono::minutes{10}};  ///< port 7001 was refused
  static constexpr Duration kSilent{std::chrono::minutes{1}};    ///< 7001 said nothing while 7000 answered

  explicit OldPeers(std::size_t max_peers = 4'096) noexcept : max_{max_peers} {}

  [[nodiscard]] bool contains(const PublicKey& peer, Time now) const {
    const auto found = until_.find(peer);
    return found != until_.end() && found->second > now;
  }
  /// Never shortens what is remembered.
  void remember(const PublicKey& peer, Duration duration, Time now) {
    std::erase_if(until_, [now](const auto& entry) { return entry.second <= now; });
    if (until_.size() >= max_ && !until_.contains(peer)) {
      until_.erase(std::min_element(until_.begin(), until_.end(),
                                    [](const auto& a, const auto& b) { return a.second < b.second; }));
    }
    auto& until = until_[peer];
    until = std::max(until, now + duration);
  }
  /// It answers on port 7001 after all.
  void forget(const PublicKey& peer) { until_.erase(peer); }

 private:
  std::size_t max_;
  std::map<PublicKey, Time> until_;
};

}  // namespace axl::bridge
