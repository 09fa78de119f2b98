// Greedy forwarding: which link brings a message strictly closer to where its path points.
//
// A message carries the distance of the node that forwarded it last (the watermark); only a node that is closer may
// pass it on, to a neighbour that is closer still. So no message goes round in circles, even while the tree changes.
//
// Source: overlay routing, sections 9.2 and 9.3 (the choice by cost / gain).
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "overlay/hop_index.hpp"
#include "overlay/neighbours.hpp"
#include "overlay/tree.hpp"

namespace axl::overlay {

inline constexpr std::uint64_t kNoWatermark = std::numeric_limits<std::uint64_t>::max();

class NextHop {
 public:
  NextHop(Tree& tree, Neighbours& neighbours) : tree_{tree}, neighbours_{neighbours} {}

  /// The link for `path`, or none: nobody is closer, or `watermark` says that somebody has been closer. Otherwise
  /// `watermark` becomes our own distance, also when there is no link.
  [[nodiscard]] std::optional<LinkId> find(std::span<const std::uint64_t> path, std::uint64_t& watermark);

 private:
  // Choices of the same path repeat packet after packet; they hold until the tree, a link or a cost changes.
  struct Cached {
    std::uint64_t tree_shape = 0;
    std::uint64_t links_version = 0;
    std::vector<std::uint64_t> path;
    std::uint64_t distance = 0;
    std::optional<LinkId> link;
  };
  Cached choose(std::span<const std::uint64_t> path);
  const Cached& cached(std::span<const std::uint64_t> path);
  void refresh_index();

  Tree& tree_;
  Neighbours& neighbours_;
  std::vector<Cached> cache_;  // made on first use; pairs of slots, by a hash of the path
  std::size_t victim_ = 0;     // which of a pair goes next
  HopIndex index_;             // of all neighbours, as of these two:
  std::uint64_t index_shape_ = 0;
  std::uint64_t index_links_ = 0;
};

}  // namespace axl::overlay
