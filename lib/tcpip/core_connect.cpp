// Connections to come: listeners, and connects from the wait for a session to the SYN.
#include <algorithm>
#include <utility>

#include "tcpip/core.hpp"

namespace axl::tcpip {

namespace {

constexpr std::uint16_t kFirstPort = 16'384;

const tcp_ext_arg_callbacks* listener_callbacks(tcp_extarg_callback_pcb_destroyed_fn destroyed,
                                                tcp_extarg_callback_passive_open_fn opened) {
  static const tcp_ext_arg_callbacks callbacks{destroyed, opened};
  return &callbacks;
}

}  // namespace

Result<void> Core::listen(std::uint16_t port, Stack::AcceptHandler handler) {
  if (port == 0 || !handler) return Error{Errc::invalid_argument, "listen: no port or no handler"};
  if (listeners_.contains(port)) return Error{Errc::already_exists, "listen: the port is taken"};
  tcp_pcb* listener = nullptr;
  const Entry entry{context_};
  if (auto* pcb = tcp_new(); pcb != nullptr) {
    ip_addr_copy(pcb->local_ip, to_lwip(own_address_));
    pcb->local_port = port;
    TCP_REG(&axl_lwip->tcp_bound_pcbs, pcb);
    listener = tcp_listen(pcb);
    if (listener == nullptr) tcp_close(pcb);
  }
  if (listener == nullptr) return Error{Errc::limit_reached, "listen: no memory"};
  tcp_arg(listener, this);
  tcp_accept(listener, on_accepted);
  tcp_ext_arg_set_callbacks(listener, 0, listener_callbacks(on_pcb_destroyed, on_passive_open));
  listeners_[port] = {listener, std::make_shared<Stack::AcceptHandler>(std::move(handler))};
  return {};
}

void Core::stop_listening(std::uint16_t port) {
  const auto found = listeners_.find(port);
  if (found == listeners_.end()) return;
  auto* pcb = found->second.pcb;
  listeners_.erase(found);
  const Entry entry{context_};
  tcp_close(pcb);
}

void Core::connect(const PublicKey& key, std::uint16_t port, Duration timeout, Stack::ConnectHandler handler) {
  const auto flow = make_flow(key, Flow::Phase::waiting);
  flow->connect_handler = std::move(handler);
  flow->wanted_port = port;
  if (port == 0) return flow->fail(Error{Errc::invalid_argument, "connect: no port"});
  if (is_full()) return flow->fail(Error{Errc::limit_reached, "connect: too many connections"});
  auto* peer = peers_.pin(key, Address::of(key));
  if (peer == nullptr) return flow->fail(Error{Errc::key_mismatch, "connect: another key has the peer's address"});
  ++peer->waiting;
  ++connections_;
  if (waiting_.empty()) retry_time_.reset();
  waiting_.push_back(flow);
  set_timeout(*flow, timeout);
  start_connect(flow);
}

void Core::start_connect(const std::shared_ptr<Flow>& flow) {
  if (flow->phase() != Flow::Phase::waiting) return;
  if (!host_.session_is_up(flow->peer())) {
    host_.open_session(flow->peer());
  } else if (inside()) {
    sessions_up_.push_back(flow->peer());
  } else if (auto* peer = peers_.find(Address::of(flow->peer()));
             peer != nullptr && peer->opening < config_.max_opening_per_peer) {
    open(flow, *peer);
  }
}

void Core::stop_waiting(Flow& flow) {
  const auto found = std::ranges::find(waiting_, &flow, &std::shared_ptr<Flow>::get);
  if (found == waiting_.end()) return;
  const auto kept = std::move(*found);
  waiting_.erase(found);
  --connections_;
  if (auto* peer = peers_.find(Address::of(flow.peer())); peer != nullptr) {
    --peer->waiting;
    peers_.release(*peer);
  }
}

void Core::open(const std::shared_ptr<Flow>& flow, Peer& peer) {
  enter([&] {
    auto* pcb = tcp_new();
    const auto port = choose_port(peer, flow->wanted_port);
    if (pcb == nullptr || port == 0) {
      if (pcb != nullptr) tcp_abort(pcb);
      flow->fail(Error{Errc::limit_reached, "connect: no port or no memory left"});
      return;
    }
    pcb->local_ip = to_lwip(own_address_);
    pcb->local_port = port;
    TCP_REG(&axl_lwip->tcp_bound_pcbs, pcb);
    auto& tag = make_tag(pcb, peer, port, flow->wanted_port, Opened::by_us);
    stop_waiting(*flow);
    flow->attach(tag, Flow::Phase::connecting);
    const auto remote = to_lwip(peer.address);
    if (tcp_connect(pcb, &remote, flow->wanted_port, Flow::on_connected) != ERR_OK) tcp_abort(pcb);
  });
}

std::uint16_t Core::choose_port(const Peer& peer, std::uint16_t remote_port) {
  for (unsigned tries = 0x10000U - kFirstPort; tries > 0; --tries) {
    ++next_port_;
    if (next_port_ < kFirstPort) next_port_ = kFirstPort;
    if (!listeners_.contains(next_port_) && Peers::find(peer, next_port_, remote_port) == nullptr) return next_port_;
  }
  return 0;
}

Tag& Core::make_tag(tcp_pcb* pcb, Peer& peer, std::uint16_t local, std::uint16_t remote, Opened opened) {
  auto tag = std::make_unique<Tag>();
  tag->core = this;
  tag->peer = &peer;
  tag->pcb = pcb;
  tag->local_port = local;
  tag->remote_port = remote;
  tag->half_open = opened == Opened::by_peer;
  tag->opening = opened == Opened::by_us;
  if (tag->half_open) ++half_open_;
  if (dated_) tag->began = now_;
  peers_.add(*tag);
  ++connections_;
  static const tcp_ext_arg_callbacks callbacks{on_pcb_destroyed, nullptr};
  tcp_ext_arg_set_callbacks(pcb, 0, &callbacks);
  tcp_ext_arg_set(pcb, 0, tag.get());
  return *tag.release();  // freed by on_pcb_destroyed
}

// Its place is free for one that waits.
void Core::end_opening(Tag& tag) {
  if (!std::exchange(tag.opening, false)) return;
  --tag.peer->opening;
  if (tag.peer->waiting == 0) return;
  tell_work();
  sessions_up_.push_back(tag.peer->key);
}

void Core::on_connect_failed(const PublicKey& key, const Error& error) {
  const auto waiting = waiting_;
  for (const auto& flow : waiting) {
    if (flow->peer() == key && flow->phase() == Flow::Phase::waiting) flow->fail(error);
  }
}

}  // namespace axl::tcpip
