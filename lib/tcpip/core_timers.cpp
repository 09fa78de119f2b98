// lwIP's clock. It ticks every 25 ms while any connection has something under way, and not at all while all are at
// rest: then once a second is enough for keepalive and TIME_WAIT.
#include <algorithm>
#include <utility>
#include <vector>

#include "tcpip/core.hpp"

namespace axl::tcpip {

namespace {

constexpr Duration kFast = std::chrono::milliseconds{TCP_FAST_INTERVAL};
constexpr Duration kSlow = std::chrono::milliseconds{TCP_SLOW_INTERVAL};
constexpr Duration kIdleCheck = std::chrono::seconds{1};
constexpr Duration kOfferAgain = std::chrono::seconds{1};
constexpr std::size_t kMostTimeWait = 256;

bool is_busy(const tcp_pcb& pcb) noexcept {
  const bool at_rest = (pcb.state == ESTABLISHED || pcb.state == CLOSE_WAIT || pcb.state == FIN_WAIT_2) &&
                       pcb.unacked == nullptr && pcb.unsent == nullptr && pcb.ooseq == nullptr &&
                       pcb.refused_data == nullptr && (pcb.flags & (TF_ACK_DELAY | TF_ACK_NOW | TF_CLOSEPEND)) == 0 &&
                       pcb.blocked == 0;
  return !at_rest;
}

}  // namespace

void Core::on_tick(Time now) {
  if (inside()) return;
  const Dated dated{*this, now};
  run_timers();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now_) {
    const auto id = deadlines_.begin()->second;
    const auto found = flows_.find(id);
    if (found == flows_.end()) {
      deadlines_.erase(deadlines_.begin());
      continue;
    }
    const auto flow = found->second;
    clear_timeout(*flow);
    flow->on_deadline();
  }
  retry_waiting();
  // Should the host never say that there is room (a link that went away says nothing), nothing may stand still for
  // ever.
  if (peers_.any_blocked() && offered_ && now_ - *offered_ >= kOfferAgain) output_ready_ = true;
  settle();
}

void Core::run_timers() {
  if (running_) {
    if (fast_time_ + kFast > now_) return;
    enter([&] {
      constexpr int kMostSteps = 8;
      for (int steps = 0; fast_time_ + kFast <= now_; ++steps) {
        if (steps == kMostSteps) {
          // The process was held up, and so were its answers: no timer of a peer's has run out.
          fast_time_ = now_;
          slow_time_ = now_;
          break;
        }
        fast_time_ += kFast;
        tcp_fasttmr();
        if (slow_time_ + kSlow <= fast_time_) {
          slow_time_ += kSlow;
          tcp_slowtmr();
        }
      }
      trim_time_wait();
    });
  } else if (has_pcbs() && now_ >= idle_check_) {
    enter([&] {
      tcp_slowtmr();
      trim_time_wait();
    });
  } else {
    return;
  }
  running_ = any_busy();
  if (!running_) idle_check_ = now_ + kIdleCheck;
}

bool Core::any_busy() const noexcept {
  for (const auto* pcb = context_.tcp_active_pcbs; pcb != nullptr; pcb = pcb->next) {
    if (is_busy(*pcb)) return true;
  }
  return false;
}

// The list has the newest first; what is beyond the cap has waited longest.
void Core::trim_time_wait() {
  if (time_wait_ <= kMostTimeWait) return;
  std::size_t count = 0;
  std::vector<tcp_pcb*> oldest;
  for (auto* pcb = context_.tcp_tw_pcbs; pcb != nullptr; pcb = pcb->next) {
    if (++count > kMostTimeWait) oldest.push_back(pcb);
  }
  for (auto* pcb : oldest) tcp_abort(pcb);
}

std::optional<Time> Core::next_tick() const {
  if (!ready_.empty() || !accepted_.empty() || !unflushed_.empty() || !undated_.empty() || rebase_) return now_;
  std::optional<Time> next;
  const auto consider = [&next](Time time) { next = next ? std::min(*next, time) : time; };
  if (!deadlines_.empty()) consider(deadlines_.begin()->first);
  if (!waiting_.empty() && retry_time_) consider(*retry_time_);
  if (running_) {
    consider(fast_time_ + kFast);
  } else if (has_pcbs()) {
    consider(idle_check_);
  }
  return next;
}

}  // namespace axl::tcpip
