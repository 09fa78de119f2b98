// Which link brings a message closest to where its path points, found without asking every neighbour.
//
// Only links to neighbours that are closer than this node count; of them the one with the least cost / gain, then the
// closest, then the oldest. A neighbour that shares k ports with a path of length p is at p + its own depth - 2k, so
// what decides is k, depth, cost and age: all links are offers at every prefix of their neighbour's coordinates, and a
// path is compared with the offers at its own prefixes. An offer that shares more with the path than the prefix says is
// weighed too low there, and at its true weight further down, so the best of all is the best. At a prefix only those
// offers are kept that can win: a few of a thousand children.
//
// Source: overlay routing, section 9.3 (the choice by cost / gain).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "overlay/neighbours.hpp"

namespace axl::overlay {

class HopIndex {
 public:
  void clear();
  /// All links to one neighbour, which stands at `coords`. Of several priorities only the most preferred counts.
  void add(std::span<const std::uint64_t> coords, std::span<const Link> links);
  /// `distance`: of this node to the end of `path`. Empty: nobody is closer.
  [[nodiscard]] std::optional<LinkId> best(std::span<const std::uint64_t> path, std::uint64_t distance) const;

 private:
  struct Offer {
    LinkId link{};
    std::uint64_t cost = 0;
    std::uint64_t depth = 0;
    /// Whether `other` cannot be chosen where this one is, at any distance.
    [[nodiscard]] bool beats(const Offer& other) const noexcept;
  };
  using Place = std::uint32_t;
  using Longer = std::vector<std::pair<std::uint64_t, Place>>;
  [[nodiscard]] static Longer::const_iterator find(const Longer& longer, std::uint64_t port);
  [[nodiscard]] Place child(Place place, std::uint64_t port);
  static void offer(std::vector<Offer>& offers, const Offer& made);

  struct Prefix {
    Longer longer;  // by the next port
    std::vector<Offer> offers;
  };
  std::vector<Prefix> prefixes_{1};  // the first is the empty one
};

}  // namespace axl::overlay
