// Greedy forwarding: which link brings a message strictly closer to where its path points.
//
// A message carries the distance of the node that forwarded it last (the watermark); only a node that is closer may
// pass it on, to a neighbour that is closer still. So no message goes round in circles, even while the tree changes.
//
// Source: overlay routing, sections 9.2 and 9.3 (the choice by cost / gain).
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "overlay/neighbours.hpp"
#include "overlay/tree.hpp"

namespace axl::overlay {

inline constexpr std::uint64_t kNoWatermark = std::numeric_limits<std::uint64_t>::max();

/// The rule itself, over any neighbours: feed it each key's links, then ask for the best.
class HopChoice {
 public:
  /// `distance`: of this node to the target.
  explicit HopChoice(std::uint64_t distance) noexcept : distance_{distance} {}
  /// All links to one key, whose distance to the target is `distance`.
  void offer(std::span<const Link> links, std::uint64_t distance) noexcept;
  [[nodiscard]] const Link* best() const noexcept { return best_; }

 private:
  std::uint64_t distance_;
  const Link* best_ = nullptr;
  std::uint64_t best_value_ = 0;
  std::uint64_t best_distance_ = 0;
};

class NextHop {
 public:
  NextHop(Tree& tree, Neighbours& neighbours) : tree_{tree}, neighbours_{neighbours} {}

  /// The link for `path`, or null: nobody is closer, or `watermark` says that somebody has been closer. Otherwise
  /// `watermark` becomes our own distance, also when there is no link.
  [[nodiscard]] const Link* find(std::span<const std::uint64_t> path, std::uint64_t& watermark);

 private:
  // Choices of the same path repeat packet after packet; they hold until the tree, a link or a cost changes.
  struct Cached {
    std::uint64_t infos_version = 0;
    std::uint64_t links_version = 0;
    std::vector<std::uint64_t> path;
    std::uint64_t distance = 0;
    const Link* link = nullptr;
  };
  Cached choose(std::span<const std::uint64_t> path);
  const Cached& cached(std::span<const std::uint64_t> path);

  Tree& tree_;
  Neighbours& neighbours_;
  std::vector<Cached> cache_;  // made on first use; pairs of slots, by a hash of the path
  std::size_t victim_ = 0;     // which of a pair goes next
};

}  // namespace axl::overlay
