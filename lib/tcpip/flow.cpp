#include "tcpip/flow.hpp"

#include <algorithm>
#include <utility>

#include "tcpip/connection.hpp"
#include "tcpip/core.hpp"
#include "tcpip/packet_buffer.hpp"

namespace axl::tcpip {

namespace {

// lwIP walks its segment lists: a peer with small segments gets fewer bytes under way at once.
constexpr std::size_t kSmallSegment = 4 * 1024;
constexpr std::size_t kLeastUnderWay = 256 * 1024;
constexpr std::size_t kMostUnderWay = 8 * 1024 * 1024;
constexpr std::size_t kMostSegments = 512;
constexpr std::size_t kLeastEnough = 64 * 1024;
// So much a second is plenty: a window that allows it grows only for a reader that has taken many of them, and not far.
// What a reader takes at first says little, since a socket behind it had room.
constexpr std::size_t kPlenty = 128 * 1024 * 1024;
constexpr std::size_t kWindowsOfPlenty = 16;
constexpr std::size_t kMostOfPlenty = 160 * 1024;
constexpr std::size_t kAcknowledgeAtOnce = 4 * 1024;
// A peer works on while we do, for as long as the reader is known to take what comes.
constexpr std::size_t kMostExpected = 1024 * 1024;
// The next message is mostly not far behind, and should not have to wait until its own size is known.
constexpr Duration kLoanKept = std::chrono::seconds{1};

}  // namespace

// --- what the owner asks for -----------------------------------------------------------------------------------------

void Flow::set_handler(StreamHandler* handler) {
  handler_ = handler;
  if (handler != nullptr) mark_ready();
}

void Flow::write(Buffer data) {
  if (!takes_writes()) return;
  if (sending_.size() == 0 && !data.empty()) asked_ = core_->now();  // or a little later: the time may be old
  sending_.write(std::move(data));
  unanswered_ = 0;
  if (sending_.size() > high_mark()) was_above_high_ = true;
  if (sending_.size() > enough()) was_above_enough_ = true;
  mark_unflushed();
}

std::size_t Flow::high_mark() const noexcept {
  if (pcb_ == nullptr || pcb_->mss < kSmallSegment) return kLeastUnderWay;
  const std::size_t window = std::min(pcb_->cwnd, pcb_->snd_wnd);
  return std::clamp(2 * window, kLeastUnderWay, kMostUnderWay);
}

// What may be under way, so that the reader's own window is the only store; twice that for a long path, where what was
// acknowledged takes long to be told. All of it is also in here until then.
std::size_t Flow::enough() const noexcept {
  if (pcb_ == nullptr || core_ == nullptr) return kLeastEnough;
  const std::size_t window = std::min(pcb_->cwnd, pcb_->snd_wnd);
  const std::size_t first = core_->context().initial_window;
  return std::clamp(2 * window - std::min(window, first), kLeastEnough, kMostUnderWay);
}

std::size_t Flow::lwip_limit() const noexcept {
  const auto most = std::clamp(kMostSegments * pcb_->mss, kLeastUnderWay, kMostUnderWay);
  return std::min(most, high_mark());  // what lwIP cannot send yet need not be cut into segments yet
}

void Flow::resume_reading() {
  paused_ = false;
  mark_ready();
}

// The window is larger for as long as that much is still to come, and little longer.
void Flow::expect(std::size_t bytes) {
  expected_ = bytes > received_.size() ? bytes - received_.size() : 0;
  if (core_ != nullptr) expected_at_ = core_->now();
  if (core_ == nullptr || pcb_ == nullptr || (pcb_->flags & TF_WND_SCALE) == 0) return;
  const auto most = std::min({expected_, kMostExpected, core_->config().max_window});
  if (most <= pcb_->rcv_wnd_max || to_shrink_ > 0) return;
  const auto more = static_cast<tcpwnd_size_t>(core_->lend_window(*tag_->peer, most - pcb_->rcv_wnd_max));
  lent_ += more;
  pcb_->rcv_wnd_max += more;
  pcb_->rcv_wnd += more;
  core_->enter([&] { tcp_recved(pcb_, 0); });
  mark_unflushed();
}

void Flow::shutdown_send() {
  if (phase_ != Phase::open) return;
  wants_shutdown_ = true;
  mark_unflushed();
}

void Flow::close() {
  if (wants_close_) return;
  wants_close_ = true;
  if (phase_ == Phase::closed || core_ == nullptr) {
    received_.clear();
    mark_ready();
    return;
  }
  wants_shutdown_ = true;
  discard_received();
  core_->set_timeout(*this, core_->config().linger);
  mark_unflushed();
  on_segment();
}

void Flow::abort() {
  received_.clear();
  if (core_ != nullptr && core_->inside()) {
    wants_abort_ = true;
  } else {
    kill();
    become_closed(Error{Errc::closed, "connection was aborted"});
  }
  mark_ready();
}

void Flow::let_go() {
  held_ = false;
  handler_ = nullptr;
  if (core_ == nullptr) return;
  if (!wants_close_) abort();
  core_->drop_if_done(*this);
}

// --- what the stack tells --------------------------------------------------------------------------------------------

void Flow::attach(Tag& tag, Phase phase) {
  tag.flow = this;
  tag_ = &tag;
  pcb_ = tag.pcb;
  local_port_ = tag.local_port;
  remote_port_ = tag.remote_port;
  phase_ = phase;
  was_open_ = phase == Phase::open;
  growth_began_ = core_->now();
  if (phase == Phase::open) measure_round_trip();
  tcp_arg(pcb_, this);
  tcp_recv(pcb_, on_received);
  tcp_sent(pcb_, on_sent);
  tcp_err(pcb_, on_error);
  if (phase == Phase::connecting) tcp_poll(pcb_, on_poll, 20);
  tcp_nagle_disable(pcb_);
  ip_set_option(pcb_, SOF_KEEPALIVE);
}

void Flow::measure_round_trip() noexcept {
  // When the SYN went out in a call that did not tell the time, a guess.
  round_trip_ = std::chrono::milliseconds{5};
  if (!tag_->began) return;
  round_trip_ = std::max(core_->now() - *tag_->began, Duration{1'000});
  tag_->peer->least_round_trip.add(round_trip_, core_->now());
}

void Flow::pump(bool output) {
  if (pcb_ == nullptr || !was_open_) return;
  if (!sent_fin_) {
    if (pcb_->unsent == nullptr) tail_fill_ = 0;
    const auto limit = lwip_limit();
    // As large as lwIP cuts them.
    const std::size_t segment = std::max<std::size_t>(1, std::min<std::size_t>(pcb_->mss, pcb_->snd_wnd_max / 2));
    while (sending_.waiting() > 0 && sending_.handed_over() < limit) {
      const auto piece = sending_.next();
      const auto room = limit - sending_.handed_over();
      auto count = std::min({piece.size(), room, std::size_t{0xffff}, kMostSegments * segment});
      if (count == room && sending_.waiting() > room) {
        // More follows when this is acknowledged: end on a whole segment.
        const auto cut = (tail_fill_ + count) % segment;
        if (cut >= count) break;
        count -= cut;
      }
      const u8_t more = sending_.waiting() > count ? TCP_WRITE_FLAG_MORE : 0;
      if (tcp_write(pcb_, piece.data(), static_cast<u16_t>(count), more) != ERR_OK) break;
      sending_.on_handed_over(count);
      begun_ += count;
      tail_fill_ = (tail_fill_ + count) % segment;
    }
    if (wants_shutdown_ && sending_.waiting() == 0) finish_send();
  }
  if (output && pcb_ != nullptr) tcp_output(pcb_);
}

void Flow::finish_send() {
  // Only our direction: closing both at once would reset the connection when anything is unread.
  if (tcp_shutdown(pcb_, 0, 1) == ERR_OK) sent_fin_ = true;
}

void Flow::on_segment() {
  if (pcb_ == nullptr) return;
  if (pcb_->state == FIN_WAIT_2 && wants_close_ && phase_ == Phase::open) {
    become_closed(std::nullopt);  // all is acknowledged; the pcb stays until the peer ends its direction too
  } else if (pcb_->state == TIME_WAIT) {
    detach();
    become_closed(std::nullopt);
    core_->clear_timeout(*this);
    mark_ready();
  }
}

void Flow::on_pcb_gone() noexcept {
  if (lent_ > 0) core_->end_loan(*tag_->peer, std::exchange(lent_, 0));
  pcb_ = nullptr;
  tag_ = nullptr;
}

void Flow::fail(Error error) {
  kill();
  become_closed(std::move(error));
}

void Flow::on_deadline() {
  if (phase_ == Phase::closed) {
    // Closed for its owner, but the peer never ended its direction.
    kill();
    core_->drop_if_done(*this);
    return;
  }
  fail(Error{Errc::timed_out, "operation timed out"});
}

void Flow::forget_core() noexcept {
  core_ = nullptr;
  phase_ = Phase::closed;
  handler_ = nullptr;
  received_.clear();
  sending_ = SendQueue{};
  connect_handler = nullptr;
}

void Flow::detach() noexcept {
  if (tag_ == nullptr) return;
  tcp_arg(pcb_, nullptr);
  tcp_err(pcb_, nullptr);
  tcp_sent(pcb_, nullptr);
  tcp_recv(pcb_, nullptr);
  tcp_poll(pcb_, nullptr, 0);
  auto& tag = *tag_;
  tag.flow = nullptr;
  const bool rests = pcb_->state == TIME_WAIT;
  on_pcb_gone();
  if (rests) core_->on_time_wait(tag);
}

void Flow::kill() {
  if (core_ == nullptr) return;
  if (phase_ == Phase::waiting) core_->stop_waiting(*this);
  if (pcb_ == nullptr) return;
  auto* pcb = pcb_;
  core_->enter([&] {
    detach();
    tcp_abort(pcb);
  });
  sending_ = SendQueue{};
}

void Flow::become_closed(std::optional<Error> error) {
  if (phase_ == Phase::closed) return;
  phase_ = Phase::closed;
  error_ = std::move(error);
  if (pcb_ == nullptr) core_->clear_timeout(*this);
  mark_ready();
}

void Flow::mark_ready() {
  if (core_ != nullptr) core_->add_ready(*this);
}

void Flow::mark_unflushed() {
  if (core_ != nullptr) core_->add_unflushed(*this);
}

// --- what the owner hears --------------------------------------------------------------------------------------------

void Flow::deliver() {
  if (std::exchange(wants_abort_, false)) {
    kill();
    become_closed(Error{Errc::closed, "connection was aborted"});
  }
  if (connect_handler && (was_open_ || phase_ == Phase::closed)) {
    const auto handler = std::exchange(connect_handler, nullptr);
    if (was_open_) {
      handler(Result<std::unique_ptr<Connection>>{make_connection(shared_from_this())});
    } else {
      held_ = false;
      handler(Result<std::unique_ptr<Connection>>{error_ ? *error_ : Error{Errc::closed, "connection was closed"}});
    }
  }
  std::size_t taken = 0;
  while (handler_ != nullptr && !paused_ && !wants_close_ && !received_.empty()) {
    auto data = received_.pop();
    taken += data.size();
    handler_->on_data(std::move(data));
  }
  if (taken > 0) on_consumed(taken);
  if (handler_ != nullptr && got_fin_ && !told_end_ && !wants_close_ && received_.empty()) {
    told_end_ = true;
    handler_->on_end();
  }
  if (handler_ != nullptr && std::exchange(owes_writable_, false)) handler_->on_writable();
  if (handler_ != nullptr && std::exchange(owes_drained_, false) && sending_.size() == 0) handler_->on_drained();
  if (handler_ != nullptr && phase_ == Phase::closed && !told_closed_ && (received_.empty() || wants_close_)) {
    told_closed_ = true;
    std::exchange(handler_, nullptr)->on_closed(error_ ? &*error_ : nullptr);
  }
  if (core_ != nullptr) core_->drop_if_done(*this);
}

// --- the receive window ----------------------------------------------------------------------------------------------

void Flow::discard_received() {
  const auto count = received_.size();
  received_.clear();
  return_window(count);
}

void Flow::on_consumed(std::size_t count) {
  if (core_ == nullptr || pcb_ == nullptr) return;
  return_window(adapt_window(count));
  // A peer that fills a small window, of TCP or of its own, would wait out our delayed acknowledgement. After a small
  // message it is worth the wait: an answer mostly carries it.
  unanswered_ += count;
  if (pcb_ != nullptr && (pcb_->flags & TF_ACK_DELAY) != 0 && unanswered_ >= kAcknowledgeAtOnce) {
    tcp_ack_now(pcb_);
    mark_unflushed();
  }
}

// The window doubles when the reader takes at least half of one per round trip and leaves nothing unread: then it may
// be what holds the peer back. A reader that falls behind for more than a second loses the growth again: what it reads
// is not offered anew.
std::size_t Flow::adapt_window(std::size_t count) {
  constexpr Duration kPatience = std::chrono::seconds{1};
  const std::size_t first = core_->context().initial_window;
  const std::size_t most = core_->config().max_window;
  const auto now = core_->now();
  if ((pcb_->flags & TF_WND_SCALE) == 0) return count;

  if (behind_since_ && now - *behind_since_ > kPatience && pcb_->rcv_wnd_max > first) {
    to_shrink_ = pcb_->rcv_wnd_max - first;
    if (lent_ > 0) core_->end_loan(*tag_->peer, std::exchange(lent_, 0));  // part of that
  }
  if (received_.size() <= first) behind_since_.reset();
  expected_ -= std::min(expected_, count);
  if (to_shrink_ > 0) return shrink_window(count, to_shrink_);
  if (lent_ > expected_ && now - expected_at_ > kLoanKept) {
    const auto over = lent_ - expected_;
    auto left = over;
    count = shrink_window(count, left);
    lent_ -= over - left;
    core_->end_loan(*tag_->peer, over - left);
    return count;
  }

  consumed_ += count;
  const auto took = now - growth_began_;
  const auto recent = tag_->peer->least_round_trip.at(now);
  const std::chrono::duration<double> least{recent.value_or(Duration::max())};
  const bool is_plenty = static_cast<double>(pcb_->rcv_wnd_max) >= least.count() * static_cast<double>(kPlenty);
  if (consumed_ < (is_plenty ? kWindowsOfPlenty : 1) * pcb_->rcv_wnd_max || took <= Duration::zero()) return count;
  // The path may have become longer. lwIP's own estimate is coarse, and there is none without bytes that we send.
  const auto round_trip = std::max({round_trip_, recent.value_or(Duration{}),
                                    (pcb_->sa >> 3) * Duration{std::chrono::milliseconds{TCP_SLOW_INTERVAL}}});
  const auto trips = static_cast<double>(took.count()) / static_cast<double>(round_trip.count());
  const bool is_tight = 2 * static_cast<double>(consumed_) >= trips * static_cast<double>(pcb_->rcv_wnd_max);
  consumed_ = 0;
  growth_began_ = now;
  const auto limit = is_plenty ? std::min(most, kMostOfPlenty) : most;
  if (received_.empty() && is_tight && pcb_->rcv_wnd_max < limit) {
    const auto more = static_cast<tcpwnd_size_t>(std::min<std::size_t>(pcb_->rcv_wnd_max, limit - pcb_->rcv_wnd_max));
    pcb_->rcv_wnd_max += more;
    pcb_->rcv_wnd += more;
  }
  return count;
}

// Of what has been consumed, that which the peer is not offered again; takes it off `by`.
std::size_t Flow::shrink_window(std::size_t count, std::size_t& by) {
  const std::size_t first = core_->context().initial_window;
  const auto kept = std::min({by, count, static_cast<std::size_t>(pcb_->rcv_wnd_max) - first});
  by -= kept;
  pcb_->rcv_wnd_max -= static_cast<tcpwnd_size_t>(kept);
  consumed_ = 0;
  growth_began_ = core_->now();
  return count - kept;
}

void Flow::return_window(std::size_t count) {
  if (pcb_ == nullptr || count == 0) return;
  core_->enter([&] {
    while (count > 0 && pcb_ != nullptr) {
      const auto step = std::min<std::size_t>(count, 0xffff);
      tcp_recved(pcb_, static_cast<u16_t>(step));
      count -= step;
    }
  });
}

// --- lwIP's callbacks ------------------------------------------------------------------------------------------------

err_t Flow::on_received(void* arg, tcp_pcb* pcb, pbuf* chain, err_t /*error*/) {
  auto* flow = static_cast<Flow*>(arg);
  if (chain == nullptr) {
    if (flow != nullptr) {
      flow->got_fin_ = true;
      flow->mark_ready();
    }
    return ERR_OK;
  }
  if (flow == nullptr || flow->wants_close_ || flow->phase_ == Phase::closed) {
    // Nobody reads this any more, but the peer may still have to say it before it hears our end.
    tcp_recved(pcb, chain->tot_len);
    pbuf_free(chain);
    return ERR_OK;
  }
  for (pbuf* piece = chain; piece != nullptr; piece = piece->next) flow->received_.push(take_back(piece));
  pbuf_free(chain);
  if (!flow->behind_since_ && flow->received_.size() > flow->core_->context().initial_window) {
    flow->behind_since_ = flow->core_->now();
  }
  flow->mark_ready();
  return ERR_OK;
}

err_t Flow::on_sent(void* arg, tcp_pcb* /*pcb*/, u16_t count) {
  auto* flow = static_cast<Flow*>(arg);
  if (flow == nullptr) return ERR_OK;
  if (flow->asked_ && flow->tag_ != nullptr) {
    const auto now = flow->core_->now();
    flow->tag_->peer->least_round_trip.add(std::max(now - *flow->asked_, Duration{1'000}), now);
  }
  flow->asked_.reset();
  flow->acknowledged_ += std::min<std::size_t>(count, flow->sending_.handed_over());
  flow->sending_.on_acknowledged(count);
  const auto left = flow->sending_.size();
  const auto fell = [&](bool& was_above, std::size_t mark) {
    if (!was_above || left >= mark / 2) return;
    was_above = false;
    flow->owes_writable_ = true;
    flow->mark_ready();
  };
  fell(flow->was_above_high_, flow->high_mark());
  fell(flow->was_above_enough_, flow->enough());
  if (flow->sending_.size() == 0) {
    flow->owes_drained_ = true;
    flow->mark_ready();
  }
  // tcp_input sends it when all of this segment is worked off.
  flow->pump(false);
  return ERR_OK;
}

void Flow::on_error(void* arg, err_t error) {
  auto* flow = static_cast<Flow*>(arg);
  if (flow == nullptr) return;
  if (flow->tag_ != nullptr) flow->tag_->flow = nullptr;
  flow->on_pcb_gone();
  switch (error) {
    case ERR_CLSD: flow->become_closed(std::nullopt); break;
    case ERR_RST:
      flow->become_closed(flow->was_open_ ? Error{Errc::closed, "connection was reset by the peer"}
                                          : Error{Errc::refused, "connection was refused"});
      break;
    default: flow->become_closed(Error{Errc::timed_out, "operation timed out"}); break;
  }
  flow->core_->clear_timeout(*flow);
  flow->mark_ready();
}

err_t Flow::on_connected(void* arg, tcp_pcb* pcb, err_t /*error*/) {
  auto* flow = static_cast<Flow*>(arg);
  if (flow == nullptr) return ERR_OK;
  tcp_poll(pcb, nullptr, 0);
  flow->phase_ = Phase::open;
  flow->was_open_ = true;
  flow->measure_round_trip();
  flow->growth_began_ = flow->core_->now();
  flow->core_->clear_timeout(*flow);
  flow->core_->end_opening(*flow->tag_);
  flow->mark_ready();
  return ERR_OK;
}

// lwIP gives up after twelve SYNs; the connect has its own time limit.
err_t Flow::on_poll(void* arg, tcp_pcb* pcb) {
  if (arg != nullptr && pcb->state == SYN_SENT && pcb->nrtx > 6) pcb->nrtx = 1;
  return ERR_OK;
}

}  // namespace axl::tcpip
