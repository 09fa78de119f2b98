#include "bridge/bridge.hpp"

#include <algorithm>
#include <memory>
#include <unordered_set>
#include <utility>

#include "bridge/body_gate.hpp"
#include "bridge/frame_server.hpp"
#include "bridge/inbox.hpp"
#include "bridge/local_api.hpp"
#include "bridge/messenger.hpp"
#include "bridge/peer_api.hpp"
#include "services/service_host.hpp"

namespace axl::bridge {

namespace {

constexpr std::size_t kBodiesUnderWay = 256UL * 1024 * 1024;
constexpr Duration kLookAtNeighbours{std::chrono::seconds{1}};
constexpr Duration kDrainCheck{std::chrono::milliseconds{20}};

router::Dispatcher::Config dispatcher_config(const NodeConfig& config) {
  return {.queue = {.max_messages = config.recv_queue_messages, .max_bytes = config.recv_queue_bytes}};
}

}  // namespace

struct Bridge::State {
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  State(const NodeConfig& c, ApiConfig api, Host& h, Logger logger)
      : config{c},
        host{h},
        allowed{c.allow_peers.begin(), c.allow_peers.end()},
        denied{c.deny.begin(), c.deny.end()},
        inbox{dispatcher_config(config), h},
        gate{std::max(kBodiesUnderWay, config.max_message_size * 4), h.executor()},
        service_host{config, h.our_key(), h.system(), h, logger},
        messenger{std::make_unique<Messenger>(config, Messenger::Limits{}, h, inbox, logger)},
        frames{config, {}, inbox, gate, h, logger},
        peers{config.max_message_size,
              !config.allow_peers.empty() || !config.peers.empty(),
              [this](const PublicKey& key) { return allows(key); },
              [this](const PublicKey& key) { return favoured.contains(key); },
              inbox,
              gate,
              h},
        local{api, *messenger, inbox, h, service_host.gateway().loopback(), [this] { return statistics(); }},
        made{h.now()} {
    for (const auto& key : config.allow_peers) favour(key);
    peers.serve_services(&service_host.gateway());
    frames.answer_with(&service_host.responder());
    service_host.admit_router([this](http::Exchange& exchange) { return local.access().admit(exchange); });
  }

  // What the messenger still carries holds requests of the local API and their places in its budget.
  ~State() { messenger.reset(); }

  [[nodiscard]] bool allows(const PublicKey& key) const {
    return !denied.contains(key) && (allowed.empty() || allowed.contains(key));
  }

  void favour(const PublicKey& key) {
    if (!favoured.insert(key).second) return;
    inbox.dispatcher().favour(key);
    gate.favour(key);
  }

  // Peers of the configuration are known by URI; their keys show when their links are up.
  void favour_neighbours() {
    if (config.peers.empty() || host.now() < next_look) return;
    next_look = host.now() + kLookAtNeighbours;
    for (const auto& peer : host.topology().peers) {
      if (!peer.inbound && peer.key) favour(*peer.key);
    }
  }

  [[nodiscard]] Statistics statistics() {
    Statistics out;
    host.count(out);
    out.uptime = host.now() - made;
    out.queue = inbox.dispatcher().stats();
    for (auto& topic : inbox.queue().read_topics()) out.topics.push_back({std::move(topic.topic), topic.messages});
    out.messages_sending = messenger->under_way();
    out.outbox_messages = messenger->outbox().messages();
    out.outbox_bytes = messenger->outbox().bytes();
    out.frames_port = {frames.connections() + frames.waiting(), frames_accepted, frames.refused() + frames_not_allowed};
    out.http_port = {peers.connections(), http_accepted, peers.refused()};
    out.local_connections = local.connections();
    local.count(out);
    peers.count(out);
    out.services = service_host.registry().list();
    out.agent = *service_host.gateway().agent_use();
    out.external_router = *service_host.gateway().fallback_use();
    if (const auto usage = host.system().usage()) {
      out.process = {usage->cpu_seconds, usage->resident_bytes, usage->open_files, usage->max_files};
    }
    return out;
  }

  void check_drained() {
    if (messenger->under_way() + frames.under_way() + peers.under_way() + local.under_way() + service_host.under_way() >
        0) {
      drain_timer->arm(host.now() + kDrainCheck);
      return;
    }
    messenger->close_idle();
    if (const auto done = std::exchange(drained, nullptr)) done();
  }

  const NodeConfig config;
  Host& host;
  std::unordered_set<PublicKey> allowed;
  std::unordered_set<PublicKey> denied;
  std::unordered_set<PublicKey> favoured;
  Inbox inbox;
  BodyGate gate;                       // of messages arriving on both overlay ports
  services::ServiceHost service_host;  // outlives the servers that use it
  std::unique_ptr<Messenger> messenger;
  FrameServer frames;
  PeerApi peers;
  LocalApi local;
  const Time made;
  std::unique_ptr<Timer> drain_timer;
  std::function<void()> drained;
  std::vector<std::function<void()>> drain_handlers;
  Time next_look{};
  std::uint64_t frames_accepted = 0;
  std::uint64_t frames_not_allowed = 0;
  std::uint64_t http_accepted = 0;
  bool draining = false;
};

Bridge::Bridge(const NodeConfig& config, ApiConfig api, Host& host, Logger logger)
    : state_{std::make_unique<State>(config, std::move(api), host, std::move(logger))} {}

Bridge::~Bridge() = default;

router::Dispatcher& Bridge::dispatcher() { return state_->inbox.dispatcher(); }

router::Leases& Bridge::leases() { return state_->inbox; }

void Bridge::favour(const PublicKey& key) { state_->favour(key); }

bool Bridge::allows(const PublicKey& key) const { return state_->allows(key); }

void Bridge::accept_frames(std::unique_ptr<tcpip::Connection> connection) {
  if (state_->draining) return;  // its end resets it
  ++state_->frames_accepted;
  if (!state_->allows(connection->peer())) {
    ++state_->frames_not_allowed;
    return;
  }
  state_->favour_neighbours();
  state_->frames.accept(std::move(connection));
}

void Bridge::accept_http(std::unique_ptr<tcpip::Connection> connection) {
  if (state_->draining) return;
  ++state_->http_accepted;
  state_->favour_neighbours();
  state_->peers.accept(std::move(connection));
}

void Bridge::accept_local(std::unique_ptr<Stream> stream) {
  if (!state_->draining) state_->local.accept(std::move(stream));
}

void Bridge::accept_router(std::unique_ptr<Stream> stream) {
  if (!state_->draining) state_->service_host.accept_router(std::move(stream));
}

router::Services& Bridge::services() { return state_->service_host.registry(); }

void Bridge::add_local_route(std::string path, std::vector<std::string> methods, http::RequestHandler handler) {
  state_->local.add_route(std::move(path), std::move(methods), std::move(handler));
}

void Bridge::on_drain(std::function<void()> handler) { state_->drain_handlers.push_back(std::move(handler)); }

http::LocalAccess& Bridge::local_access() { return state_->local.access(); }

void Bridge::send(const PublicKey& destination, MessageBody body, SendOptions options, SendHandler handler) {
  state_->messenger->send(destination, std::move(body), std::move(options), std::move(handler));
}

std::size_t Bridge::outbox_messages() const { return state_->messenger->outbox().messages(); }

Statistics Bridge::statistics() const { return state_->statistics(); }

bool Bridge::is_old(const PublicKey& key) const {
  return state_->messenger->old_peers()->contains(key, state_->host.now());
}

void Bridge::drain(std::function<void()> done) {
  state_->drained = std::move(done);
  if (std::exchange(state_->draining, true)) return;
  for (const auto& handler : state_->drain_handlers) handler();
  state_->local.drain();
  state_->peers.drain();
  state_->frames.drain();
  state_->service_host.drain();
  state_->drain_timer = state_->host.make_timer([this] { state_->check_drained(); });
  state_->drain_timer->arm(state_->host.now());
}

}  // namespace axl::bridge
