#include "pubsub/mesh.hpp"

#include <algorithm>

namespace axl::pubsub {

namespace {

constexpr Duration kLongestBackOff{std::chrono::minutes{5}};
constexpr std::size_t kNamedInPrune = 8;

}  // namespace

const Mesh::Topic* Mesh::find(std::string_view topic) const {
  const auto found = topics_.find(topic);
  return found == topics_.end() ? nullptr : &found->second;
}

bool Mesh::join(std::string_view topic, bool judged, Time now) {
  if (const auto found = topics_.find(topic); found != topics_.end()) {
    found->second.judged = judged;
    return true;
  }
  if (topics_.size() >= config_.max_topics) return false;
  const auto at = topics_.emplace(std::string{topic}, Topic{judged, {}, {}}).first;
  for (const auto& [key, peer] : peers_.all()) out_.topics(peer, pubsub::Topics::What::joined, {at->first});
  fill(at->first, at->second, now);
  return true;
}

void Mesh::leave(std::string_view topic) {
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return;
  for (const auto& key : found->second.peers) {
    if (const auto* peer = peers_.find(key)) out_.prune(*peer, topic, config_.prune_back_off, {});
  }
  for (const auto& [key, peer] : peers_.all()) out_.topics(peer, pubsub::Topics::What::left, {found->first});
  topics_.erase(found);
}

void Mesh::on_peer_connected(const Peer& peer, Time now) {
  std::vector<std::string> names;
  for (const auto& [name, topic] : topics_) names.push_back(name);
  if (!names.empty()) out_.topics(peer, pubsub::Topics::What::all, names);
  if (peer.form == Form::compat) {
    for (auto& [name, topic] : topics_) fill(name, topic, now);
  }
}

void Mesh::on_peer_lost(const PublicKey& peer) {
  for (auto& [name, topic] : topics_) topic.peers.erase(peer);
}

void Mesh::on_peer_joined(Peer& peer, const std::string& name, Time now) {
  if (peer.form == Form::compat || (peer.topics.size() >= config_.max_topics_per_peer)) return;
  peer.topics.insert(name);
  if (const auto found = topics_.find(name); found != topics_.end()) fill(name, found->second, now);
}

void Mesh::on_peer_left(Peer& peer, const std::string& name) {
  peer.topics.erase(name);
  if (const auto found = topics_.find(name); found != topics_.end()) found->second.peers.erase(peer.key);
}

void Mesh::on_graft(Peer& peer, const Graft& graft, Time now) {
  const auto found = topics_.find(graft.topic);
  if (found == topics_.end()) return;  // our leaving and its GRAFT have crossed
  auto& topic = found->second;
  if (topic.peers.contains(peer.key)) return;
  on_peer_joined(peer, graft.topic, now);
  if (!peer.takes(graft.topic) || topic.peers.contains(peer.key)) return;
  const auto back_off = topic.back_off.find(peer.key);
  // Peers of the JSON form know nothing of a back-off.
  if (back_off != topic.back_off.end() && back_off->second > now && peer.form == Form::native) {
    scores_.add(peer.key, scores_.costs().early_graft);
    return turn_away(peer, found->first, topic, now);
  }
  if (topic.peers.size() >= config_.mesh_high) return turn_away(peer, found->first, topic, now);
  topic.peers.insert(peer.key);
}

void Mesh::on_prune(Peer& peer, const Prune& prune, Time now) {
  const auto found = topics_.find(prune.topic);
  if (found == topics_.end()) return;
  const bool was_in = found->second.peers.erase(peer.key) != 0;
  const auto wanted = peer.form == Form::compat ? config_.heartbeat * 2  // which says nothing of it
                                                : Duration{std::chrono::seconds{prune.back_off_seconds}};
  set_back_off(found->second, peer.key, now + std::clamp(wanted, config_.heartbeat, kLongestBackOff));
  // Only who was asked is heard.
  if (!was_in) return;
  for (const auto& key : prune.others) contacts_.offer(key);
}

std::vector<Peer*> Mesh::takers(std::string_view topic) {
  std::vector<Peer*> out;
  for (auto& [key, peer] : peers_.all()) {
    if (peer.takes(topic)) out.push_back(&peer);
  }
  return out;
}

bool Mesh::starving() {
  return std::ranges::any_of(topics_, [this](const auto& entry) {
    return entry.second.peers.size() < config_.mesh_low && takers(entry.first).size() < config_.mesh + config_.gossip;
  });
}

void Mesh::on_heartbeat(Time now) {
  for (auto& [name, topic] : topics_) {
    std::erase_if(topic.back_off, [now](const auto& entry) { return entry.second <= now; });
    fill(name, topic, now);
    cut(name, topic, now);
  }
}

void Mesh::fill(const std::string& name, Topic& topic, Time now) {
  if (topic.peers.size() >= config_.mesh_low) return;
  auto free = takers(name);
  std::erase_if(free, [&](const Peer* peer) {
    const auto back_off = topic.back_off.find(peer->key);
    return topic.peers.contains(peer->key) || (back_off != topic.back_off.end() && back_off->second > now);
  });
  for (const auto* peer : choose(std::move(free), config_.mesh - topic.peers.size(), rng_)) {
    topic.peers.insert(peer->key);
    out_.graft(*peer, name);
  }
}

void Mesh::cut(const std::string& name, Topic& topic, Time now) {
  if (topic.peers.size() <= config_.mesh_high) return;
  const std::vector<PublicKey> all{topic.peers.begin(), topic.peers.end()};
  for (const auto& key : choose(all, all.size() - config_.mesh, rng_)) {
    topic.peers.erase(key);
    if (const auto* peer = peers_.find(key)) turn_away(*peer, name, topic, now);
  }
}

void Mesh::turn_away(const Peer& peer, const std::string& name, Topic& topic, Time now) {
  set_back_off(topic, peer.key, now + config_.prune_back_off);
  out_.prune(peer, name, config_.prune_back_off, others(name, peer.key));
}

void Mesh::set_back_off(Topic& topic, const PublicKey& peer, Time until) {
  if (!topic.back_off.contains(peer) && topic.back_off.size() >= config_.max_back_offs) {
    topic.back_off.erase(std::ranges::min_element(topic.back_off, {}, [](const auto& entry) { return entry.second; }));
  }
  topic.back_off[peer] = until;
}

std::vector<PublicKey> Mesh::others(const std::string& name, const PublicKey& than) {
  std::vector<PublicKey> keys;
  for (const auto* peer : takers(name)) {
    if (peer->key != than && peer->form == Form::native) keys.push_back(peer->key);
  }
  return choose(std::move(keys), kNamedInPrune, rng_);
}

}  // namespace axl::pubsub
