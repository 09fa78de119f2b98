#include "node/node_state.hpp"

#include <algorithm>
#include <condition_variable>
#include <utility>

#include "link/uri.hpp"
#include "http/local_access.hpp"
#include "net/endpoint.hpp"
#include "node/session_state.hpp"

namespace axl::node {

namespace {

// A timer of the bridge on the node's loop.
class LoopTimer final : public Timer {
 public:
  LoopTimer(asio::io_context& context, const net::SteadyClock& clock, std::function<void()> fire)
      : timer_{context, clock, std::move(fire)} {}
  void arm(Time at) override { timer_.arm(at); }
  void cancel() override { timer_.disarm(); }

 private:
  net::Timer timer_;
};

Core::Config core_config(const NodeConfig& config) {
  Core::Config core;
  core.e2e.mtu = config.mtu;
  core.e2e.node_info = config.node_info;
  core.e2e.node_info_private = config.node_info_privacy;
  core.tcp.mtu = config.mtu;
  return core;
}

}  // namespace

NodeState::NodeState(NodeConfig config, const PrivateKey& key, asio::io_context* external)
    : config_{std::move(config)},
      private_key_{key},
      key_{key.public_key()},
      address_{Address::of(key_)},
      running_key_{key_},
      logger_{config_.log, config_.log_level},
      loop_{config_.run, external},
      executor_{std::make_shared<TurningExecutor>(loop_)} {
  if (!running_key_.held()) return;
  core_ = std::make_unique<Core>(core_config(config_), key, loop_.context(), *executor_, logger_);
  links_ = std::make_unique<Links>(config_, key, *core_, loop_.context(), external == nullptr, logger_,
                                   [this](const NodeEvent& event) { emit(event); });
  core_->set_links(links_.get());
  executor_->attach(*core_);
  core_->set_session_up_handler([this](const PublicKey& peer) {
    emit({.kind = NodeEvent::Kind::session_up, .key = peer, .uri = {}, .text = {}});
  });
  core_->set_ping_done_handler([this](const e2e::Engine::PingDone& done) { on_ping_done(done); });
  core_->set_path_found_handler([this](const PublicKey& peer) { on_path_found(peer); });
  system_ = std::make_unique<net::MachineSystem>(loop_.context());
  bridge::ApiConfig api;
  api.allowed_hosts = config_.api_allowed_hosts;
  api.allowed_origins = config_.api_allowed_origins;
  api.token = config_.api_token;
  api.legacy_peer_id = config_.legacy_peer_id;
  bridge_ = std::make_unique<bridge::Bridge>(config_, std::move(api), *this, logger_);
}

NodeState::~NodeState() { stop(); }

void NodeState::bind() {
  for (const auto& uri : config_.listen) {
    const auto bound = links_->add_listener(uri);
    if (!bound)
      logger_(LogLevel::warning, "link", "cannot listen on {}: {}", uri.substr(0, uri.find('?')), bound.error().text());
  }
}

Result<void> NodeState::start() {
  if (stopped_) return Error{Errc::closed, "the node has been stopped"};
  if (started_) return {};
  started_ = true;
  on_loop_and_wait([this] {
    if (config_.accept_messages) listen_for_messages();
    for (const auto& peer : config_.peers) {
      const auto added = links_->add_peer(peer.uri, peer.source_interface);
      if (!added && !added.error().is(Errc::already_exists)) {
        logger_(LogLevel::warning, "link", "peer {}: {}", peer.uri.substr(0, peer.uri.find('?')), added.error().text());
      }
    }
    links_->start();
  });
  loop_.start();
  return {};
}

void NodeState::listen_for_messages() {
  const auto accept = [this](std::uint16_t port, void (bridge::Bridge::*take)(std::unique_ptr<tcpip::Connection>)) {
    const auto listening = core_->tcp().listen(port, [this, take](std::unique_ptr<tcpip::Connection> connection) {
      ((*bridge_).*take)(std::move(connection));
    });
    if (!listening) logger_(LogLevel::error, "tcp", "overlay port {}: {}", port, listening.error().text());
  };
  accept(config_.tcp_port, &bridge::Bridge::accept_frames);
  accept(config_.http_port, &bridge::Bridge::accept_http);
}

void NodeState::stop() {
  if (std::exchange(stopped_, true)) return;
  const auto end = [this] {
    for (const auto& [name, part] : std::exchange(parts_, {})) part->on_node_stop();
    for (const auto& weak : std::exchange(sessions_, {})) {
      if (const auto session = weak.lock()) session->on_node_stopped();
    }
    if (core_) {  // what that tells peers leaves while there are links
      const net::Advances::Hold hold{core_->advances()};
      core_->turn();
    }
    *alive_ = false;
    executor_->stop();
    event_handler_ = nullptr;
    api_listeners_.clear();
    unix_listeners_.clear();
    for (const auto& wait : std::exchange(address_waits_, {})) wait->timer.reset();
    pings_.clear();
    if (core_) core_->set_links(nullptr);
    bridge_.reset();
    system_.reset();
    if (core_) core_->stop();
    links_.reset();
  };
  if (core_) loop_.run_and_wait(end);
  loop_.stop();
  executor_->detach();
}

void NodeState::on_loop_and_wait(const std::function<void()>& task) {
  loop_.run_and_wait([&] {
    if (!*alive_) return;
    task();
    core_->turn();
  });
}

Result<void> NodeState::add_peer(const std::string& uri, const std::string& source_interface) {
  Result<void> result = Error{Errc::closed, "the node has been stopped"};
  on_loop_and_wait([&] { result = links_->add_peer(uri, source_interface); });
  return result;
}

Result<void> NodeState::remove_peer(const std::string& uri, const std::string& source_interface) {
  Result<void> result = Error{Errc::closed, "the node has been stopped"};
  on_loop_and_wait([&] { result = links_->remove_peer(uri, source_interface); });
  return result;
}

Result<void> NodeState::dial_peer(const std::string& uri, const std::string& source_interface) {
  auto added = links_->add_peer(uri, source_interface);
  core_->turn_soon();
  return added;
}

Result<void> NodeState::forget_peer(const std::string& uri, const std::string& source_interface) {
  auto removed = links_->remove_peer(uri, source_interface);
  core_->turn_soon();
  return removed;
}

Result<std::string> NodeState::add_listener(const std::string& uri) {
  Result<std::string> result = Error{Errc::closed, "the node has been stopped"};
  on_loop_and_wait([&] { result = links_->add_listener(uri); });
  return result;
}

std::vector<std::string> NodeState::listeners() {
  std::vector<std::string> uris;
  on_loop_and_wait([&] { uris = links_->listeners(); });
  return uris;
}

Result<void> NodeState::listen(std::uint16_t port, Node::SessionHandler handler) {
  if (!handler) return Error{Errc::invalid_argument, "a listener needs a handler"};
  Result<void> result = Error{Errc::closed, "the node has been stopped"};
  on_loop_and_wait([&] {
    result = core_->tcp().listen(port, [this, handler](std::unique_ptr<tcpip::Connection> connection) {
      handler(make_session(std::move(connection)));
    });
  });
  return result;
}

Session NodeState::make_session(std::unique_ptr<tcpip::Connection> connection) {
  auto state = SessionState::create(std::move(connection), executor_);
  // The list is tidied whenever it has doubled, so a busy node pays little and keeps no more than twice what is open.
  if (sessions_.size() == sessions_.capacity())
    std::erase_if(sessions_, [](const auto& weak) { return weak.expired(); });
  sessions_.push_back(state);
  return Session{std::move(state)};
}

void NodeState::stop_listening(std::uint16_t port) {
  on_loop_and_wait([&] { core_->tcp().stop_listening(port); });
}

void NodeState::connect_session(const PublicKey& peer, std::uint16_t port, Node::ConnectHandler handler) {
  executor_->post([this, peer, port, handler = std::move(handler)] {
    connect(peer, port, config_.dial_timeout, [this, handler](Result<std::unique_ptr<tcpip::Connection>> connection) {
      if (!connection) return handler(connection.error());
      handler(make_session(*std::move(connection)));
    });
  });
}

std::shared_ptr<Part> NodeState::part(std::string_view name) const {
  const auto found = parts_.find(name);
  return found == parts_.end() ? nullptr : found->second;
}

void NodeState::drop_part(std::string_view name) {
  if (const auto found = parts_.find(name); found != parts_.end()) parts_.erase(found);
}

void NodeState::send(const PublicKey& peer, MessageBody body, SendOptions options, Node::SendHandler handler) {
  executor_->post([this, peer, body = std::move(body), options = std::move(options), handler = std::move(handler)] {
    bridge_->send(peer, body, options, handler);
  });
}

Result<std::uint16_t> NodeState::serve_api(const std::string& host, std::uint16_t port) {
  constexpr std::string_view kUnix = "unix:";
  Result<std::uint16_t> result = Error{Errc::closed, "the node has been stopped"};
  on_loop_and_wait([&] {
    if (host.starts_with(kUnix)) {
      auto listener =
          net::UnixListener::open(loop_.context(), host.substr(kUnix.size()),
                                  {.stream = net::StreamOptions::for_relaying(), .log = logger_},
                                  [this](std::unique_ptr<Stream> s) { bridge_->accept_local(std::move(s)); });
      if (!listener) {
        result = listener.error();
        return;
      }
      result = std::uint16_t{0};
      unix_listeners_.push_back(*std::move(listener));
      return;
    }
    net::Listener::Options options;
    options.stream = net::StreamOptions::for_relaying();
    options.log = logger_;
    auto listener =
        net::Listener::open(loop_.context(), host, port, std::move(options),
                            [this](net::Accepted accepted) { bridge_->accept_local(std::move(accepted.stream)); });
    if (!listener) {
      result = listener.error();
      return;
    }
    const auto address = net::plain_address((*listener)->local().address());
    if (!address.is_loopback()) {
      if (config_.api_token.empty()) {
        result = Error{Errc::permission_denied, "the local API needs a token (api_token) to listen beyond loopback"};
        return;
      }
      bridge_->local_access().add_bound_address(address.to_string());
    }
    result = (*listener)->local().port();
    api_listeners_.push_back(*std::move(listener));
  });
  return result;
}

Result<std::uint16_t> NodeState::serve_router(const std::string& host, std::uint16_t port) {
  Result<std::uint16_t> result = Error{Errc::closed, "the node has been stopped"};
  on_loop_and_wait([&] {
    net::Listener::Options options;
    options.stream = net::StreamOptions::for_relaying();
    options.log = logger_;
    auto listener =
        net::Listener::open(loop_.context(), host, port, std::move(options),
                            [this](net::Accepted accepted) { bridge_->accept_router(std::move(accepted.stream)); });
    if (!listener) {
      result = listener.error();
      return;
    }
    if (!net::plain_address((*listener)->local().address()).is_loopback()) {
      result = Error{Errc::permission_denied, "the router's API listens on loopback addresses only"};
      return;
    }
    result = (*listener)->local().port();
    api_listeners_.push_back(*std::move(listener));
  });
  return result;
}

void NodeState::set_event_handler(Node::EventHandler handler) {
  on_loop_and_wait([&] { event_handler_ = std::move(handler); });
}

void NodeState::emit(const NodeEvent& event) {
  if (event.kind == NodeEvent::Kind::peer_up) {
    for (const auto& [name, part] : std::map{parts_}) part->on_link_up();  // they may end meanwhile
  }
  const auto handler = event_handler_;
  if (handler) handler(event);
}

void NodeState::begin_drain(std::function<void()> done) {
  executor_->post([this, done = std::move(done)]() mutable {
    api_listeners_.clear();
    unix_listeners_.clear();
    bridge_->drain(std::move(done));
  });
}

void NodeState::drain(Duration grace) {
  struct Waiting {
    std::mutex mutex;
    std::condition_variable ended;
    bool done = false;
  };
  const auto waiting = std::make_shared<Waiting>();
  begin_drain([waiting] {
    const std::lock_guard lock{waiting->mutex};
    waiting->done = true;
    waiting->ended.notify_one();
  });
  std::unique_lock lock{waiting->mutex};
  waiting->ended.wait_for(lock, grace, [&] { return waiting->done; });
}

std::unique_ptr<Timer> NodeState::make_timer(std::function<void()> fire) {
  return std::make_unique<LoopTimer>(loop_.context(), core_->clock(), [this, alive = alive_, fire = std::move(fire)] {
    if (!*alive) return;
    fire();
    if (*alive) core_->turn_soon();
  });
}

std::optional<PublicKey> NodeState::full_key(const Address& address) const {
  if (address == address_) return key_;
  if (auto key = core_->e2e().key_of(address)) return key;
  for (const auto& entry : core_->overlay().tree()) {
    if (Address::of(entry.key) == address) return entry.key;
  }
  return std::nullopt;
}

void NodeState::connect(const PublicKey& key, std::uint16_t port, Duration timeout,
                        tcpip::Stack::ConnectHandler handler) {
  const auto deadline = now() + timeout;
  find_key(key, deadline, [this, port, deadline, handler = std::move(handler)](Result<PublicKey> found) {
    if (!found) return handler(found.error());
    core_->tcp().connect(*found, port, deadline - now(), handler);
    core_->turn_soon();
  });
}

// A full key is found at once. Of an address, whoever answers a lookup for it is the peer.
void NodeState::find_key(const PublicKey& key, Time deadline, std::function<void(Result<PublicKey>)> handler) {
  const auto address = Address::of(key);
  if (key != address.partial_key()) return handler(key);
  if (const auto known = full_key(address)) return handler(*known);
  auto wait = std::make_shared<AddressWait>();
  wait->address = address;
  wait->deadline = deadline;
  wait->handler = std::move(handler);
  wait->timer = make_timer([this, wait] { look_up(wait); });
  address_waits_.push_back(wait);
  look_up(wait);
}

// Asks again every second; the overlay does not repeat lookups that nobody answers.
void NodeState::look_up(const std::shared_ptr<AddressWait>& wait) {
  if (now() >= wait->deadline) {
    std::erase(address_waits_, wait);
    const auto handler = std::exchange(wait->handler, nullptr);
    wait->timer.reset();
    if (handler) handler(Error{Errc::timed_out, "operation timed out"});
    return;
  }
  core_->overlay().send_lookup(wait->address.partial_key(), now());
  wait->timer->arm(std::min(wait->deadline, now() + std::chrono::seconds{1}));
  core_->turn_soon();
}

void NodeState::on_path_found(const PublicKey& key) {
  if (address_waits_.empty()) return;
  const auto address = Address::of(key);
  std::vector<std::shared_ptr<AddressWait>> answered;
  std::erase_if(address_waits_, [&](const auto& wait) {
    if (wait->address != address) return false;
    answered.push_back(wait);
    return true;
  });
  for (const auto& wait : answered) {
    wait->timer.reset();
    std::exchange(wait->handler, nullptr)(key);
  }
}

Result<std::unique_ptr<Node>> create_node(NodeConfig config, asio::io_context* external) {
  if (const auto valid = config.validate(); !valid) return valid.error();
  for (const auto& peer : config.peers) {
    // A scheme that is not built here may be meant for another node; a bad option is a mistake.
    const auto uri = link::parse_peer_uri(peer.uri);
    if (!uri && !uri.error().is(Errc::not_supported)) {
      return Error{uri.error().code(),
                   "start core: peer " + peer.uri.substr(0, peer.uri.find('?')) + ": " + uri.error().text()};
    }
  }
  const auto key = config.identity ? *config.identity : PrivateKey::generate();
  // Asio throws when the process has no descriptors left for a loop.
  try {
    auto state = std::make_unique<NodeState>(std::move(config), key, external);
    if (!state->key_is_free()) {
      return Error{Errc::already_exists, "a node with key " + key.public_key().to_hex() + " runs in this process"};
    }
    state->bind();
    return std::make_unique<Node>(std::move(state));
  } catch (const std::system_error& failure) {
    return Error{failure.code(), std::string{"create node: "} + failure.what()};
  }
}

}  // namespace axl::node
