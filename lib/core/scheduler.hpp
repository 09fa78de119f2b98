// The loop's clock, timers, turn-taking and randomness, for everything above the engines.
#pragma once

#include <axl/random.hpp>
#include <axl/time.hpp>
#include <functional>
#include <memory>

#include "core/executor.hpp"

namespace axl {

/// Calls back once at a time. Destroying or cancelling it means: no call.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual ~Timer() = default;
  virtual void arm(Time at) = 0;  ///< replaces an earlier time; at once if it has passed, but never inside this call
  virtual void cancel() = 0;
};

/// All on the loop.
class Scheduler {
 public:
  [[nodiscard]] virtual Time now() const = 0;
  [[nodiscard]] virtual std::unique_ptr<Timer> make_timer(std::function<void()> fire) = 0;
  [[nodiscard]] virtual Executor& executor() = 0;
  [[nodiscard]] virtual Rng& rng() = 0;

 protected:
  ~Scheduler() = default;
};

}  // namespace axl
