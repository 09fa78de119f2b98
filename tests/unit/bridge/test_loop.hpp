// A loop in virtual time: tasks, timers, and pipes between streams, moved only by the test.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "bridge/host.hpp"
#include "pipe_stream.hpp"

namespace axl::test {

class TestLoop {
 public:
  [[nodiscard]] Time now() const noexcept { return now_; }
  [[nodiscard]] TestExecutor& executor() noexcept { return executor_; }

  std::unique_ptr<Timer> make_timer(std::function<void()> fire) {
    return std::make_unique<LoopTimer>(*this, std::move(fire));
  }

  /// Two joined ends.
  std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> make_pipe(Pipe::Options options = {}) {
    options.seed = ++pipes_made_;
    auto& pipe = pipes_.emplace_back(std::make_unique<Pipe>(options));
    return {pipe->first(), pipe->second()};
  }
  [[nodiscard]] Pipe& last_pipe() { return *pipes_.back(); }

  /// One step of each pipe. False if nothing moved.
  bool step_pipes() {
    bool moved = false;
    for (std::size_t i = 0; i < pipes_.size(); ++i) moved = pipes_[i]->step() || moved;
    return moved;
  }

  /// Does all that is due now.
  void run() {
    for (bool moved = true; moved;) {
      moved = executor_.run_one();
      moved = step_pipes() || moved;
      moved = fire_one() || moved;
    }
  }

  /// Lets time pass, timer by timer.
  void advance(Duration duration) {
    const auto end = now_ + duration;
    run();
    while (!timers_.empty() && timers_.begin()->first.first <= end) {
      now_ = std::max(now_, timers_.begin()->first.first);
      run();
    }
    now_ = end;
    run();
  }

  /// Runs until `done`, jumping to the next timer when nothing else moves. False when nothing is left to happen.
  bool run_until(const std::function<bool()>& done, Duration limit = std::chrono::minutes{10}) {
    const auto end = now_ + limit;
    run();
    while (!done()) {
      if (timers_.empty() || timers_.begin()->first.first > end) return false;
      now_ = std::max(now_, timers_.begin()->first.first);
      run();
    }
    return true;
  }

  [[nodiscard]] std::size_t timers() const noexcept { return timers_.size(); }

 private:
  class LoopTimer final : public Timer {
   public:
    LoopTimer(TestLoop& loop, std::function<void()> fire) : loop_{loop}, fire_{std::move(fire)} {}
    ~LoopTimer() override { cancel(); }
    void arm(Time at) override {
      cancel();
      key_ = {at, ++loop_.next_timer_};
      loop_.timers_.emplace(key_, &fire_);
    }
    void cancel() override { loop_.timers_.erase(key_); }

   private:
    TestLoop& loop_;
    std::function<void()> fire_;
    std::pair<Time, std::uint64_t> key_{};
  };

  bool fire_one() {
    if (timers_.empty() || timers_.begin()->first.first > now_) return false;
    const auto* fire = timers_.begin()->second;
    timers_.erase(timers_.begin());
    (*fire)();
    return true;
  }

  Time now_{std::chrono::hours{1}};
  TestExecutor executor_;
  std::map<std::pair<Time, std::uint64_t>, const std::function<void()>*> timers_;
  std::uint64_t next_timer_ = 0;
  std::vector<std::unique_ptr<Pipe>> pipes_;
  std::uint64_t pipes_made_ = 0;
};

}  // namespace axl::test
