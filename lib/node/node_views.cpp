// What a node shows of itself: topology, the nodes that it knows, its counters; and round trips.
#include <algorithm>
#include <map>
#include <utility>

#include "node/node_state.hpp"

namespace axl::node {

Topology NodeState::whole_topology() {
  Topology topology;
  topology.our_key = key_;
  topology.our_address = address_;
  on_loop_and_wait([&] {
    topology = this->topology();
    const auto queue = Router{bridge_->dispatcher(), bridge_->leases(), bridge_->services()}.queue_stats();
    topology.queued_messages = queue.messages;
    topology.queued_bytes = queue.bytes;
    topology.refused_messages = queue.refused_full + queue.refused_share;
    topology.outbox_messages = bridge_->outbox_messages();
  });
  return topology;
}

Topology NodeState::topology() const {
  Topology topology;
  topology.our_key = key_;
  topology.our_address = address_;
  topology.our_coords = core_->overlay().coords();
  topology.peers = links_->peers();
  for (const auto& entry : core_->overlay().tree()) topology.tree.push_back({entry.key, entry.parent, entry.seq});
  topology.sessions = core_->e2e().session_count();
  return topology;
}

std::size_t NodeState::peers_up() const { return links_->up(); }

std::vector<KnownNode> NodeState::known_nodes(std::size_t limit, const std::optional<PublicKey>& after) const {
  const auto now = core_->now();
  std::map<PublicKey, KnownNode> nodes;
  const auto node = [&nodes, &after](const PublicKey& key) -> KnownNode* {
    return after && key <= *after ? nullptr : &nodes[key];
  };
  for (const auto& path : core_->overlay().paths()) {
    if (auto* known = node(path.key)) note(*known, path);
  }
  for (const auto& session : core_->e2e().sessions(now)) {
    if (auto* known = node(session.key)) note(*known, session);
  }
  for (const auto& link : core_->overlay().links()) {
    if (auto* known = node(link.key)) note(*known, link);
  }
  std::vector<KnownNode> out;
  for (auto& [key, known] : nodes) {
    if (out.size() >= limit) break;
    complete(known, key, now);
    out.push_back(std::move(known));
  }
  return out;
}

std::optional<KnownNode> NodeState::known_node(const PublicKey& key) const {
  const auto now = core_->now();
  KnownNode known;
  bool any = false;
  const auto add = [&](const auto& view) {
    note(known, view);
    any = true;
  };
  if (const auto path = core_->overlay().path(key)) add(*path);
  if (const auto session = core_->e2e().session(key, now)) add(*session);
  for (const auto& link : core_->overlay().links()) {
    if (link.key == key) add(link);
  }
  if (key == key_) {
    known.coords = core_->overlay().coords();
    any = true;
  }
  if (!any) return std::nullopt;
  complete(known, key, now);
  return known;
}

void NodeState::note(KnownNode& known, const overlay::Engine::PathView& path) {
  known.path = true;
  known.coords = path.coords;
}

void NodeState::note(KnownNode& known, const e2e::Engine::SessionView& session) {
  known.session = KnownNode::Session{session.rx, session.tx, session.uptime};
}

void NodeState::note(KnownNode& known, const overlay::Engine::LinkView& link) {
  known.link = true;
  known.coords = link.coords;
  if (link.latency) known.latency = std::min(known.latency.value_or(*link.latency), *link.latency);
}

void NodeState::complete(KnownNode& known, const PublicKey& key, Time now) const {
  known.key = key;
  known.address = Address::of(key);
  if (!known.latency) known.latency = round_trips_.find(key, now);
  known.old = bridge_->is_old(key);
}

void NodeState::count(Statistics& out) const {
  links_->count(out);
  core_->count(out);
}

std::vector<KnownNode> NodeState::all_known_nodes(std::size_t limit, const PublicKey* after) {
  std::vector<KnownNode> nodes;
  on_loop_and_wait([&] { nodes = known_nodes(limit, after == nullptr ? std::nullopt : std::optional{*after}); });
  return nodes;
}

Result<KnownNode> NodeState::find_known_node(const PublicKey& key) {
  Result<KnownNode> result = Error{Errc::closed, "the node has been stopped"};
  on_loop_and_wait([&] {
    const auto known = known_node(bridge::resolve(key, *this));
    result = known ? Result<KnownNode>{*known} : Error{Errc::not_found, "the node is not known"};
  });
  return result;
}

Statistics NodeState::statistics() {
  Statistics statistics;
  on_loop_and_wait([&] { statistics = bridge_->statistics(); });
  return statistics;
}

void NodeState::ping_from_anywhere(const PublicKey& peer, Duration timeout, Node::PingHandler handler) {
  executor_->post([this, peer, timeout, handler = std::move(handler)] { ping(peer, timeout, handler); });
}

void NodeState::ping(const PublicKey& peer, Duration timeout, std::function<void(Result<Duration>)> handler) {
  const auto deadline = now() + timeout;
  find_key(peer, deadline, [this, deadline, handler = std::move(handler)](Result<PublicKey> key) {
    if (!key) return handler(Error{Errc::unreachable, key.error().text()});
    ping_key(*key, deadline, handler);
  });
}

void NodeState::ping_key(const PublicKey& key, Time deadline, std::function<void(Result<Duration>)> handler) {
  if (key == key_) {  // a turn of our own loop is all that lies between
    executor_->post([this, begun = now(), handler = std::move(handler)] { handler(now() - begun); });
    return;
  }
  const auto started = core_->e2e().ping(key, deadline, now());
  if (!started) {
    executor_->post([error = started.error(), handler = std::move(handler)] { handler(error); });
    return;
  }
  pings_.emplace(*started, Ping{key, std::move(handler)});
  core_->turn_soon();
}

void NodeState::on_ping_done(const e2e::Engine::PingDone& done) {
  auto ping = pings_.extract(done.id);
  if (ping.empty()) return;
  if (done.round_trip) round_trips_.remember(ping.mapped().key, *done.round_trip, now());
  ping.mapped().handler(done.round_trip);
}

}  // namespace axl::node
