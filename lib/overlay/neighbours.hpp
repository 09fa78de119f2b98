// The nodes on the other end of our links: one entry per key, with all its links.
//
// Links to one key share port, requests and filters; each has its own latency, from which its cost follows.
//
// Source: overlay routing, sections 6.1, 8.3, 8.5 and 8.9. Iterates in key order, links oldest first.
#pragma once

#include <axl/result.hpp>
#include <axl/time.hpp>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "overlay/infos.hpp"
#include "overlay/output.hpp"
#include "overlay/rate_limit.hpp"

namespace axl::overlay {

struct Link {
  /// Latency of a link that has not been measured, in nanoseconds.
  static constexpr std::uint64_t kUnknownLatency = 4'294'967'295;

  LinkId id{};
  std::uint8_t priority = 0;  ///< lower is preferred
  std::uint64_t latency = kUnknownLatency;
  std::optional<Duration> last_rtt;
  bool counted = false;  ///< its answer to the current request has been used for the latency
  bool proven = false;   ///< has answered a fresh request
  TokenBucket sig_res;
  std::deque<wire::SigReq> owed;  ///< requests whose answer is delayed

  /// Whole milliseconds of latency, at least 1.
  [[nodiscard]] std::uint64_t cost() const noexcept;
  void on_round_trip(Duration rtt) noexcept;
};

struct Neighbour {
  PublicKey key;
  PeerPort port{};
  std::vector<Link> links;  ///< oldest first, never empty
  std::optional<wire::SigReq> request;
  std::optional<wire::SigRes> response;  ///< the first valid answer to `request`
  TokenBucket lookups;

  [[nodiscard]] std::size_t index() const noexcept { return static_cast<std::size_t>(port); }
  [[nodiscard]] Link* link(LinkId id) noexcept;
  /// The link that lookups take: lowest priority value, then oldest.
  [[nodiscard]] const Link& preferred() const noexcept;

  // Position in the tree, valid while its stamp is the table's shape.
  Infos::Position position;
  std::uint64_t position_stamp = 0;
};

class Neighbours {
 public:
  /// `first` tells whether this is the first link to the key.
  struct Added {
    Neighbour* neighbour = nullptr;
    bool first = false;
  };
  Result<Added> add_link(LinkId id, const PublicKey& key, std::uint8_t priority);
  /// Call remove_if_gone() after the link's neighbour has lost its last link and its traces are gone.
  void remove_link(LinkId id);
  void remove_if_gone(const PublicKey& key);

  [[nodiscard]] Neighbour* by_link(LinkId id) const;
  [[nodiscard]] Neighbour* find(const PublicKey& key);
  [[nodiscard]] const Neighbour* find(const PublicKey& key) const;
  [[nodiscard]] std::map<PublicKey, Neighbour>& all() noexcept { return all_; }
  [[nodiscard]] const std::map<PublicKey, Neighbour>& all() const noexcept { return all_; }

  /// Changes with every link and cost: next hops computed before are stale.
  [[nodiscard]] std::uint64_t version() const noexcept { return version_; }
  void touch() noexcept { ++version_; }

 private:
  std::map<PublicKey, Neighbour> all_;
  std::unordered_map<LinkId, Neighbour*> by_link_;
  std::set<PeerPort> free_;  // below next_
  std::uint64_t next_ = 1;
  std::uint64_t version_ = 1;
};

}  // namespace axl::overlay
