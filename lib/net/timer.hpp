// One deadline that engines move all the time, and a call when it has passed.
//
// Moving the deadline to a later time, or dropping it, costs nothing: the wait under way goes on, and on waking up it
// looks whether there is still something to do. Only an earlier deadline touches the system's timer.
//
// Lives on one loop. The call may arm, disarm or destroy its timer.
#pragma once

#include <asio/io_context.hpp>
#include <axl/time.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "net/steady_clock.hpp"

namespace axl::net {

class Timer {
 public:
  Timer(asio::io_context& context, SteadyClock clock, std::function<void()> on_expiry);
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer();  ///< no call comes any more

  /// Replaces the deadline. A time that has passed means: on the loop's next turn, never inside this call.
  void arm(Time deadline);
  /// No call until armed again. An idle wait may outlive this; it wakes the loop once.
  void disarm() noexcept;
  [[nodiscard]] std::optional<Time> deadline() const noexcept;

  /// How often the system's timer has been set; for tests.
  [[nodiscard]] std::uint64_t waits_started() const noexcept;

 private:
  struct State;
  static void wait(const std::shared_ptr<State>& state);
  static void on_wake(const std::shared_ptr<State>& state);
  std::shared_ptr<State> state_;
};

}  // namespace axl::net
