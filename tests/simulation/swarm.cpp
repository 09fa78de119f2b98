#include "swarm.hpp"

#include <algorithm>
#include <cstring>

namespace axl::simulation {

namespace {

constexpr Duration kUnixAtZero{std::chrono::hours{480'000}};

void add(pubsub::Counters& to, const pubsub::Counters& more) {
  to.published += more.published;
  to.delivered += more.delivered;
  to.copies += more.copies;
  to.duplicates += more.duplicates;
  to.refused += more.refused;
  to.ignored += more.ignored;
  to.malformed += more.malformed;
  to.over_rate += more.over_rate;
  to.sent += more.sent;
  to.announced += more.announced;
  to.asked += more.asked;
  to.broken_promises += more.broken_promises;
  to.unnoted += more.unnoted;
}

}  // namespace

Swarm::NodeId Swarm::add_node() {
  const auto id = nodes_.size();
  nodes_.push_back(std::make_unique<Node>(simulated_key(options_.seed, id), random_()));
  by_key_.emplace(nodes_[id]->key.public_key(), id);
  start_engine(id);
  return id;
}

Swarm::NodeId Swarm::add_scripted(std::function<void(NodeId, const MessageBody&)> on_body) {
  const auto id = nodes_.size();
  nodes_.push_back(std::make_unique<Node>(simulated_key(options_.seed, id), random_()));
  by_key_.emplace(nodes_[id]->key.public_key(), id);
  nodes_[id]->on_body = std::move(on_body);
  return id;
}

void Swarm::start_engine(NodeId node) {
  auto& it = *nodes_[node];
  it.engine = std::make_unique<pubsub::Engine>(options_.config, it.key, it.rng, kUnixAtZero, verifier_.verifier());
}

void Swarm::know_at_random(std::size_t degree) {
  for (NodeId node = 0; node < nodes_.size(); ++node) {
    std::set<NodeId> others;
    while (others.size() < std::min(degree, nodes_.size() - 1)) {
      if (const auto other = random_() % nodes_.size(); other != node) others.insert(other);
    }
    know(node, {others.begin(), others.end()});
  }
}

void Swarm::know(NodeId node, std::vector<NodeId> others) {
  auto& it = *nodes_[node];
  it.known.clear();
  for (const auto other : others) it.known.push_back(nodes_[other]->key.public_key());
  if (!it.engine) return;
  it.engine->set_candidates(it.known, now_);
  drain(node);
}

void Swarm::subscribe_all(const std::string& topic) {
  for (NodeId node = 0; node < nodes_.size(); ++node) {
    if (!nodes_[node]->engine) continue;
    static_cast<void>(nodes_[node]->engine->subscribe(topic, judge != nullptr, now_));
    drain(node);
  }
}

Duration Swarm::delay(NodeId a, NodeId b) const {
  std::mt19937_64 pair{options_.seed ^ (std::min(a, b) * 1'000'003 + std::max(a, b))};
  const auto span = static_cast<std::uint64_t>((options_.most_delay - options_.least_delay).count());
  return options_.least_delay + Duration{static_cast<Duration::rep>(span == 0 ? 0 : pair() % span)};
}

void Swarm::join(NodeId a, NodeId b, pubsub::Form of_first) {
  if (a == b || !up(a) || !up(b) || separated(a, b) || nodes_[a]->sessions.contains(b)) return;
  const auto session = next_session_++;
  nodes_[a]->sessions[b] = session;
  nodes_[b]->sessions[a] = session;
  if (nodes_[a]->engine) {
    nodes_[a]->engine->on_peer_connected(nodes_[b]->key.public_key(), pubsub::Form::native, now_);
    drain(a);
  }
  if (nodes_[b]->engine && nodes_[b]->sessions.contains(a)) {
    nodes_[b]->engine->on_peer_connected(nodes_[a]->key.public_key(), of_first, now_);
    drain(b);
  }
}

void Swarm::cut(NodeId a, NodeId b) {
  if (nodes_[a]->sessions.erase(b) == 0) return;
  nodes_[b]->sessions.erase(a);
  for (const auto& [node, other] : {std::pair{a, b}, std::pair{b, a}}) {
    if (!nodes_[node]->engine || !up(node)) continue;
    nodes_[node]->engine->on_peer_lost(nodes_[other]->key.public_key(), now_);
    drain(node);
  }
}

void Swarm::stop(NodeId node) {
  auto& it = *nodes_[node];
  if (!it.up) return;
  it.up = false;
  ++it.life;
  for (const auto other : sessions_of(node)) cut(node, other);
  if (it.engine) add(past_, it.engine->counters());
}

void Swarm::restart(NodeId node, const std::string& topic) {
  auto& it = *nodes_[node];
  it.up = true;
  it.wake = Time::max();
  start_engine(node);
  it.engine->set_candidates(it.known, now_);
  static_cast<void>(it.engine->subscribe(topic, judge != nullptr, now_));
  drain(node);
}

void Swarm::split(std::set<NodeId> part) {
  part_ = std::move(part);
  for (NodeId a = 0; a < nodes_.size(); ++a) {
    for (const auto b : sessions_of(a)) {
      if (separated(a, b)) cut(a, b);
    }
  }
}

std::vector<Swarm::NodeId> Swarm::sessions_of(NodeId node) const {
  std::vector<NodeId> out;
  for (const auto& [other, session] : nodes_[node]->sessions) out.push_back(other);
  return out;
}

void Swarm::send(NodeId from, NodeId to, const MessageBody& body) { carry(from, to, body); }

std::uint64_t Swarm::publish(NodeId node, const std::string& topic, std::size_t size) {
  const std::uint64_t number = publications_.size();
  Bytes body(std::max<std::size_t>(size, sizeof number));
  std::memcpy(body.data(), &number, sizeof number);
  Publication publication{node, now_, {}, {}, 0, 0};
  for (NodeId other = 0; other < nodes_.size(); ++other) {
    if (other != node && up(other) && !is_scripted(other)) publication.expected.insert(other);
  }
  publications_.push_back(std::move(publication));
  static_cast<void>(engine(node).publish(topic, MessageBody{std::move(body)}, now_));
  drain(node);
  return number;
}

void Swarm::run_until(Time end) {
  while (!events_.empty() && events_.top().time <= end) {
    auto run = events_.top().run;
    now_ = events_.top().time;
    events_.pop();
    run();
  }
  now_ = end;
}

void Swarm::drain(NodeId node) {
  auto& it = *nodes_[node];
  if (!it.engine || !it.up) return;
  while (auto output = it.engine->poll_output()) take(node, std::move(*output));
  const auto next = it.engine->next_tick();
  if (!next || *next >= it.wake) return;
  it.wake = std::max(*next, now_);
  at(it.wake, [this, node, life = it.life, time = it.wake] {
    auto& waking = *nodes_[node];
    if (waking.life != life || !waking.up || waking.wake != time) return;
    waking.wake = Time::max();
    waking.engine->on_tick(now_);
    drain(node);
  });
}

void Swarm::take(NodeId node, pubsub::Output output) {
  if (auto* send = std::get_if<pubsub::SendBody>(&output)) {
    carry(node, by_key_.at(send->peer), send->body);
  } else if (auto* message = std::get_if<pubsub::Deliver>(&output)) {
    deliver(node, message->message);
  } else if (auto* undecided = std::get_if<pubsub::Judge>(&output)) {
    const auto verdict = judge ? judge(node, undecided->message) : pubsub::Verdict::accept;
    nodes_[node]->engine->on_judged(undecided->message.id, verdict, now_);
  } else if (auto* wanted = std::get_if<pubsub::Connect>(&output)) {
    dial(node, wanted->peer);
  } else if (auto* unwanted = std::get_if<pubsub::Disconnect>(&output)) {
    const auto other = by_key_.at(unwanted->peer);
    at(now_, [this, node, other] { cut(node, other); });
  }
}

void Swarm::dial(NodeId from, const PublicKey& to) {
  const auto other = by_key_.at(to);
  at(now_ + 2 * delay(from, other), [this, from, other, life = nodes_[from]->life] {
    if (nodes_[from]->life != life || !up(from)) return;
    if (nodes_[from]->sessions.contains(other)) return;
    if (up(other) && !separated(from, other)) return join(from, other);
    nodes_[from]->engine->on_connect_failed(nodes_[other]->key.public_key(), now_);
    drain(from);
  });
}

void Swarm::carry(NodeId from, NodeId to, const MessageBody& body) {
  const auto found = nodes_[from]->sessions.find(to);
  if (found == nodes_[from]->sessions.end()) return;
  ++bodies;
  bytes += body.size();
  if (std::uniform_real_distribution{}(random_) < options_.loss) return;
  at(now_ + delay(from, to), [this, from, to, session = found->second, body] {
    const auto still = nodes_[to]->sessions.find(from);
    if (still == nodes_[to]->sessions.end() || still->second != session || !up(to)) return;
    if (is_scripted(to)) return nodes_[to]->on_body(from, body);
    nodes_[to]->engine->on_body(nodes_[from]->key.public_key(), body, now_);
    drain(to);
  });
}

void Swarm::deliver(NodeId node, const pubsub::Received& message) {
  std::uint64_t number = ~std::uint64_t{0};
  if (message.body.size() >= sizeof number) std::memcpy(&number, message.body.data(), sizeof number);
  if (number >= publications_.size() || message.origin != key(publications_[number].by).public_key()) {
    if (on_other) on_other(node, message);
    return;
  }
  auto& publication = publications_[number];
  if (!publication.delivered.emplace(node, now_).second) {
    ++publication.again;
  } else {
    publication.hops += message.hops;
  }
}

pubsub::Counters Swarm::counters() const {
  auto sum = past_;
  for (const auto& node : nodes_) {
    if (node->engine && node->up) add(sum, node->engine->counters());
  }
  return sum;
}

}  // namespace axl::simulation
