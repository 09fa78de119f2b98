#include "router/body_budget.hpp"

#include "core/expect.hpp"

namespace axl::router {

BodyId BodyBudget::begin(const PublicKey& peer) {
  const BodyId id{next_++};
  bodies_.emplace_hint(bodies_.end(), id, Body{.peer = peer});
  of_peer_[peer].insert(id);
  return id;
}

bool BodyBudget::oldest_of_peer(BodyId id, const PublicKey& peer) const {
  const auto found = of_peer_.find(peer);
  return found != of_peer_.end() && *found->second.begin() == id;
}

bool BodyBudget::may_grow(BodyId id, const Body& body, std::size_t bytes) const {
  const auto refusal = quota_.would_refuse(body.peer, bytes);
  if (!refusal || bodies_.begin()->first == id) return true;
  return refusal == Refusal::peer_share && oldest_of_peer(id, body.peer);
}

bool BodyBudget::grow(BodyId id, std::size_t bytes) {
  const auto found = bodies_.find(id);
  AXL_EXPECT_OR(found != bodies_.end(), return false);
  auto& body = found->second;
  if (!may_grow(id, body, bytes)) {
    body.wanted = bytes;
    waiting_.insert(id);
    return false;
  }
  waiting_.erase(id);
  quota_.force(body.peer, bytes);
  body.held += bytes;
  return true;
}

void BodyBudget::end(BodyId id) {
  const auto found = bodies_.find(id);
  AXL_EXPECT_OR(found != bodies_.end(), return );
  const auto of_peer = of_peer_.find(found->second.peer);
  of_peer->second.erase(id);
  if (of_peer->second.empty()) of_peer_.erase(of_peer);
  quota_.give_back(found->second.peer, found->second.held);
  waiting_.erase(id);
  bodies_.erase(found);
  freed_ = true;
}

void BodyBudget::let_go(const PublicKey& peer, std::size_t bytes) {
  quota_.give_back(peer, bytes);
  freed_ = true;
}

std::optional<BodyId> BodyBudget::poll_ready() {
  if (!freed_) return {};
  for (const auto id : waiting_) {
    const auto& body = bodies_.at(id);
    if (!may_grow(id, body, body.wanted)) continue;
    waiting_.erase(id);
    return id;
  }
  freed_ = false;
  return {};
}

}  // namespace axl::router
