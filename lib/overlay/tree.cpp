#include "overlay/tree.hpp"

#include <limits>

namespace axl::overlay {

Tree::Tree(const Config& config, const PrivateKey& key, const crypto::Verifier& verify, Rng& rng,
           Neighbours& neighbours)
    : config_{config}, key_{key}, verify_{verify}, rng_{rng}, neighbours_{neighbours} {}

std::uint64_t Tree::next_seq() const {
  const auto* self = infos_.find(own());
  return self == nullptr ? 1 : self->announce.seq + 1;
}

const wire::SigReq& Tree::request(Neighbour& neighbour) {
  if (!neighbour.request) neighbour.request = wire::SigReq{next_seq(), rng_.next_u64()};
  return *neighbour.request;
}

wire::SigRes Tree::answer(const Neighbour& neighbour, const wire::SigReq& request) const {
  const auto port = static_cast<std::uint64_t>(neighbour.port);
  const auto bytes = wire::signed_bytes(neighbour.key, own(), request.seq, request.nonce, port);
  return {request.seq, request.nonce, port, crypto::sign(key_, bytes)};
}

void Tree::start_round() {
  for (auto& [key, neighbour] : neighbours_.all()) {
    neighbour.request.reset();
    neighbour.response.reset();
    for (auto& link : neighbour.links) link.counted = false;
    request(neighbour);
  }
}

Result<Tree::Response> Tree::on_sig_res(Neighbour& neighbour, Link& link, const wire::SigRes& response,
                                        std::optional<Duration> rtt) {
  const auto bytes = wire::signed_bytes(own(), neighbour.key, response.seq, response.nonce, response.port);
  if (!verify_(neighbour.key, bytes, response.psig)) {
    return Error{Errc::crypto, "the signature of a SigRes does not hold"};
  }
  // With port 0 our announcement would be one that every neighbour answers by closing the link.
  if (config_.strict_sig_res_port && response.port == 0) return Response::ignored;
  if (!neighbour.request || *neighbour.request != wire::SigReq{response.seq, response.nonce}) return Response::ignored;
  const bool stored = !neighbour.response;
  if (stored) {
    neighbour.response = response;
    const auto* self = infos_.find(own());
    if (config_.strict_parent_port && self != nullptr && self->announce.parent == neighbour.key &&
        self->announce.port != response.port) {
      flags_.refresh = true;
    }
  }
  if (!link.counted && rtt) {
    link.counted = true;
    const auto cost = link.cost();
    link.on_round_trip(*rtt);
    if (link.cost() != cost) neighbours_.touch();
  }
  return stored ? Response::stored : Response::repeated;
}

Result<Tree::Verdict> Tree::on_announce(const Neighbour& from, const wire::Announce& announce, Time now) {
  auto* stored = infos_.find(announce.key);
  if (stored != nullptr && stored->announce == announce) {  // known to be valid
    stored->holders.add(from.index());
    return Verdict::refused;
  }
  if (!announce.valid(verify_)) return Error{Errc::crypto, "an Announce is invalid"};
  if (stored != nullptr && !supersedes(announce, stored->announce)) {
    stored->holders.add(from.index());
    // Two nodes that hold announcements which differ only in port or signatures would answer each other forever.
    const bool twin = announce.seq == stored->announce.seq && announce.parent == stored->announce.parent &&
                      announce.nonce == stored->announce.nonce;
    return config_.strict_twins && twin ? Verdict::refused : Verdict::send_ours_back;
  }
  const bool ours = announce.key == own();
  if (stored == nullptr && !ours && !make_room(from.key)) return Verdict::refused;
  const auto due = now + (ours ? config_.router_refresh : config_.router_timeout);
  infos_.store(announce, due, from.key).holders.add(from.index());
  if (ours) flags_.refresh = true;
  return Verdict::accepted;
}

// A full table loses what is oldest and in nobody's ancestry; when all of it is needed, the new one is refused.
bool Tree::make_room(const PublicKey& via) {
  const bool full_for_one =
      config_.max_infos_per_neighbour != 0 && infos_.introduced_by(via) >= config_.max_infos_per_neighbour;
  const bool full = config_.max_infos != 0 && infos_.size() >= config_.max_infos;
  if (!full_for_one && !full) return true;
  std::vector<PublicKey> keep{own()};
  for (const auto& [key, neighbour] : neighbours_.all()) keep.push_back(key);
  const auto victim = infos_.oldest_outside(keep, full_for_one ? &via : nullptr);
  if (!victim) return false;
  infos_.erase(*victim);
  return true;
}

std::vector<const wire::Announce*> Tree::unsent(const Neighbour& neighbour) {
  std::vector<const wire::Announce*> list;
  for (const auto* start : {&own(), &neighbour.key}) {
    const auto chain = infos_.chain(*start);
    for (auto key = chain.rbegin(); key != chain.rend(); ++key) {
      auto* entry = infos_.find(**key);
      if (entry->holders.has(neighbour.index())) continue;
      entry->holders.add(neighbour.index());
      list.push_back(&entry->announce);
    }
  }
  return list;
}

std::vector<const wire::Announce*> Tree::held(const Neighbour& neighbour) const {
  std::vector<const wire::Announce*> list;
  for (const auto& [key, entry] : infos_.entries()) {
    if (entry.holders.has(neighbour.index())) list.push_back(&entry.announce);
  }
  return list;
}

void Tree::on_due(const PublicKey& key) {
  if (key == own()) {
    flags_.refresh = true;
    infos_.clear_due(key);
  } else {
    infos_.erase(key);
  }
}

PublicKey Tree::parent() const {
  const auto* self = infos_.find(own());
  return self == nullptr ? PublicKey{} : self->announce.parent;
}

bool Tree::choose_parent(TickKind kind, Time now) {
  if (kind == TickKind::regular) flags_.root2 = flags_.root2 || flags_.root1;
  const auto current = parent();
  auto best_root = own();
  Neighbour* best = nullptr;
  auto best_cost = std::numeric_limits<std::uint64_t>::max();
  const auto value_of = [](std::uint64_t depth, const Neighbour& neighbour) {
    auto least = std::numeric_limits<std::uint64_t>::max();
    for (const auto& link : neighbour.links) least = std::min(least, depth * link.cost());
    return least;
  };

  if (auto* neighbour = neighbours_.find(current); neighbour != nullptr && position().root < best_root) {
    best_root = position().root;
    best = neighbour;
    best_cost = value_of(position().depth, *neighbour);
  }
  for (auto& [key, neighbour] : neighbours_.all()) {
    if (!neighbour.response) continue;
    const auto& place = position(neighbour);
    if (!place.known || place.through_us) continue;
    const auto value = value_of(place.depth, neighbour);
    if (place.root > best_root) continue;
    if (place.root == best_root) {
      // Under the same root a working parent is left only at a refresh, and only for one at less than half the cost.
      const auto& best_parent = best == nullptr ? own() : best->key;
      const bool much_better = flags_.refresh && 2 * value < best_cost;
      const bool replaces_lost = best_parent != current && value < best_cost;
      if (!much_better && !replaces_lost) continue;
    }
    best_root = place.root;
    best = &neighbour;
    best_cost = value;
  }

  const auto& best_parent = best == nullptr ? own() : best->key;
  if (!flags_.refresh && !flags_.root1 && !flags_.root2 && current == best_parent) return false;
  if (best_root != own() && best != nullptr && best->response && adopt(*best, now)) return true;
  if (flags_.root2) return become_root(now);
  if (kind == TickKind::regular) flags_.root1 = true;
  return false;
}

bool Tree::update_own(const wire::Announce& announce, Time now) {
  const auto* stored = infos_.find(own());
  if (stored != nullptr && !supersedes(announce, stored->announce)) return false;
  infos_.store(announce, now + config_.router_refresh, own());
  return true;
}

bool Tree::adopt(const Neighbour& neighbour, Time now) {
  const auto& response = *neighbour.response;
  const auto bytes = wire::signed_bytes(own(), neighbour.key, response.seq, response.nonce, response.port);
  const wire::Announce announce{
      own(), neighbour.key, response.seq, response.nonce, response.port, response.psig, crypto::sign(key_, bytes)};
  if (!update_own(announce, now)) return false;  // our seq has moved since we asked
  flags_ = {false, false, false};
  return true;
}

bool Tree::become_root(Time now) {
  const auto seq = next_seq();
  const auto nonce = rng_.next_u64();
  const auto signature = crypto::sign(key_, wire::signed_bytes(own(), own(), seq, nonce, 0));
  flags_ = {false, false, false};
  return update_own({own(), own(), seq, nonce, 0, signature, signature}, now);
}

const Infos::Position& Tree::position() {
  if (position_stamp_ != infos_.shape()) {
    position_ = infos_.position(own(), own());
    position_stamp_ = infos_.shape();
  }
  return position_;
}

const Infos::Position& Tree::position(Neighbour& neighbour) {
  if (neighbour.position_stamp != infos_.shape()) {
    neighbour.position = infos_.position(neighbour.key, own());
    neighbour.position_stamp = infos_.shape();
  }
  return neighbour.position;
}

bool Tree::on_tree(const PublicKey& neighbour) const {
  const auto* self = infos_.find(own());
  if (self != nullptr && self->announce.parent == neighbour) return true;
  const auto* entry = infos_.find(neighbour);
  return entry != nullptr && entry->announce.parent == own();
}

}  // namespace axl::overlay
