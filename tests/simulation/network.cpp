#include "network.hpp"

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace axl::simulation {

using overlay::Engine;
using overlay::LinkId;

std::uint64_t seed_of_run(std::uint64_t fallback) {
  const char* given = std::getenv("AXL_SEED");
  return given == nullptr || *given == '\0' ? fallback : std::strtoull(given, nullptr, 10);
}

crypto::Verifier SharedVerifier::verifier() {
  return [state = state_](const PublicKey& key, ByteSpan message, const crypto::Signature& signature) {
    ++state->asked;
    if (state->accept_all) return true;
    Bytes all{key.bytes().begin(), key.bytes().end()};
    all.insert(all.end(), signature.bytes.begin(), signature.bytes.end());
    all.insert(all.end(), message.begin(), message.end());
    const auto [place, is_new] = state->known.try_emplace(crypto::blake2b512(all, {}));
    if (is_new) place->second = crypto::verify(key, message, signature);
    return place->second;
  };
}

PrivateKey simulated_key(std::uint64_t seed, std::uint64_t number) {
  crypto::SeededRng rng{seed * 1'000'003 + number};
  std::array<std::byte, PrivateKey::kSeedSize> bytes{};
  rng.fill(bytes);
  return PrivateKey::from_seed(bytes);
}

namespace {
std::uint64_t id_of(Network::NodeId node, LinkId link) { return node << 32 | static_cast<std::uint32_t>(link); }
}  // namespace

Network::Network(const overlay::Config& config, std::uint64_t seed) : config_{config}, seed_{seed}, random_{seed} {}

Network::NodeId Network::add_node(Time start) {
  const auto id = nodes_.size();
  nodes_.push_back(std::make_unique<Node>(simulated_key(seed_, id), seed_ ^ id << 20));
  by_key_.emplace(nodes_.back()->key.public_key(), id);
  const auto before = now_;
  now_ = start;
  start_engine(id);
  now_ = before;
  return id;
}

Network::NodeId Network::add_scripted(std::function<void(LinkNumber, ByteSpan)> on_message) {
  const auto id = nodes_.size();
  nodes_.push_back(std::make_unique<Node>(simulated_key(seed_, id), seed_ ^ id << 20));
  by_key_.emplace(nodes_.back()->key.public_key(), id);
  nodes_.back()->on_message = std::move(on_message);
  return id;
}

void Network::start_engine(NodeId node) {
  auto& entry = *nodes_[node];
  const auto unix_at_zero = std::chrono::seconds{1'700'000'000};
  entry.engine = std::make_unique<Engine>(config_, entry.key, verifier_.verifier(), entry.rng, unix_at_zero, now_);
  schedule(node);
}

Network::LinkNumber Network::connect(NodeId a, NodeId b, Duration delay) {
  const auto number = links_.size();
  Link link;
  link.a = a;
  link.b = b;
  link.delay = delay;
  links_.push_back(link);
  nodes_[a]->links.push_back(number);
  nodes_[b]->links.push_back(number);
  raise(number);
  return number;
}

void Network::raise(LinkNumber number) {
  auto& link = links_[number];
  link.up = true;
  ++link.life;
  for (const bool at_b : {false, true}) {
    const auto node = at_b ? link.b : link.a;
    const auto other = at_b ? link.a : link.b;
    const LinkId id{next_id_++};
    link.ids[at_b ? 1 : 0] = id;
    by_id_[id_of(node, id)] = number;
    auto* engine = nodes_[node]->engine.get();
    if (engine == nullptr) continue;
    if (!engine->on_link_up(id, nodes_[other]->key.public_key(), 0, now_).ok()) std::abort();
  }
  for (const auto node : {link.a, link.b}) drain(node);
}

void Network::lower(LinkNumber number) {
  auto& link = links_[number];
  if (!link.up) return;
  link.up = false;
  for (const bool at_b : {false, true}) {
    const auto node = at_b ? link.b : link.a;
    const auto id = link.ids[at_b ? 1 : 0];
    by_id_.erase(id_of(node, id));
    if (auto* engine = nodes_[node]->engine.get()) engine->on_link_down(id, now_);
  }
  for (const auto node : {link.a, link.b}) drain(node);
}

void Network::cut(LinkNumber link) { lower(link); }

void Network::restart(NodeId node, Duration pause) {
  std::vector<LinkNumber> mine;
  for (const auto link : nodes_[node]->links) {
    if (!links_[link].up) continue;
    lower(link);
    mine.push_back(link);
  }
  wakes_.erase({nodes_[node]->wake, node});
  nodes_[node]->wake = Time::max();
  start_engine(node);
  for (const auto link : mine) {
    Event event;
    event.time = now_ + pause;
    event.order = order_++;
    event.link = link;
    event.life = links_[link].life;
    event.raise = true;
    events_.push(event);
  }
}

void Network::inject(NodeId from, LinkNumber link, Buffer message) {
  if (links_[link].up) write(from, link, std::move(message));
}

void Network::write(NodeId from, LinkNumber number, Buffer message) {
  auto& link = links_[number];
  const bool from_a = link.a == from;
  const auto type = static_cast<wire::FrameType>(*message.data());
  ++frames[type];
  ++nodes_[from]->sent;
  wire_bytes += wire::uvarint_size(message.size()) + message.size();
  if (type == wire::FrameType::sig_req) link.asked[from_a ? 0 : 1] = now_;
  Event event;
  event.time = now_ + link.delay;
  event.order = order_++;
  event.link = number;
  event.life = link.life;
  event.to_b = from_a;
  event.message = std::make_shared<Buffer>(std::move(message));
  events_.push(std::move(event));
}

void Network::drain(NodeId node) {
  auto* engine = nodes_[node]->engine.get();
  if (engine == nullptr) return;
  while (auto output = engine->poll_output()) {
    if (auto* frame = std::get_if<overlay::SendFrame>(&*output)) {
      own_lookups += frame->own && frame->type == wire::FrameType::path_lookup ? 1 : 0;
      const auto link = by_id_.find(id_of(node, frame->link));
      if (link != by_id_.end()) write(node, link->second, std::move(frame->message));
    } else if (auto* datagram = std::get_if<overlay::Deliver>(&*output)) {
      if (on_deliver) on_deliver(node, datagram->source, datagram->payload.span());
    }
  }
  schedule(node);
}

void Network::schedule(NodeId node) {
  auto& entry = *nodes_[node];
  const auto wake = entry.engine->next_tick().value_or(Time::max());
  if (wake == entry.wake) return;
  wakes_.erase({entry.wake, node});
  entry.wake = wake;
  wakes_.insert({wake, node});
}

void Network::deliver(const Event& event) {
  auto& link = links_[event.link];
  if (event.raise) {
    if (!link.up && link.life == event.life) raise(event.link);
    return;
  }
  if (!link.up || link.life != event.life) return;
  const auto node = event.to_b ? link.b : link.a;
  auto& entry = *nodes_[node];
  if (entry.engine == nullptr) {
    entry.on_message(event.link, *event.message);
    return;
  }
  const auto result = entry.engine->on_message(link.ids[event.to_b ? 1 : 0], *event.message, now_,
                                               now_ - link.asked[event.to_b ? 1 : 0]);
  if (!result.ok()) {
    ++closed_links;
    lower(event.link);
  }
  drain(node);
}

void Network::run_until(Time end) {
  for (;;) {
    const auto wake = wakes_.empty() ? Time::max() : wakes_.begin()->first;
    const auto event = events_.empty() ? Time::max() : events_.top().time;
    if (std::min(wake, event) > end) break;
    if (event <= wake) {
      now_ = std::max(now_, event);
      const auto next = events_.top();
      events_.pop();
      deliver(next);
    } else {
      now_ = std::max(now_, wake);
      const auto node = wakes_.begin()->second;
      nodes_[node]->engine->on_tick(now_);
      drain(node);
    }
  }
  now_ = end;
}

void Network::send(NodeId from, const PublicKey& dest, ByteSpan payload) {
  if (!engine(from).send(dest, Buffer::copy_of(payload, Buffer::kHeadroom), now_).ok()) std::abort();
  drain(from);
}

void Network::reset_counts() {
  frames.clear();
  wire_bytes = 0;
  own_lookups = 0;
  for (const auto& node : nodes_) node->sent = 0;
}

std::optional<Network::NodeId> Network::node_of(const PublicKey& key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? std::nullopt : std::optional{found->second};
}

std::vector<std::pair<Network::NodeId, Network::NodeId>> Network::edges() const {
  std::vector<std::pair<NodeId, NodeId>> list;
  for (const auto& link : links_) {
    if (link.up) list.emplace_back(link.a, link.b);
  }
  return list;
}

std::vector<Network::LinkNumber> Network::links_up() const {
  std::vector<LinkNumber> list;
  for (LinkNumber i = 0; i < links_.size(); ++i) {
    if (links_[i].up) list.push_back(i);
  }
  return list;
}

bool Network::connected_without(std::optional<LinkNumber> left_out) const {
  std::vector<bool> seen(nodes_.size());
  std::vector<NodeId> todo{0};
  seen[0] = true;
  std::size_t count = 0;
  while (!todo.empty()) {
    const auto node = todo.back();
    todo.pop_back();
    ++count;
    for (const auto number : nodes_[node]->links) {
      const auto& link = links_[number];
      if (!link.up || number == left_out) continue;
      const auto other = link.a == node ? link.b : link.a;
      if (seen[other]) continue;
      seen[other] = true;
      todo.push_back(other);
    }
  }
  return count == nodes_.size();
}

std::string tree_fault(Network& network) {
  // Connected parts, by their lowest key.
  std::vector<std::size_t> part(network.size());
  std::iota(part.begin(), part.end(), std::size_t{0});
  const std::function<std::size_t(std::size_t)> top = [&](std::size_t node) {
    return part[node] == node ? node : part[node] = top(part[node]);
  };
  for (const auto& [a, b] : network.edges()) {
    if (network.is_scripted(a) || network.is_scripted(b)) continue;
    const auto low = network.key(top(a)).public_key() < network.key(top(b)).public_key() ? top(a) : top(b);
    part[top(a)] = part[top(b)] = low;
    part[low] = low;
  }
  std::set<std::pair<PublicKey, wire::Path>> places;
  for (std::size_t node = 0; node < network.size(); ++node) {
    if (network.is_scripted(node)) continue;
    auto& engine = network.engine(node);
    const auto name = "node " + std::to_string(node);
    if (engine.root() != network.key(top(node)).public_key()) return name + " has another root";
    const auto coords = engine.coords();
    if (!places.emplace(engine.root(), coords).second) return name + " stands where another does";
    const auto tree = engine.tree();
    const auto self = std::ranges::find(tree, network.key(node).public_key(), &Engine::TreeEntry::key);
    if (self == tree.end()) return name + " has no announcement";
    const auto parent = network.node_of(self->parent);
    if (!parent || network.is_scripted(*parent)) return name + " has a parent that is no node";
    if (*parent == node) {
      if (!coords.empty()) return name + " is a root with coordinates";
      continue;
    }
    const auto links = network.engine(*parent).links();
    const auto port = std::ranges::find(links, network.key(node).public_key(), &Engine::LinkView::key);
    if (port == links.end()) return name + " is no neighbour of its parent";
    auto expected = network.engine(*parent).coords();
    expected.push_back(static_cast<std::uint64_t>(port->port));
    if (coords != expected) return name + " does not stand below its parent";
  }
  return {};
}

}  // namespace axl::simulation
