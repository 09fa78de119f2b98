#include "overlay/next_hop.hpp"

#include <algorithm>

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

std::optional<LinkId> NextHop::find(std::span<const std::uint64_t> path, std::uint64_t& watermark) {
  Cached fresh;
  if (path.size() > kCachedPathPorts) fresh = choose(path);
  const auto& choice = path.size() > kCachedPathPorts ? fresh : cached(path);
  if (choice.distance >= watermark) return std::nullopt;
  watermark = choice.distance;
  return choice.link;
}

const NextHop::Cached& NextHop::cached(std::span<const std::uint64_t> path) {
  if (cache_.empty()) cache_.resize(kCacheSlots);
  const auto first = slot_of(path) & ~std::size_t{1};
  for (const auto at : {first, first + 1}) {
    const auto& slot = cache_[at];
    if (slot.tree_shape == tree_.infos().shape() && slot.links_version == neighbours_.version() &&
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
  refresh_index();
  Cached made;
  made.tree_shape = index_shape_;
  made.links_version = index_links_;
  made.distance = tree_distance(path, tree_.coords());
  made.link = index_.best(path, made.distance);
  return made;
}

void NextHop::refresh_index() {
  if (index_shape_ == tree_.infos().shape() && index_links_ == neighbours_.version()) return;
  index_shape_ = tree_.infos().shape();
  index_links_ = neighbours_.version();
  index_.clear();
  for (auto& [key, neighbour] : neighbours_.all()) index_.add(tree_.position(neighbour).coords, neighbour.links);
}

}  // namespace axl::overlay
