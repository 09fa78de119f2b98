#include "overlay/hop_index.hpp"

#include <algorithm>
#include <tuple>

namespace axl::overlay {

bool HopIndex::Offer::beats(const Offer& other) const noexcept {
  if (depth > other.depth || cost > other.cost) return false;
  return depth < other.depth || link <= other.link;
}

void HopIndex::clear() {
  prefixes_.clear();
  prefixes_.emplace_back();
}

void HopIndex::add(std::span<const std::uint64_t> coords, std::span<const Link> links) {
  std::uint8_t priority = 255;
  for (const auto& link : links) priority = std::min(priority, link.priority);
  Place place = 0;
  for (std::size_t shared = 0;; ++shared) {
    for (const auto& link : links) {
      if (link.priority == priority) offer(prefixes_[place].offers, {link.id, link.cost(), coords.size()});
    }
    if (shared == coords.size()) return;
    place = child(place, coords[shared]);
  }
}

// The first entry with this port or a higher one. Ports are given out from the lowest, so a port mostly stands as far
// behind the first one as their numbers say, and never further.
HopIndex::Longer::const_iterator HopIndex::find(const Longer& longer, std::uint64_t port) {
  if (longer.empty() || port <= longer.front().first) return longer.begin();
  const auto last = std::min<std::uint64_t>(port - longer.front().first, longer.size());
  const auto end = longer.begin() + static_cast<std::ptrdiff_t>(last);
  if (end != longer.end() && end->first == port) return end;
  return std::lower_bound(longer.begin(), end, port, [](const auto& entry, auto wanted) { return entry.first < wanted; });
}

HopIndex::Place HopIndex::child(Place place, std::uint64_t port) {
  auto& longer = prefixes_[place].longer;
  const auto at = find(longer, port);
  if (at != longer.end() && at->first == port) return at->second;
  const auto made = static_cast<Place>(prefixes_.size());
  longer.emplace(at, port, made);
  prefixes_.emplace_back();
  return made;
}

void HopIndex::offer(std::vector<Offer>& offers, const Offer& made) {
  if (std::ranges::any_of(offers, [&](const Offer& other) { return other.beats(made); })) return;
  std::erase_if(offers, [&](const Offer& other) { return made.beats(other); });
  offers.push_back(made);
}

std::optional<LinkId> HopIndex::best(std::span<const std::uint64_t> path, std::uint64_t distance) const {
  std::optional<LinkId> best;
  std::tuple<std::uint64_t, std::uint64_t, LinkId> best_rank;
  const auto* prefix = &prefixes_.front();
  for (std::size_t shared = 0;; ++shared) {
    for (const auto& offer : prefix->offers) {
      const auto its_distance = path.size() + offer.depth - 2 * shared;
      if (its_distance >= distance) continue;
      const std::tuple rank{offer.cost / (distance - its_distance), its_distance, offer.link};
      if (best && best_rank <= rank) continue;
      best = offer.link;
      best_rank = rank;
    }
    if (shared == path.size()) return best;
    const auto at = find(prefix->longer, path[shared]);
    if (at == prefix->longer.end() || at->first != path[shared]) return best;
    prefix = &prefixes_[at->second];
  }
}

}  // namespace axl::overlay
