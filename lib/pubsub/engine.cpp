#include "pubsub/engine.hpp"

#include <algorithm>
#include <utility>

#include "pubsub/compat_codec.hpp"

namespace axl::pubsub {

namespace {

constexpr std::size_t kMoreWhenStarving = 2;  // connections asked for at a heartbeat
constexpr std::size_t kLostAtOnce = 2;        // the same, to those whose connection broke

Wants::Config wants_of(const Config& config) {
  return {config.max_wants, config.max_wants_per_peer, config.ask_window,
          config.ask_tries, config.max_announcers,     config.heartbeat};
}

}  // namespace

struct Engine::State {
  State(const Config& config_in, const PrivateKey& key, Rng& rng_in, Duration unix_at_zero, crypto::Verifier verifier)
      : config{config_in},
        own{key.public_key()},
        rng{rng_in},
        scores{config.scores},
        cache{config.history_windows, config.max_cached, config.max_cached_bytes},
        wants{wants_of(config)},
        contacts{config.max_candidates, config.max_offered, rng},
        out{config, own, peers, cache, wants, scores, counters},
        mesh{config, rng, peers, scores, contacts, out},
        forwarding{{config, key, rng, std::move(verifier), peers, mesh, cache, wants, scores, out, counters},
                   unix_at_zero} {}

  [[nodiscard]] bool in_use() const { return !mesh.topics().empty() || peers.size() != 0 || cache.size() != 0; }

  void note(Time time) {
    now = std::max(now, time);
    if (!in_use() || beat) return;
    const auto length = static_cast<std::uint64_t>(config.heartbeat.count());
    beat = now + Duration{static_cast<Duration::rep>(rng.next_u64() % length)};
  }

  void lose(const PublicKey& key) {
    auto* peer = peers.find(key);
    if (peer == nullptr) return;
    mesh.on_peer_lost(key);
    wants.on_peer_lost(peer->slot);
    peers.remove(key);
    contacts.on_lost(key, now);
  }

  // Whoever has become grey goes.
  void settle() {
    while (const auto late = wants.poll_broken()) {
      ++counters.broken_promises;
      if (const auto* peer = peers.find(*late)) scores.on_promise_broken(peer->key);
    }
    while (const auto key = scores.poll_grey()) {
      if (peers.find(*key) == nullptr) continue;
      lose(*key);
      out.push(Disconnect{*key});
    }
  }

  void look_for_peers() {
    if (mesh.topics().empty() && cache.size() == 0) return;
    const auto coming = contacts.trying(now);
    auto more = peers.size() + coming < config.wanted_peers ? config.wanted_peers - peers.size() - coming : 0;
    if (more == 0 && coming == 0 && peers.size() < config.max_peers / 2 && mesh.starving()) more = kMoreWhenStarving;
    auto chosen = contacts.choose_some(more, now);
    if (peers.size() < config.max_peers / 2) {
      for (const auto& key : contacts.choose_lost(kLostAtOnce, now)) chosen.push_back(key);
    }
    for (const auto& key : chosen) {
      if (key == own || scores.grey(key)) {
        contacts.on_failed(key, now);
      } else {
        out.push(Connect{key});
      }
    }
  }

  // Peers of the JSON form just stop talking, and may have nothing to say.
  void look_after_quiet_ones() {
    std::vector<PublicKey> gone;
    for (auto& [key, peer] : peers.all()) {
      peer.quiet = peer.form == Form::compat && now - peer.heard >= config.compat_quiet_after;
      if (peer.unanswered > config.compat_unanswered) gone.push_back(key);
    }
    for (const auto& key : gone) {
      lose(key);
      out.push(Disconnect{key});
    }
  }

  void heartbeat() {
    scores.on_heartbeat();
    look_after_quiet_ones();
    mesh.on_heartbeat(now);
    forwarding.on_heartbeat(now);
    look_for_peers();
    beat = in_use() ? std::optional{now + config.heartbeat} : std::nullopt;
  }

  void on_topics(Peer& peer, const Topics& topics) {
    if (topics.what == Topics::What::all) {
      const auto before = peer.topics;
      for (const auto& topic : before) {
        if (std::ranges::count(topics.topics, topic) == 0) mesh.on_peer_left(peer, topic);
      }
    }
    for (const auto& topic : topics.topics) {
      if (topics.what == Topics::What::left) {
        mesh.on_peer_left(peer, topic);
        continue;
      }
      const bool is_new = !peer.topics.contains(topic);
      mesh.on_peer_joined(peer, topic, now);
      if (is_new && peer.topics.contains(topic)) forwarding.announce_all(peer, topic);
    }
  }

  void take(Peer& peer, PublishedMessage&& message) { forwarding.on_message(peer, std::move(message), now); }
  void take(Peer& peer, Topics&& topics) { on_topics(peer, topics); }
  void take(Peer& peer, Graft&& graft) { mesh.on_graft(peer, graft, now); }
  void take(Peer& peer, Prune&& prune) { mesh.on_prune(peer, prune, now); }
  void take(Peer& peer, Have&& have) { forwarding.on_have(peer, have, now); }
  void take(Peer& peer, Want&& want) { forwarding.on_want(peer, want, now); }
  void take(Peer& peer, compat::HaveNames&& have) { forwarding.on_have(peer, have, now); }
  void take(Peer& peer, compat::WantNames&& want) { forwarding.on_want(peer, want, now); }

  template <class Decoded>
  void take_decoded(Peer& peer, Decoded decoded) {
    if (!decoded) {
      ++counters.malformed;
      return scores.add(peer.key, scores.costs().malformed);
    }
    std::visit([&](auto&& body) { take(peer, std::move(body)); }, std::move(*decoded));
  }

  Config config;
  const PublicKey own;
  Rng& rng;
  Time now{};
  std::optional<Time> beat;  // set while there is something to look after
  Counters counters;
  Peers peers;
  Scores scores;
  MessageCache cache;
  Wants wants;
  Contacts contacts;
  Outgoing out;
  Mesh mesh;
  Forwarding forwarding;
};

Engine::Engine(const Config& config, const PrivateKey& key, Rng& rng, Duration unix_at_zero, crypto::Verifier verifier)
    : state_{std::make_unique<State>(config, key, rng, unix_at_zero, std::move(verifier))} {}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

Result<void> Engine::subscribe(std::string_view topic, bool judged, Time now) {
  if (!is_topic(topic)) return Error{Errc::invalid_argument, "a topic is 1 to 128 printable ASCII characters"};
  state_->now = std::max(state_->now, now);
  if (!state_->mesh.join(topic, judged, now)) return Error{Errc::limit_reached, "too many topics"};
  state_->note(now);
  state_->look_for_peers();
  return {};
}

void Engine::unsubscribe(std::string_view topic, Time now) {
  state_->note(now);
  state_->mesh.leave(topic);
}

Result<Engine::Published> Engine::publish(std::string_view topic, MessageBody body, Time now) {
  if (!is_topic(topic)) return Error{Errc::invalid_argument, "a topic is 1 to 128 printable ASCII characters"};
  if (body.size() > state_->config.max_body) {
    const auto limit = std::to_string(state_->config.max_body);
    return Error{Errc::too_large, "a published message is at most " + limit + " bytes"};
  }
  state_->now = std::max(state_->now, now);
  const auto published = state_->forwarding.publish(topic, std::move(body), state_->now);
  state_->note(now);
  return published;
}

void Engine::on_judged(const MessageId& id, Verdict verdict, Time now) {
  state_->note(now);
  state_->forwarding.on_judged(id, verdict);
  state_->settle();
}

void Engine::set_candidates(std::span<const PublicKey> candidates, Time now) {
  state_->note(now);
  state_->contacts.set(candidates);
  state_->look_for_peers();
}

void Engine::on_peer_connected(const PublicKey& key, Form form, Time now) {
  auto& state = *state_;
  state.note(now);
  state.lose(key);
  const bool welcome = key != state.own && state.peers.size() < state.config.max_peers && !state.scores.grey(key) &&
                       (form == Form::native || state.config.compat);
  if (!welcome) {
    state.contacts.on_failed(key, state.now);
    return state.out.push(Disconnect{key});
  }
  auto* peer = state.peers.add(key, form);
  peer->heard = state.now;
  state.contacts.on_connected(key);
  state.note(now);
  state.mesh.on_peer_connected(*peer, state.now);
  if (form == Form::native) return;
  for (const auto& [name, topic] : state.mesh.topics()) state.forwarding.announce_all(*peer, name);
}

void Engine::welcome_compat() { state_->config.compat = true; }

void Engine::on_peer_lost(const PublicKey& peer, Time now) {
  state_->note(now);
  state_->lose(peer);
}

void Engine::on_connect_failed(const PublicKey& peer, Time now) {
  state_->note(now);
  state_->contacts.on_failed(peer, state_->now);
}

void Engine::on_peer_blocked(const PublicKey& key) {
  if (auto* peer = state_->peers.find(key)) peer->blocked = true;
}

void Engine::on_peer_writable(const PublicKey& key, Time now) {
  state_->note(now);
  auto* peer = state_->peers.find(key);
  if (peer == nullptr || !peer->blocked) return;
  peer->blocked = false;
  if (!std::exchange(peer->missed, false)) return;
  for (const auto& [name, topic] : state_->mesh.topics()) {
    if (peer->takes(name)) state_->forwarding.announce_all(*peer, name);
  }
}

void Engine::on_body(const PublicKey& key, MessageBody body, Time now) {
  auto& state = *state_;
  state.note(now);
  auto* peer = state.peers.find(key);
  if (peer == nullptr) return;
  peer->heard = state.now;
  peer->quiet = false;
  peer->unanswered = 0;
  if (!peer->bodies.take(state.config.bodies_per_peer, 1, state.now) ||
      !peer->bytes.take(state.config.bytes_per_peer, body.size(), state.now)) {
    ++state.counters.over_rate;
    state.scores.add(key, state.scores.costs().over_rate);
  } else if (peer->form == Form::native) {
    state.take_decoded(*peer, decode(body));
  } else {
    state.take_decoded(*peer, compat::decode(body));
  }
  state.settle();
}

void Engine::on_tick(Time now) {
  auto& state = *state_;
  state.note(now);
  state.wants.on_tick(state.now);
  if (state.beat && *state.beat <= state.now) state.heartbeat();
  state.settle();
}

std::optional<Output> Engine::poll_output() { return state_->out.poll(state_->now); }

std::optional<Time> Engine::next_tick() const {
  const auto asks = state_->wants.next_tick();
  if (!state_->beat || !asks) return state_->beat ? state_->beat : asks;
  return std::min(*state_->beat, *asks);
}

std::vector<Engine::PeerView> Engine::peers() const {
  std::vector<PeerView> out;
  for (const auto& [key, peer] : state_->peers.all()) {
    out.push_back(
        {key, peer.form, state_->scores.points(key), peer.topics.size(), state_->wants.announced_by(peer.slot)});
  }
  return out;
}

std::vector<Engine::TopicView> Engine::topics() const {
  std::vector<TopicView> out;
  for (const auto& [name, topic] : state_->mesh.topics()) {
    out.push_back({name, {topic.peers.begin(), topic.peers.end()}, state_->mesh.takers(name).size()});
  }
  return out;
}

bool Engine::grey(const PublicKey& peer) const { return state_->scores.grey(peer); }

Engine::Sizes Engine::sizes() const {
  return {state_->peers.size(),  state_->forwarding.seen().size(),    state_->cache.size(),  state_->cache.bytes(),
          state_->wants.size(),  state_->forwarding.origins().size(), state_->scores.size(), state_->contacts.size()};
}

const Counters& Engine::counters() const { return state_->counters; }

}  // namespace axl::pubsub
