#include "node/core.hpp"

#include <algorithm>
#include <chrono>

#include "net/signature_fallback.hpp"
#include "node/turning_executor.hpp"

namespace axl::node {

namespace {

Duration unix_now() {
  return std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch());
}

constexpr int kRoundsPerTurn = 4'096;

// Unix time at Time{}, the origin that the engines count from.
Duration unix_at_zero(Time now) { return unix_now() - now.time_since_epoch(); }

template <class... Times>
std::optional<Time> earliest(Times... times) {
  std::optional<Time> first;
  for (const auto& time : {times...}) {
    if (time && (!first || *time < *first)) first = time;
  }
  return first;
}

}  // namespace

Core::Core(const Config& config, const PrivateKey& key, asio::io_context& context, TurningExecutor& executor, Logger logger)
    : executor_{executor},
      logger_{std::move(logger)},
      own_key_{key.public_key()},
      advances_{asio::use_service<net::Advances>(context)},
      overlay_{config.overlay, key, net::make_routing_verifier(), rng_, unix_at_zero(now()), now()},
      e2e_{config.e2e, key, rng_, unix_at_zero(now()), now()},
      timer_{context, clock_, [this] { on_timer(); }},
      rooms_{context, clock_} {
  tcpip::StackHost& host = *this;
  tcp_.emplace(config.tcp, own_key_, rng_, host, logger_, now());
}

Core::~Core() { stop(); }

void Core::stop() {
  if (stopped_) return;
  stopped_ = true;
  timer_.disarm();
  rooms_.stop();
  tcp_.reset();
  inbound_.clear();
}

Time Core::now() const { return clock_.now(); }

void Core::turn_soon() {
  if (!turn_follows_ && !in_turn_ && !stopped_) executor_.turn_soon();
}

void Core::turn_and_visit() {
  executor_.visit_at_end();
  turn();
}

void Core::retire(std::shared_ptr<void> object) {
  executor_.post([object = std::move(object)] {});
}

void Core::turn() {
  turn_follows_ = false;
  if (in_turn_ || stopped_) return;
  in_turn_ = true;
  // A node that talks to itself always has more to do; others on this loop want their turn too.
  auto rounds = kRoundsPerTurn;
  while (step() && !stopped_ && --rounds > 0) {
  }
  in_turn_ = false;
  if (stopped_) return;
  if (links_ != nullptr) links_->close_failed();
  arm_timer();
  rooms_.look();
  if (place_changed_ && overlay_.place_version() != place_version_) {
    place_version_ = overlay_.place_version();
    place_changed_();
  }
  if (rounds == 0) turn_soon();
}

// Carries one thing on its way up, and everything on its way down. False: nothing waits.
bool Core::step() {
  carry();
  if (!sessions_up_.empty()) {
    const auto key = sessions_up_.front();
    sessions_up_.pop_front();
    tcp_->on_session_up(key, now());
    if (session_up_) session_up_(key);
  } else if (!paths_found_.empty()) {
    const auto key = paths_found_.front();
    paths_found_.pop_front();
    if (path_found_) path_found_(key);
  } else if (!failed_.empty()) {
    const auto [key, error] = std::move(failed_.front());
    failed_.pop_front();
    tcp_->on_connect_failed(key, error);
  } else if (!pings_done_.empty()) {
    const auto done = std::move(pings_done_.front());
    pings_done_.pop_front();
    if (ping_done_) ping_done_(done);
  } else if (!inbound_.empty()) {
    auto [source, packet] = std::move(inbound_.front());
    inbound_.pop_front();
    tcp_->input(source, std::move(packet), now());
  } else if (room_) {
    room_ = false;
    output_blocked_ = false;
    tcp_->on_output_ready(now());
  } else if (const auto next = tcp_->next_tick(); next && *next <= now()) {
    tcp_->on_tick(now());
    tcp_->run_handlers();
  } else {
    return false;
  }
  return true;
}

void Core::carry() {
  if (carrying_) return;
  carrying_ = true;
  for (;;) {
    if (auto from_e2e = e2e_.poll_output()) {
      take(*std::move(from_e2e));
    } else if (auto from_overlay = overlay_.poll_output()) {
      take(*std::move(from_overlay));
    } else {
      break;
    }
  }
  carrying_ = false;
}

void Core::take(overlay::Engine::Output output) {
  if (auto* frame = std::get_if<overlay::Engine::SendFrame>(&output)) {
    if (links_ != nullptr) links_->send(std::move(*frame));
  } else if (auto* datagram = std::get_if<overlay::Engine::Deliver>(&output)) {
    e2e_.on_packet(datagram->source, std::move(datagram->payload), now());
  } else if (const auto* found = std::get_if<overlay::Engine::PathFound>(&output)) {
    e2e_.on_path_found(found->key, now());
    if (path_found_) paths_found_.push_back(found->key);
  } else if (const auto* proven = std::get_if<overlay::Engine::LinkProven>(&output)) {
    if (links_ != nullptr) links_->on_proven(proven->link);
  }
}

void Core::take(e2e::Engine::Output output) {
  if (auto* packet = std::get_if<e2e::Engine::SendPacket>(&output)) {
    // Only a payload past the routing layer's limit is refused, and nothing above makes one.
    const auto sent = overlay_.send(packet->dest, std::move(packet->payload), now());
    if (!sent) logger_(LogLevel::debug, "overlay", "{}", sent.error().text());
  } else if (const auto* lookup = std::get_if<e2e::Engine::SendLookup>(&output)) {
    overlay_.send_lookup(lookup->target, now());
  } else if (auto* delivered = std::get_if<e2e::Engine::DeliverPacket>(&output)) {
    ++received_.packets;
    received_.bytes += delivered->packet.size();
    inbound_.push_back({delivered->source, std::move(delivered->packet)});
  } else if (const auto* up = std::get_if<e2e::Engine::SessionUp>(&output)) {
    sessions_up_.push_back(up->key);
  } else if (const auto* wanted = std::get_if<e2e::Engine::KeysWanted>(&output)) {
    answer_keys(*wanted);
  } else if (const auto* mismatch = std::get_if<e2e::Engine::KeyMismatch>(&output)) {
    failed_.emplace_back(mismatch->wanted, Error{Errc::key_mismatch, "peer key mismatch"});
  } else if (std::holds_alternative<e2e::Engine::Dropped>(output)) {
    ++expired_;
  } else if (auto* done = std::get_if<e2e::Engine::PingDone>(&output)) {
    pings_done_.push_back(std::move(*done));
  }
}

// Debug requests of the reference's tools: keys of the links that are up, or of every known announcement.
void Core::answer_keys(const e2e::Engine::KeysWanted& wanted) {
  constexpr std::uint8_t kGetPeersResponse = 4;
  std::vector<PublicKey> keys;
  if (wanted.response_type == kGetPeersResponse) {
    for (const auto& link : overlay_.links()) keys.push_back(link.key);
  } else {
    for (const auto& entry : overlay_.tree()) keys.push_back(entry.key);
  }
  e2e_.answer_keys(wanted.asker, wanted.response_type, keys, now());
}

bool Core::send_packet(const PublicKey& dest, Buffer& packet) {
  if (dest == own_key_) {
    inbound_.push_back({dest, std::move(packet)});
    turn_soon();
    return true;
  }
  const auto hop = overlay_.next_hop(dest);
  if (hop && links_ != nullptr && links_->is_full(*hop)) {
    output_blocked_ = true;
    return false;
  }
  // Without a session the packet waits in e2e's own room, in order, as long as there is any.
  const auto size = packet.size();
  const auto sent = e2e_.send(dest, std::move(packet), now());
  if (!sent) {
    if (sent.error().is(Errc::would_block)) {
      output_blocked_ = true;
      return false;
    }
    logger_(LogLevel::debug, "e2e", "{}", sent.error().text());
  } else {
    ++sent_.packets;
    sent_.bytes += size;
  }
  carry();
  turn_soon();
  return true;
}

void Core::open_session(const PublicKey& key) {
  if (key == own_key_) {
    sessions_up_.push_back(key);
  } else {
    e2e_.open(key, now());
  }
  turn_soon();
}

bool Core::session_is_up(const PublicKey& key) { return key == own_key_ || e2e_.is_open(key); }

void Core::on_link_room() {
  if (!output_blocked_) return;
  room_ = true;
  turn_soon();
}

void Core::count(Statistics& out) const {
  const auto tables = overlay_.table_sizes();
  out.tree_nodes = tables.infos;
  out.paths = tables.paths;
  out.lookups = tables.rumors;
  out.lookup_waiting_bytes = tables.waiting_bytes;
  out.sessions = e2e_.session_count();
  out.session_rx_packets = received_.packets;
  out.session_rx_bytes = received_.bytes;
  out.session_tx_packets = sent_.packets;
  out.session_tx_bytes = sent_.bytes;
  out.expired_packets = expired_;
  const auto tcp = tcp_->stats();
  out.filtered_packets = tcp.filtered;
  out.tcp_connections = tcp.connections;
}

void Core::arm_timer() {
  e2e_.set_routing_entries(overlay_.known_nodes());
  const auto next = earliest(overlay_.next_tick(), e2e_.next_tick(), tcp_->next_tick());
  if (next) {
    timer_.arm(*next);
  } else {
    timer_.disarm();
  }
}

void Core::on_timer() {
  const auto time = now();
  const auto due = [time](std::optional<Time> deadline) { return deadline && *deadline <= time; };
  if (due(overlay_.next_tick())) overlay_.on_tick(time);
  if (due(e2e_.next_tick())) e2e_.on_tick(time);
  turn();
}

}  // namespace axl::node
