#include "net/timer.hpp"

#include <utility>

#include "net/asio_types.hpp"

namespace axl::net {

struct Timer::State {
  State(asio::io_context& context, SteadyClock with_clock, std::function<void()> call)
      : timer{context.get_executor()}, clock{with_clock}, on_expiry{std::move(call)} {}

  SteadyTimer timer;
  SteadyClock clock;
  std::function<void()> on_expiry;
  std::optional<Time> deadline;
  std::optional<Time> waking_at;  // set while a wait is under way
  std::uint64_t round = 0;        // tells the wait under way from those it replaced
  std::uint64_t waits_started = 0;
  bool ended = false;
};

Timer::Timer(asio::io_context& context, SteadyClock clock, std::function<void()> on_expiry)
    : state_{std::make_shared<State>(context, clock, std::move(on_expiry))} {}

Timer::~Timer() {
  state_->ended = true;
  state_->deadline.reset();
  state_->timer.cancel();
}

void Timer::arm(Time deadline) {
  state_->deadline = deadline;
  if (!state_->waking_at || deadline < *state_->waking_at) wait(state_);
}

void Timer::disarm() noexcept { state_->deadline.reset(); }

std::optional<Time> Timer::deadline() const noexcept { return state_->deadline; }

std::uint64_t Timer::waits_started() const noexcept { return state_->waits_started; }

void Timer::wait(const std::shared_ptr<State>& state) {
  state->waking_at = state->deadline;
  ++state->waits_started;
  state->timer.expires_at(SteadyClock::to_steady(*state->deadline));
  state->timer.async_wait([state, round = ++state->round](const std::error_code&) {
    if (state->ended || round != state->round) return;
    on_wake(state);
  });
}

void Timer::on_wake(const std::shared_ptr<State>& state) {
  state->waking_at.reset();
  if (!state->deadline) return;
  if (state->clock.now() < *state->deadline) return wait(state);
  state->deadline.reset();
  state->on_expiry();
}

}  // namespace axl::net
