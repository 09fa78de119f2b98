#include "overlay/next_hop.hpp"

#include <algorithm>
#include <tuple>

namespace axl::overlay {

namespace {
constexpr std::size_t kCacheSlots = 256;
constexpr std::size_t kCachedPathPorts = 64;

std::size_t slot_of(std::span<const std::uint64_t> path) noexcept {
  std::uint64_t hash = 0x9e3779b97f4a7c15 ^ path.size();
  for (const auto port : path) {
    hash = (hash ^ port) * 0xff51afd7ed558ccd;
    hash ^= hash >> 32;
  }
  return hash % kCacheSlots;
}
}  // namespace

void HopChoice::offer(std::span<const Link> links, std::uint64_t distance) noexcept {
  if (distance >= distance_) return;
  const auto gain = distance_ - distance;
  std::uint8_t priority = 255;
  for (const auto& link : links) priority = std::min(priority, link.priority);
  for (const auto& link : links) {
    if (link.priority != priority) continue;
    const auto value = link.cost() / gain;
    if (best_ != nullptr &&
        std::tuple{best_value_, best_distance_, best_->id} <= std::tuple{value, distance, link.id}) {
      continue;
    }
    best_ = &link;
    best_value_ = value;
    best_distance_ = distance;
  }
}

const Link* NextHop::find(std::span<const std::uint64_t> path, std::uint64_t& watermark) {
  Cached fresh;
  if (path.size() > kCachedPathPorts) fresh = choose(path);
  const auto& choice = path.size() > kCachedPathPorts ? fresh : cached(path);
  if (choice.distance >= watermark) return nullptr;
  watermark = choice.distance;
  return choice.link;
}

const NextHop::Cached& NextHop::cached(std::span<const std::uint64_t> path) {
  if (cache_.empty()) cache_.resize(kCacheSlots);
  const auto first = slot_of(path) & ~std::size_t{1};
  for (const auto at : {first, first + 1}) {
    const auto& slot = cache_[at];
    if (slot.infos_version == tree_.infos().version() && slot.links_version == neighbours_.version() &&
        std::ranges::equal(slot.path, path)) {
      return slot;
    }
  }
  victim_ ^= 1;
  auto& slot = cache_[first + victim_];
  auto kept = std::move(slot.path);  // its memory
  slot = choose(path);
  slot.path = std::move(kept);
  slot.path.assign(path.begin(), path.end());
  return slot;
}

NextHop::Cached NextHop::choose(std::span<const std::uint64_t> path) {
  Cached made;
  made.infos_version = tree_.infos().version();
  made.links_version = neighbours_.version();
  made.distance = tree_distance(path, tree_.coords());
  HopChoice choice{made.distance};
  for (auto& [key, neighbour] : neighbours_.all()) {
    choice.offer(neighbour.links, tree_distance(path, tree_.position(neighbour).coords));
  }
  made.link = choice.best();
  return made;
}

}  // namespace axl::overlay
