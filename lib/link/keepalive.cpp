#include "link/keepalive.hpp"

#include <algorithm>
#include <utility>

namespace axl::link {

void Keepalive::on_sent(FrameKind kind, Time now) noexcept {
  reply_by_.reset();
  if (kind == FrameKind::data && !answer_by_) {
    answer_by_ = now + config_.peer_timeout;
    extended_ = false;
  }
}

void Keepalive::on_received(FrameKind kind, Time now) noexcept {
  answer_by_.reset();
  if (kind == FrameKind::data && !reply_by_) reply_by_ = now + config_.reply_delay;
}

void Keepalive::on_tick(Time now) noexcept {
  if (answer_by_ && *answer_by_ <= now) {
    if (!extended_ && now - *answer_by_ >= config_.late_tick) {
      answer_by_ = now + config_.late_tick;
      extended_ = true;
    } else {
      answer_by_.reset();
      reply_by_.reset();
      pending_ = Output::peer_timed_out;
      return;
    }
  }
  if (reply_by_ && *reply_by_ <= now) {
    reply_by_.reset();
    pending_ = Output::send_keepalive;
  }
}

std::optional<Time> Keepalive::next_tick() const noexcept {
  if (reply_by_ && answer_by_) return std::min(*reply_by_, *answer_by_);
  return reply_by_ ? reply_by_ : answer_by_;
}

std::optional<Keepalive::Output> Keepalive::poll_output() noexcept { return std::exchange(pending_, std::nullopt); }

}  // namespace axl::link
