#include "convergecast_swarm.hpp"

#include <algorithm>

namespace axl::simulation {

using convergecast::Engine;

namespace {
// How often nodes look at the overlay's tree; the time between is the delay with which they learn of changes.
constexpr Duration kLook{std::chrono::milliseconds{20}};
}  // namespace

ConvergecastSwarm::ConvergecastSwarm(Network& network, const convergecast::Config& config, std::uint64_t seed)
    : network_{network}, config_{config}, seed_{seed}, random_{seed}, nodes_(network.size()) {
  for (NodeId node = 0; node < nodes_.size(); ++node) start(node);
}

void ConvergecastSwarm::start(NodeId node) {
  auto& entry = nodes_[node];
  wakes_.erase({entry.wake, node});
  entry.wake = Time::max();
  entry.engine.reset();
  entry.rng = std::make_unique<crypto::SeededRng>(seed_ ^ ++starts_ << 24);
  entry.engine = std::make_unique<Engine>(config_, network_.key(node).public_key(), *entry.rng, network_.now());
  for (const auto& [name, merge] : merges_) (void)entry.engine->add_merge(name, merge);
  entry.place_version = 0;
  look_at_tree(node);
}

void ConvergecastSwarm::add_merge(const std::string& name, convergecast::Merge merge) {
  for (auto& node : nodes_) (void)node.engine->add_merge(name, merge);
  merges_.emplace(name, std::move(merge));
}

void ConvergecastSwarm::restart(NodeId node, Duration pause) {
  network_.restart(node, pause);
  start(node);
}

void ConvergecastSwarm::look_at_tree(NodeId node) {
  const auto& overlay = network_.engine(node);
  auto& entry = nodes_[node];
  if (overlay.place_version() == entry.place_version) return;
  entry.place_version = overlay.place_version();
  const auto place = overlay.place();
  entry.engine->on_tree(place.parent, place.children, network_.now());
}

convergecast::Token ConvergecastSwarm::ask(NodeId node, Question question) {
  look_at_tree(node);
  const auto token = nodes_[node].engine->ask(std::move(question), network_.now());
  if (!token) std::abort();
  drain(node);
  return *token;
}

void ConvergecastSwarm::run_until(Time end) {
  while (network_.now() < end) {
    const auto step = std::min(end, network_.now() + kLook);
    while (true) {
      const auto wake = wakes_.empty() ? Time::max() : wakes_.begin()->first;
      const auto event = events_.empty() ? Time::max() : events_.top().time;
      if (std::min(wake, event) > step) break;
      network_.run_until(std::max(network_.now(), std::min(wake, event)));
      if (event <= wake) {
        const auto next = events_.top();
        events_.pop();
        if (on_body && on_body(next.to, next.from, next.body)) continue;
        (void)nodes_[next.to].engine->on_message(network_.key(next.from).public_key(), next.body, network_.now());
        drain(next.to);
      } else {
        const auto node = wakes_.begin()->second;
        nodes_[node].engine->on_tick(network_.now());
        drain(node);
      }
    }
    network_.run_until(step);
    for (NodeId node = 0; node < nodes_.size(); ++node) look_at_tree(node);
  }
}

void ConvergecastSwarm::drain(NodeId node) {
  auto& engine = *nodes_[node].engine;
  while (auto output = engine.poll_output()) {
    if (const auto* sent = std::get_if<convergecast::Send>(&*output)) {
      const auto to = network_.node_of(sent->to);
      if (to && !(on_send && on_send(node, *to, sent->body))) carry(node, *to, sent->body);
    } else if (const auto* wanted = std::get_if<convergecast::Wanted>(&*output)) {
      const auto values = value ? value(node, *wanted) : std::nullopt;
      if (values && !engine.contribute(wanted->session, *values)) std::abort();
    } else if (const auto* finished = std::get_if<convergecast::Finished>(&*output)) {
      if (on_finished) on_finished(node, *finished);
    } else if (const auto* told = std::get_if<convergecast::Told>(&*output)) {
      if (on_told) on_told(node, *told);
    }
  }
  const auto stats = engine.stats();
  most.running = std::max(most.running, stats.running);
  most.sessions = std::max(most.sessions, stats.sessions);
  most.asks = std::max(most.asks, stats.asks);
  most.held_bytes = std::max(most.held_bytes, stats.held_bytes);
  schedule(node);
}

void ConvergecastSwarm::schedule(NodeId node) {
  auto& entry = nodes_[node];
  const auto wake = entry.engine->next_tick().value_or(Time::max());
  if (wake == entry.wake) return;
  wakes_.erase({entry.wake, node});
  entry.wake = wake;
  if (wake != Time::max()) wakes_.insert({wake, node});
}

void ConvergecastSwarm::carry(NodeId from, NodeId to, MessageBody body) {
  ++bodies;
  body_bytes += body.size();
  if (loss > 0 && std::uniform_real_distribution<>{}(random_) < loss) return;
  const auto known = delays_.find(std::minmax(from, to));
  const auto delay = known == delays_.end() ? kDetour : known->second;
  longest_delay = std::max(longest_delay, delay);
  auto& last = last_[{from, to}];
  last = std::max(last, network_.now() + delay);
  events_.push({last, order_++, from, to, std::move(body)});
}

std::size_t ConvergecastSwarm::depth() const {
  std::size_t deepest = 0;
  for (NodeId node = 0; node < nodes_.size(); ++node) {
    deepest = std::max(deepest, network_.engine(node).coords().size());
  }
  return deepest;
}

std::set<ConvergecastSwarm::NodeId> ConvergecastSwarm::connected_with(NodeId node) const {
  std::map<NodeId, std::vector<NodeId>> beside;
  for (const auto& [a, b] : network_.edges()) {
    beside[a].push_back(b);
    beside[b].push_back(a);
  }
  std::set<NodeId> seen{node};
  std::vector<NodeId> todo{node};
  while (!todo.empty()) {
    const auto at = todo.back();
    todo.pop_back();
    for (const auto next : beside[at]) {
      if (seen.insert(next).second) todo.push_back(next);
    }
  }
  return seen;
}

}  // namespace axl::simulation
