#include "tcpip/core.hpp"

#include <algorithm>
#include <utility>

#include "lwip/init.h"
#include "tcpip/connection.hpp"
#include "tcpip/packet_buffer.hpp"
#include "tcpip/packet_filter.hpp"

namespace axl::tcpip {

namespace {

constexpr std::size_t kMostArrivals = 4'096;
constexpr std::size_t kMostResets = 256;
constexpr std::size_t kLittle = 16 * 1024;  // bytes that wait in a connection
constexpr std::size_t kBulkFirst = 8;       // one round of so many
constexpr Duration kAskAgain = std::chrono::seconds{1};

s16_t slow_ticks(Duration duration) {
  const auto ticks = duration / std::chrono::milliseconds{TCP_SLOW_INTERVAL};
  return static_cast<s16_t>(std::clamp<Duration::rep>(ticks, 1, 0x7fff));
}

Stack::Config sensible(Stack::Config config) {
  config.mtu = std::clamp<std::size_t>(config.mtu, 1'280, 65'535);
  // At least four segments, or the peer waits for every acknowledgement.
  const auto least = 4 * (config.mtu - 60);
  config.max_window = std::clamp<std::size_t>(config.max_window, least, TCP_WND);
  config.max_lent_per_peer = std::min(config.max_lent_per_peer, config.max_lent);
  config.initial_window = std::clamp<std::size_t>(config.initial_window, least, config.max_window);
  return config;
}

}  // namespace

Core::Core(const Stack::Config& config, const PublicKey& own_key, Rng& rng, StackHost& host, Logger logger, Time now)
    : config_{sensible(config)},
      own_key_{own_key},
      own_address_{Address::of(own_key)},
      rng_{rng},
      host_{host},
      logger_{std::move(logger)},
      now_{now},
      fast_time_{now},
      slow_time_{now} {
  rng_.fill(isn_secret_);
  context_.owner = this;
  context_.initial_window = static_cast<u32_t>(config_.initial_window);
  context_.half_open_timeout =
      static_cast<u32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(config_.half_open_timeout).count());
  context_.rto_floor = slow_ticks(config_.rto_floor);
  context_.tcp_ticks = 1;  // 0 means "no measure" to lwIP
  context_.reachable_time = LWIP_ND6_REACHABLE_TIME;
  context_.retrans_timer = LWIP_ND6_RETRANS_TIMER;
  context_.tcp_pcb_lists[0] = &context_.tcp_listen_pcbs.pcbs;
  context_.tcp_pcb_lists[1] = &context_.tcp_bound_pcbs;
  context_.tcp_pcb_lists[2] = &context_.tcp_active_pcbs;
  context_.tcp_pcb_lists[3] = &context_.tcp_tw_pcbs;
  next_port_ = static_cast<std::uint16_t>(rng_.next_u64());

  const Entry entry{context_};
  lwip_init();
  netif_add_noaddr(&interface_, this, init_interface, ip6_input);
  const auto address = to_lwip(own_address_);
  netif_ip6_addr_set(&interface_, 0, &address);
  netif_ip6_addr_set_state(&interface_, 0, IP6_ADDR_PREFERRED);
  netif_set_link_up(&interface_);
  netif_set_up(&interface_);
}

Core::~Core() {
  shut_ = true;
  for (auto& [id, flow] : flows_) flow->detach();
  {
    const Entry entry{context_};
    while (context_.tcp_active_pcbs != nullptr) tcp_abort(context_.tcp_active_pcbs);
    while (context_.tcp_tw_pcbs != nullptr) tcp_abort(context_.tcp_tw_pcbs);
    while (context_.tcp_bound_pcbs != nullptr) tcp_abort(context_.tcp_bound_pcbs);
    for (auto& [port, listener] : listeners_) tcp_close(listener.pcb);
    netif_remove(&interface_);
  }
  for (auto& [id, flow] : flows_) flow->forget_core();
}

void Core::advance(Time now) {
  now_ = std::max(now_, now);
  if (rebase_) {
    rebase_ = false;
    fast_time_ = now_;
    slow_time_ = now_;
  } else if (!running_ && now_ > slow_time_) {
    // At rest nothing ticked; lwIP's clock goes on all the same.
    constexpr Duration kSlow = std::chrono::milliseconds{TCP_SLOW_INTERVAL};
    const auto missed = (now_ - slow_time_) / kSlow;
    context_.tcp_ticks += static_cast<u32_t>(missed);
    slow_time_ += missed * kSlow;
  }
  for (const auto& flow : std::exchange(undated_, {})) {
    if (!flow->timeout) continue;
    flow->deadline = now_ + *flow->timeout;
    flow->timeout.reset();
    deadlines_.insert({*flow->deadline, flow->id()});
  }
  if (peers_.any_blocked() && !offered_) offered_ = now_;
  if (!waiting_.empty() && !retry_time_) retry_time_ = now_ + kAskAgain;
}

void Core::input(const PublicKey& source, Buffer packet, Time now) {
  if (inside()) {
    if (arrivals_.size() < kMostArrivals) arrivals_.push_back({source, std::move(packet)});
    return;
  }
  const Dated dated{*this, now};
  process(source, std::move(packet));
  settle();
}

void Core::process(const PublicKey& source, Buffer packet) {
  if (source != last_source_) {
    last_source_ = source;
    last_address_ = Address::of(source);
  }
  const auto* peer = peers_.find(last_address_);
  const auto verdict = check_packet(packet.span(), last_address_, own_address_);
  if (verdict != Verdict::pass || (peer != nullptr && peer->key != source)) {
    ++filtered_;
    logger_(LogLevel::debug, "tcpip", "packet of {} bytes refused, reason {}", packet.size(),
            static_cast<int>(verdict));
    return;
  }
  enter([&] {
    current_source_ = &source;
    touched_ = nullptr;
    ip6_input(lend(std::move(packet)), &interface_);
    current_source_ = nullptr;
    if (touched_ != nullptr && touched_->flow != nullptr) touched_->flow->on_segment();
    touched_ = nullptr;
  });
}

void Core::on_output_ready(Time now) {
  output_ready_ = true;
  if (inside()) return;
  const Dated dated{*this, now};
  settle();
}

void Core::on_session_up(const PublicKey& key, Time now) {
  sessions_up_.push_back(key);
  if (inside()) return;
  const Dated dated{*this, now};
  settle();
}

void Core::settle() {
  for (;;) {
    if (!sessions_up_.empty()) {
      const auto keys = std::exchange(sessions_up_, {});
      output_ready_ = true;  // a new session takes packets
      const auto waiting = waiting_;
      for (const auto& flow : waiting) {
        if (std::ranges::find(keys, flow->peer()) != keys.end()) start_connect(flow);
      }
    } else if (std::exchange(output_ready_, false)) {
      resend();
    } else if (!arrivals_.empty()) {
      auto arrival = std::move(arrivals_.front());
      arrivals_.pop_front();
      process(arrival.source, std::move(arrival.packet));
    } else if (!unflushed_.empty()) {
      flush();
    } else {
      return;
    }
  }
}

void Core::flush() {
  enter([&] {
    auto flows = std::exchange(unflushed_, std::exchange(spare_flows_, {}));
    for (const auto& flow : flows) {
      flow->unflushed = false;
      flow->pump(true);
    }
    flows.clear();
    spare_flows_ = std::move(flows);
  });
}

void Core::resend() {
  offered_.reset();
  for (auto left = resets_.size(); left > 0; --left) {
    auto reset = std::move(resets_.front());
    resets_.pop_front();
    if (!host_.send_packet(reset.dest, reset.packet)) resets_.push_back(std::move(reset));
  }
  auto blocked = std::exchange(spare_addresses_, {});
  peers_.take_blocked(blocked);
  for (const auto& address : blocked) {
    auto* peer = peers_.find(address);
    if (peer == nullptr || !peer->blocked) continue;
    peers_.unblock(*peer);
    enter([&] {
      // Those with little go first, and wait for no bulk; among each kind the turn of who begins goes round, so that
      // all of a peer's connections move.
      const auto count = peer->tags.size();
      const auto first = peer->first_to_send++;
      const bool bulk_first = first % kBulkFirst == kBulkFirst - 1;  // many with little could take all for ever
      for (const bool bulk : {bulk_first, !bulk_first}) {
        for (std::size_t i = 0; i < count && !peer->blocked; ++i) {
          const auto& tag = *peer->tags[(first + i) % count];
          if ((tag.flow != nullptr && tag.flow->unsent() > kLittle) != bulk) continue;
          // What could not leave may have been an acknowledgement.
          if (tag.pcb->state >= ESTABLISHED && tag.pcb->state != TIME_WAIT) tcp_ack_now(tag.pcb);
          tcp_output(tag.pcb);
        }
      }
    });
  }
  blocked.clear();
  spare_addresses_ = std::move(blocked);
}

void Core::run_handlers(Time now) {
  if (delivering_ || inside()) return;
  const Dated dated{*this, now};
  run_handlers();
}

void Core::run_handlers() {
  if (delivering_ || inside()) return;
  delivering_ = true;
  settle();
  // A bound on one turn: handlers that keep each other busy leave the rest to the next, which is due at once.
  for (std::size_t left = 1'000 + 2 * flows_.size(); left > 0 && !(accepted_.empty() && ready_.empty()); --left) {
    if (!accepted_.empty()) {
      const auto flow = std::move(accepted_.front());
      accepted_.pop_front();
      const auto listener = listeners_.find(flow->local_port());
      if (listener == listeners_.end()) {
        flow->let_go();
      } else {
        const auto handler = listener->second.handler;
        (*handler)(make_connection(flow));
      }
      continue;
    }
    const auto flow = std::move(ready_.front());
    ready_.pop_front();
    flow->ready = false;
    flow->deliver();
  }
  delivering_ = false;
  settle();
}

void Core::tell_work() {
  if (!delivering_ && !inside() && !shut_) host_.on_work();
}

void Core::add_ready(Flow& flow) {
  if (flow.ready) return;
  flow.ready = true;
  if (ready_.empty()) tell_work();
  ready_.push_back(flow.shared_from_this());
}

void Core::add_unflushed(Flow& flow) {
  if (flow.unflushed) return;
  flow.unflushed = true;
  if (unflushed_.empty()) tell_work();
  unflushed_.push_back(flow.shared_from_this());
}

void Core::set_timeout(Flow& flow, Duration timeout) {
  clear_timeout(flow);
  flow.timeout = timeout;
  undated_.push_back(flow.shared_from_this());
}

void Core::clear_timeout(Flow& flow) {
  if (flow.deadline) deadlines_.erase({*flow.deadline, flow.id()});
  flow.deadline.reset();
  flow.timeout.reset();
}

std::size_t Core::lend_window(Peer& peer, std::size_t bytes) noexcept {
  const auto left = std::min(config_.max_lent - lent_, config_.max_lent_per_peer - peer.lent);
  const auto given = std::min(bytes, left);
  lent_ += given;
  peer.lent += given;
  return given;
}

void Core::end_loan(Peer& peer, std::size_t bytes) noexcept {
  lent_ -= bytes;
  peer.lent -= bytes;
}

void Core::drop_if_done(Flow& flow) {
  if (!flow.is_done()) return;
  clear_timeout(flow);
  flows_.erase(flow.id());
}

std::shared_ptr<Flow> Core::make_flow(const PublicKey& peer, Flow::Phase phase) {
  const auto id = next_flow_id_++;
  auto flow = std::make_shared<Flow>(*this, id, peer, phase);
  flows_.emplace(id, flow);
  return flow;
}

void Core::retry_waiting() {
  if (!retry_time_ || now_ < *retry_time_) return;
  retry_time_.reset();
  if (waiting_.empty()) return;
  retry_time_ = now_ + kAskAgain;
  const auto waiting = waiting_;
  for (const auto& flow : waiting) start_connect(flow);
}

Stack::Stats Core::stats() const { return {filtered_, asserts_, connections_, time_wait_}; }

void Core::keep_reset(const PublicKey& dest, Buffer packet) {
  if (resets_.size() >= kMostResets) resets_.pop_front();
  resets_.push_back({dest, std::move(packet)});
}

}  // namespace axl::tcpip
