#include "overlay/engine.hpp"

#include <algorithm>
#include <deque>

#include "overlay/protocol.hpp"

namespace axl::overlay {

namespace {

// When early ticks may run: a little after the last tick, and only so many in any second.
class EarlyTicks {
 public:
  explicit EarlyTicks(const Config& config)
      : enabled_{config.early_ticks && config.early_ticks_per_second != 0},
        spacing_{config.early_tick_spacing},
        per_second_{config.early_ticks_per_second} {}

  void want() noexcept { wanted_ = enabled_; }
  /// Any tick has run.
  void ticked(Time now, bool early) {
    wanted_ = false;
    last_ = now;
    if (!early) return;
    recent_.push_back(now);
    if (recent_.size() > per_second_) recent_.pop_front();
  }
  [[nodiscard]] std::optional<Time> due() const {
    if (!wanted_) return std::nullopt;
    auto due = last_ + spacing_;
    if (recent_.size() >= per_second_) due = std::max(due, recent_.front() + std::chrono::seconds{1});
    return due;
  }

 private:
  bool enabled_;
  Duration spacing_;
  std::size_t per_second_;
  bool wanted_ = false;
  Time last_;
  std::deque<Time> recent_;  // early ticks of late
};

}  // namespace

struct Engine::State {
  State(const Config& config, const PrivateKey& key, crypto::Verifier verify, Rng& rng, Duration unix_at_zero, Time now)
      : own{key.public_key()},
        tick{config.tick},
        next_tick{now},
        early{config},
        protocol{config, key, std::move(verify), rng, unix_at_zero} {}

  void run_tick(Tree::TickKind kind, Time now) {
    protocol.tick(kind, now);
    early.ticked(now, kind == Tree::TickKind::early);
  }
  void note_hurry() {
    if (protocol.take_hurry()) early.want();
  }

  PublicKey own;
  Duration tick;
  Time next_tick;
  EarlyTicks early;
  Protocol protocol;
};

Engine::Engine(const Config& config, const PrivateKey& key, crypto::Verifier verify, Rng& rng, Duration unix_at_zero,
               Time now)
    : state_{std::make_unique<State>(config, key, std::move(verify), rng, unix_at_zero, now)} {}

Engine::~Engine() = default;

Result<PeerPort> Engine::on_link_up(LinkId link, const PublicKey& key, std::uint8_t priority, Time now) {
  static_cast<void>(now);
  return state_->protocol.link_up(link, key, priority);
}

void Engine::on_link_down(LinkId link, Time now) {
  static_cast<void>(now);
  state_->protocol.link_down(link);
  state_->note_hurry();
}

Result<void> Engine::on_message(LinkId link, ByteSpan message, Time now, std::optional<Duration> rtt,
                                const std::shared_ptr<const void>& owner) {
  auto result = state_->protocol.message(link, message, now, rtt, owner);
  state_->note_hurry();
  return result;
}

void Engine::on_tick(Time now) {
  auto& state = *state_;
  state.protocol.run_due(now);
  if (now >= state.next_tick) {
    state.run_tick(Tree::TickKind::regular, now);
    state.next_tick = now + state.tick;
  } else if (const auto early = state.early.due(); early && now >= *early) {
    state.run_tick(Tree::TickKind::early, now);
  }
}

Result<void> Engine::send(const PublicKey& dest, Buffer payload, Time now) {
  return state_->protocol.routing().send(dest, std::move(payload), now);
}

void Engine::send_lookup(const PublicKey& target, Time now) { state_->protocol.routing().send_lookup(target, now); }

std::optional<Engine::Output> Engine::poll_output() { return state_->protocol.out().pop(); }

std::optional<Time> Engine::next_tick() const {
  auto next = state_->next_tick;
  if (const auto early = state_->early.due()) next = std::min(next, *early);
  if (const auto due = state_->protocol.next_due()) next = std::min(next, *due);
  return next;
}

std::optional<LinkId> Engine::next_hop(const PublicKey& dest) const {
  return state_->protocol.routing().next_hop(dest);
}

bool Engine::has_path(const PublicKey& dest) const {
  return state_->protocol.routing().pathfinder().find(dest) != nullptr;
}

std::vector<Engine::TreeEntry> Engine::tree() const {
  std::vector<TreeEntry> list;
  for (const auto& [key, entry] : state_->protocol.tree().infos().entries()) {
    list.push_back({key, entry.announce.parent, entry.announce.seq});
  }
  return list;
}

std::vector<Engine::LinkView> Engine::links() const {
  std::vector<LinkView> list;
  auto& protocol = state_->protocol;
  for (auto& [key, neighbour] : protocol.neighbours().all()) {
    const auto& position = protocol.tree().position(neighbour);
    for (const auto& link : neighbour.links) {
      list.push_back(
          {link.id, key, neighbour.port, link.priority, link.cost(), link.last_rtt, position.root, position.coords});
    }
  }
  return list;
}

Engine::Place Engine::place() const {
  const auto& own = state_->own;
  auto& protocol = state_->protocol;
  const auto& infos = protocol.tree().infos();
  const auto* self = infos.find(own);
  Place place{self == nullptr ? own : self->announce.parent, {}};
  for (const auto& [key, neighbour] : protocol.neighbours().all()) {
    const auto* entry = infos.find(key);
    if (entry != nullptr && entry->announce.parent == own) place.children.push_back(key);
  }
  return place;
}

std::uint64_t Engine::place_version() const {
  return state_->protocol.tree().infos().shape() + state_->protocol.neighbours().version();
}

wire::Path Engine::coords() const { return state_->protocol.tree().coords(); }

PublicKey Engine::root() const { return state_->protocol.tree().position().root; }

std::size_t Engine::known_nodes() const { return state_->protocol.tree().infos().size(); }

std::vector<Engine::PathView> Engine::paths() const {
  std::vector<PathView> list;
  for (const auto& [key, path] : state_->protocol.routing().pathfinder().paths()) {
    list.push_back({key, path.coords, path.seq, path.broken});
  }
  return list;
}

std::optional<Engine::PathView> Engine::path(const PublicKey& key) const {
  const auto* path = state_->protocol.routing().pathfinder().find(key);
  if (path == nullptr) return std::nullopt;
  return PathView{key, path->coords, path->seq, path->broken};
}

Engine::TableSizes Engine::table_sizes() const {
  const auto& pathfinder = state_->protocol.routing().pathfinder();
  return {known_nodes(), pathfinder.path_count(), pathfinder.rumor_count(), pathfinder.waiting_bytes()};
}

double Engine::filter_fill() const { return state_->protocol.filters().fill(); }

}  // namespace axl::overlay
