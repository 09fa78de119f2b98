#include "node/links.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace axl::node {

namespace {

link::PeerTable::Config table_config(const NodeConfig& config) {
  link::PeerTable::Config table;
  table.max_links = config.max_links;
  table.max_handshakes = config.max_handshakes;
  table.max_handshakes_per_address = config.max_handshakes_per_address;
  return table;
}

// The link goes on writing when the stream says that there is room, so its mark may not lie below the stream's.
link::Link::Limits link_limits() {
  link::Link::Limits limits;
  limits.write_high = net::StreamOptions::for_links().high_mark;
  limits.write_low = net::StreamOptions::for_links().low_mark;
  return limits;
}

// Programs that turn the loop themselves get no threads that they did not ask for.
net::BulkElsewhere bulk_elsewhere(const NodeConfig& config, bool own_loop) {
  if (config.bulk_thread == BulkThread::always) return net::BulkElsewhere::always;
  if (config.bulk_thread == BulkThread::never || !own_loop || config.run == RunMode::poll) return net::BulkElsewhere::never;
  return net::BulkElsewhere::with_spare_core;
}

net::StreamOptions stream_options(const NodeConfig& config, bool own_loop) {
  auto options = net::StreamOptions::for_links();
  options.bulk_elsewhere = bulk_elsewhere(config, own_loop);
  return options;
}

template <class T>
std::optional<T> keep_or_warn(Result<T> result, const Logger& logger) {
  if (result) return *std::move(result);
  logger(LogLevel::error, "link", "no TLS: {}", result.error().text());
  return std::nullopt;
}

}  // namespace

Links::Links(const NodeConfig& config, const PrivateKey& key, Core& core, asio::io_context& context, bool own_loop,
             Logger logger, Emit emit)
    : key_{key},
      stream_options_{stream_options(config, own_loop)},
      allowed_keys_{config.allowed_public_keys},
      core_{core},
      context_{context},
      logger_{std::move(logger)},
      emit_{std::move(emit)},
      table_{table_config(config)},
      timer_{context, core.clock(), [this] { on_timer(); }},
      dialler_tls_{keep_or_warn(net::TlsContext::dialler(), logger_)},
      listener_tls_{keep_or_warn(net::TlsContext::listener(key, std::chrono::system_clock::now()), logger_)} {
  if (config.run == RunMode::poll && listener_tls_ && dialler_tls_) net::rehearse_handshake(*listener_tls_, *dialler_tls_);
}

Links::~Links() = default;

void Links::start() {
  started_ = true;
  follow_table();
}

Result<void> Links::add_peer(const std::string& uri, const std::string& source_interface) {
  auto parsed = link::parse_peer_uri(uri);
  if (!parsed) return parsed.error();
  const auto added = table_.add(*std::move(parsed), source_interface);
  follow_table();
  if (!added) return added.error();
  return {};
}

Result<void> Links::remove_peer(const std::string& uri, const std::string& source_interface) {
  const auto parsed = link::parse_peer_uri(uri);
  const auto removed = table_.remove(parsed ? parsed->identity : uri, source_interface);
  follow_table();
  return removed;
}

Result<std::string> Links::add_listener(const std::string& uri) {
  auto parsed = link::parse_listener_uri(uri);
  if (!parsed) return parsed.error();
  net::Listener::Options options;
  options.stream = stream_options_;
  options.log = logger_;
  const auto tls = parsed->scheme == link::Scheme::tls;
  if (tls) {
    if (!listener_tls_) return Error{Errc::not_supported, "TLS is not available"};
    options.tls = listener_tls_;
  }
  auto listener =
      net::Listener::open(context_, parsed->host, parsed->port, std::move(options),
                          [this, uri = *parsed](net::Accepted accepted) { on_accepted(uri, std::move(accepted)); });
  if (!listener) return listener.error();
  const auto place = net::to_text((*listener)->local());
  auto bound = std::string{link::scheme_name(parsed->scheme)} + "://" + place;
  logger_(LogLevel::info, "link", "{} listener started on {}", tls ? "TLS" : "TCP", place);
  listeners_.push_back({bound, *std::move(listener)});
  return bound;
}

std::vector<std::string> Links::listeners() const {
  std::vector<std::string> uris;
  for (const auto& listening : listeners_) uris.push_back(listening.uri);
  return uris;
}

// Does what the table wants done, and arms its timer.
void Links::follow_table() {
  if (!started_) return;
  while (auto output = table_.poll_output()) {
    if (const auto* wanted = std::get_if<link::PeerTable::Dial>(&*output)) {
      dial(*wanted);
    } else {
      const auto entry = std::get<link::PeerTable::Close>(*output).entry;
      dials_.erase(entry);
      for (const auto& [id, connection] : connections_) {
        if (connection->entry() != entry) continue;
        connection->fail(Error{Errc::closed, "the peer was removed"});
        break;
      }
    }
  }
  if (const auto next = table_.next_tick()) {
    timer_.arm(*next);
  } else {
    timer_.disarm();
  }
}

void Links::on_timer() {
  table_.on_tick(core_.now());
  follow_table();
}

void Links::dial(const link::PeerTable::Dial& wanted) {
  net::Dialer::Options options;
  options.stream = stream_options_;
  options.source_interface = wanted.source_interface;
  if (wanted.uri.scheme == link::Scheme::tls) {
    if (!dialler_tls_) {
      table_.on_ended(wanted.entry, Error{Errc::not_supported, "TLS is not available"}, false, core_.now());
      return;
    }
    options.tls = dialler_tls_;
    options.server_name = wanted.uri.server_name();
  }
  const auto entry = wanted.entry;
  dials_[entry] = std::make_unique<net::Dialer>(
      context_, wanted.uri.host, wanted.uri.port, std::move(options),
      [this, entry, uri = wanted.uri](Result<net::Dialed> dialed) { on_dialed(entry, uri, std::move(dialed)); });
}

void Links::on_dialed(link::EntryId entry, const link::Uri& uri, Result<net::Dialed> dialed) {
  const auto own_uri = uri;  // the handler that holds it goes with the dialler
  dials_.erase(entry);
  const auto now = core_.now();
  if (!dialed) {
    logger_(LogLevel::debug, "link", "{}: {}", own_uri.identity, dialed.error().text());
    table_.on_ended(entry, dialed.error(), true, now);
    follow_table();
    return;
  }
  table_.on_connected(entry, now);
  logger_(LogLevel::debug, "link", "{} is connected to {}", own_uri.identity, dialed->remote_text);
  link::Link::Options options;
  options.priority = own_uri.priority;
  options.password = own_uri.password;
  options.pinned_keys = own_uri.pinned_keys;
  options.guarded = !own_uri.pinned_keys.empty();
  open(entry, std::move(options), std::move(dialed->stream), own_uri.identity,
       {.inbound = false, .ends = dialed->remote_text + ", source " + dialed->local_text}, now);
}

void Links::on_accepted(const link::Uri& uri, net::Accepted accepted) {
  const auto now = core_.now();
  const auto address = net::plain_address(accepted.remote.address());
  const auto entry =
      started_ ? table_.on_incoming(uri.scheme, accepted.remote_text, address.to_string(), address.is_loopback(), now)
               : Result<link::EntryId>{Error{Errc::closed, "the node has not been started"}};
  if (!entry) {
    ++refused_;
    logger_(LogLevel::debug, "link", "incoming link of {} refused: {}", accepted.remote_text, entry.error().text());
    accepted.stream->abort();
    return;
  }
  link::Link::Options options;
  options.priority = uri.priority;
  options.password = uri.password;
  if (!allowed_keys_.empty()) {
    options.guarded = true;
    options.allowed = [this](const PublicKey& key) {
      return std::find(allowed_keys_.begin(), allowed_keys_.end(), key) != allowed_keys_.end();
    };
  }
  const auto identity = std::string{link::scheme_name(uri.scheme)} + "://" + accepted.remote_text;
  open(*entry, std::move(options), std::move(accepted.stream), identity,
       {.inbound = true, .ends = accepted.remote_text + ", source " + accepted.local_text}, now);
}

void Links::open(link::EntryId entry, link::Link::Options options, std::unique_ptr<Stream> stream, std::string uri,
                 LinkConnection::Route route, Time started) {
  const auto id = overlay::LinkId{next_link_++};
  auto connection = std::make_unique<LinkConnection>(
      id, entry, std::move(uri), link::Link{key_, std::move(options), link_limits(), started}, std::move(stream), core_,
      context_,
      LinkConnection::Events{[this](LinkConnection& link) { on_established(link); },
                             [this](LinkConnection& link) { on_failed(link); }});
  auto& started_link = *connection;
  started_link.route = std::move(route);
  connections_.emplace(id, std::move(connection));
  started_link.start();
}

void Links::on_established(LinkConnection& connection) {
  const auto& peer = *connection.link().peer();
  const auto port = core_.overlay().on_link_up(connection.id(), peer.key, peer.priority, core_.now());
  if (!port) {
    connection.fail(port.error());
    return;
  }
  connection.in_overlay = true;
  announce_if_usable(connection);
}

void Links::on_proven(overlay::LinkId link) {
  auto* connection = find(link);
  if (connection == nullptr) return;
  connection->set_proven();
  announce_if_usable(*connection);
}

void Links::announce_if_usable(LinkConnection& connection) {
  if (connection.announced || !connection.link().usable()) return;
  connection.announced = true;
  ++(connection.route.inbound ? inbound_ : outbound_).established;
  const auto& peer = *connection.link().peer();
  table_.on_established(connection.entry(), peer.key, peer.priority);
  logger_(LogLevel::info, "link", "Connected {}: {}@{}", connection.route.inbound ? "inbound" : "outbound",
          Address::of(peer.key).to_string(), connection.route.ends);
  emit_({.kind = NodeEvent::Kind::peer_up, .key = peer.key, .uri = connection.uri(), .text = {}});
}

void Links::on_failed(LinkConnection& connection) {
  const auto now = core_.now();
  add_traffic(connection.route.inbound ? inbound_ : outbound_, connection.link());
  table_.set_traffic(connection.entry(), connection.link().rx_bytes(), connection.link().tx_bytes());
  table_.on_ended(connection.entry(), connection.error(), connection.retry(), now);
  if (connection.in_overlay) core_.overlay().on_link_down(connection.id(), now);
  const auto level = connection.in_overlay ? LogLevel::info : LogLevel::debug;
  logger_(level, "link", "{} ended: {}", connection.uri(), connection.error().text());
  if (connection.announced) {
    emit_({.kind = NodeEvent::Kind::peer_down,
           .key = connection.link().peer()->key,
           .uri = connection.uri(),
           .text = connection.error().text()});
  }
  if (const auto found = connections_.find(connection.id()); found != connections_.end()) {
    ended_.push_back(std::move(found->second));
    connections_.erase(found);
  }
  core_.on_link_room();  // what waited for this link must look for another
  core_.turn_soon();
}

void Links::send(overlay::Engine::SendFrame frame) {
  if (auto* connection = find(frame.link)) connection->send(std::move(frame));
}

bool Links::is_full(overlay::LinkId link) const {
  const auto* connection = find(link);
  return connection != nullptr && connection->is_full();
}

void Links::close_failed() {
  if (!ended_.empty()) {
    // Their streams still send what is queued; they are destroyed once this call stack is gone.
    core_.retire(std::make_shared<std::vector<std::unique_ptr<LinkConnection>>>(std::exchange(ended_, {})));
  }
  follow_table();
}

LinkConnection* Links::find(overlay::LinkId link) const {
  const auto found = connections_.find(link);
  return found == connections_.end() ? nullptr : found->second.get();
}

void Links::add_traffic(Statistics::Links& to, const link::Link& link) {
  to.rx_bytes += link.rx_bytes();
  to.tx_bytes += link.tx_bytes();
  to.dropped_packets += link.dropped();
}

std::size_t Links::up() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(connections_, [](const auto& item) { return item.second->link().usable(); }));
}

void Links::count(Statistics& out) const {
  out.inbound = inbound_;
  out.outbound = outbound_;
  out.refused_links = refused_;
  out.configured_peers = table_.configured();
  for (const auto& [id, connection] : connections_) {
    auto& side = connection->route.inbound ? out.inbound : out.outbound;
    add_traffic(side, connection->link());
    if (connection->link().usable()) ++side.up;
  }
}

std::vector<Topology::Peer> Links::peers() const {
  std::map<overlay::LinkId, overlay::Engine::LinkView> views;
  for (auto& view : core_.overlay().links()) views.emplace(view.link, std::move(view));
  std::map<link::EntryId, const LinkConnection*> by_entry;
  for (const auto& [id, connection] : connections_) by_entry.emplace(connection->entry(), connection.get());

  std::vector<Topology::Peer> peers;
  for (auto& row : table_.rows(core_.now())) {
    Topology::Peer peer;
    peer.uri = std::move(row.uri);
    peer.inbound = row.inbound;
    peer.rx_bytes = row.rx_bytes;
    peer.tx_bytes = row.tx_bytes;
    peer.uptime = row.uptime;
    peer.last_error = std::move(row.last_error);
    const auto found = by_entry.find(row.entry);
    if (found != by_entry.end()) {
      const auto& link = found->second->link();
      peer.rx_bytes = link.rx_bytes();
      peer.tx_bytes = link.tx_bytes();
      if (link.usable()) {
        peer.up = true;
        peer.key = link.peer()->key;
        peer.priority = link.peer()->priority;
        if (const auto view = views.find(found->second->id()); view != views.end()) {
          peer.root = view->second.root;
          peer.coords = view->second.coords;
          peer.port = static_cast<std::uint64_t>(view->second.port);
          peer.cost = view->second.cost;
          peer.latency = view->second.latency;
        }
      }
    }
    peers.push_back(std::move(peer));
  }
  return peers;
}

}  // namespace axl::node
