#include "overlay/neighbours.hpp"

#include <algorithm>

namespace axl::overlay {

std::uint64_t Link::cost() const noexcept { return std::max<std::uint64_t>(1, latency / 1'000'000); }

void Link::on_round_trip(Duration rtt) noexcept {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 50;  // 13 days; keeps the arithmetic inside 64 bits
  const auto measured = std::min(kMost, static_cast<std::uint64_t>(std::max<Duration::rep>(0, rtt.count())));
  last_rtt = rtt;
  if (latency == kUnknownLatency) {
    latency = measured * 2;  // a new link has to earn its place
  } else {
    latency = latency * 7 / 8 + std::min(measured, latency * 2) / 8;
  }
}

Link* Neighbour::link(LinkId id) noexcept {
  for (auto& link : links) {
    if (link.id == id) return &link;
  }
  return nullptr;
}

const Link& Neighbour::preferred() const noexcept {
  return *std::min_element(links.begin(), links.end(),
                           [](const Link& a, const Link& b) { return a.priority < b.priority; });
}

Result<Neighbours::Added> Neighbours::add_link(LinkId id, const PublicKey& key, std::uint8_t priority) {
  if (by_link_.contains(id)) return Error{Errc::already_exists, "this link is up already"};
  const auto [place, first] = all_.try_emplace(key);
  auto& neighbour = place->second;
  if (first) {
    neighbour.key = key;
    if (free_.empty()) {
      neighbour.port = PeerPort{next_++};
    } else {
      neighbour.port = *free_.begin();
      free_.erase(free_.begin());
    }
  }
  Link link;
  link.id = id;
  link.priority = priority;
  const auto at = std::upper_bound(neighbour.links.begin(), neighbour.links.end(), id,
                                   [](LinkId wanted, const Link& other) { return wanted < other.id; });
  neighbour.links.insert(at, std::move(link));
  by_link_.emplace(id, &neighbour);
  ++version_;
  return Added{&neighbour, first};
}

void Neighbours::remove_link(LinkId id) {
  const auto found = by_link_.find(id);
  if (found == by_link_.end()) return;
  std::erase_if(found->second->links, [id](const Link& link) { return link.id == id; });
  by_link_.erase(found);
  ++version_;
}

void Neighbours::remove_if_gone(const PublicKey& key) {
  const auto found = all_.find(key);
  if (found == all_.end() || !found->second.links.empty()) return;
  free_.insert(found->second.port);
  all_.erase(found);
  ++version_;
}

Neighbour* Neighbours::by_link(LinkId id) const {
  const auto found = by_link_.find(id);
  return found == by_link_.end() ? nullptr : found->second;
}

Neighbour* Neighbours::find(const PublicKey& key) {
  const auto found = all_.find(key);
  return found == all_.end() ? nullptr : &found->second;
}

const Neighbour* Neighbours::find(const PublicKey& key) const {
  const auto found = all_.find(key);
  return found == all_.end() ? nullptr : &found->second;
}

}  // namespace axl::overlay
