#include "bridge/frame_server.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "bridge/frame_connection.hpp"

namespace axl::bridge {

FrameServer::FrameServer(const NodeConfig& config, const Limits& limits, Inbox& inbox, BodyGate& gate, Host& host,
                         Logger logger)
    : config_{config},
      limits_{limits},
      inbox_{inbox},
      gate_{gate},
      host_{host},
      logger_{std::move(logger)},
      eviction_{host.make_timer([this] {
        make_room();
        fill_places();
      })} {}

FrameServer::~FrameServer() = default;

std::size_t FrameServer::under_way() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      connections_, [](const auto& entry) { return !entry.second->idle() && !entry.second->closing(); }));
}

std::size_t FrameServer::held_by(const PublicKey& peer) const {
  const auto held = by_peer_.find(peer);
  return held == by_peer_.end() ? 0 : held->second;
}

// The first whose peer is below its share, else the first of all.
FrameServer::Waiting::iterator FrameServer::next_in_line() {
  const auto modest = std::ranges::find_if(waiting_, [this](const auto& connection) {
    return held_by(connection->peer()) < limits_.per_peer_when_others_wait;
  });
  return modest == waiting_.end() ? waiting_.begin() : modest;
}

void FrameServer::accept(std::unique_ptr<tcpip::Connection> connection) {
  const auto peer = connection->peer();
  const auto waiting = waiting_by_peer_.find(peer);
  if (draining_ || waiting_.size() >= limits_.waiting ||
      (waiting != waiting_by_peer_.end() && waiting->second >= limits_.waiting_per_peer)) {
    ++refused_;
    logger_(LogLevel::warning, "bridge", "Connection limit reached ({}), rejecting connection from {}",
            config_.max_concurrent_conns, Address::of(peer).to_string());
    return;
  }
  connection->pause_reading();
  waiting_.push_back(std::move(connection));
  ++waiting_by_peer_[peer];
  fill_places();
  if (!waiting_.empty()) {
    make_room();
    arm_eviction();
  }
}

void FrameServer::fill_places() {
  while (!waiting_.empty() && connections_.size() < config_.max_concurrent_conns) {
    const auto next = next_in_line();
    auto connection = std::move(*next);
    waiting_.erase(next);
    const auto peer = connection->peer();
    if (--waiting_by_peer_[peer] == 0) waiting_by_peer_.erase(peer);
    ++by_peer_[peer];
    const auto id = next_++;
    auto& stream = *connection;
    connections_.emplace(id, std::make_unique<FrameConnection>(*this, id, std::move(connection)));
    stream.resume_reading();
  }
  arm_eviction();
}

// Closes the connection that has idled longest, of the peer that holds the most; never one of a peer that holds no more
// than the one in line.
void FrameServer::make_room() {
  if (waiting_.empty() || connections_.size() < config_.max_concurrent_conns) return;
  const auto candidate = (*next_in_line())->peer();
  FrameConnection* victim = nullptr;
  const auto rank = [this](const FrameConnection& c) {
    return std::pair{held_by(c.peer()), -c.idle_since().time_since_epoch()};
  };
  for (auto& [id, connection] : connections_) {
    if (connection->closing()) return;  // one is leaving already
    if (!connection->idle() || connection->idle_since() + limits_.evict_after > host_.now()) continue;
    if (connection->peer() != candidate && held_by(connection->peer()) <= held_by(candidate)) continue;
    if (victim == nullptr || rank(*connection) > rank(*victim)) victim = connection.get();
  }
  if (victim != nullptr) victim->close();
}

void FrameServer::arm_eviction() {
  if (!waiting_.empty()) eviction_->arm(host_.now() + limits_.evict_after);
}

void FrameServer::gone(std::uint64_t id) {
  const auto node = connections_.extract(id);
  if (!node) return;
  const auto held = by_peer_.find(node.mapped()->peer());
  if (--held->second == 0) by_peer_.erase(held);
  turn_passed(node.mapped()->peer());
  if (!draining_) fill_places();
}

bool FrameServer::older_expected(const PublicKey& peer, std::uint64_t id) const {
  return std::any_of(connections_.begin(), connections_.lower_bound(id), [&peer](const auto& entry) {
    return entry.second->peer() == peer && entry.second->first_expected();
  });
}

void FrameServer::turn_passed(const PublicKey& peer) {
  for (auto& [id, connection] : connections_) {
    if (connection->peer() == peer) connection->look_for_turn();
  }
}

void FrameServer::drain() {
  draining_ = true;
  waiting_.clear();
  waiting_by_peer_.clear();
  std::vector<FrameConnection*> all;
  for (auto& [id, connection] : connections_) all.push_back(connection.get());
  for (auto* connection : all) connection->drain();
}

}  // namespace axl::bridge
