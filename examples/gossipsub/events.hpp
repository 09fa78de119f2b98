// What the main thread waits for: a line of input, something that a handler has left for it, a signal, or a time.
#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <string>

namespace gossip {

using Clock = std::chrono::steady_clock;

/// One in a process: it takes SIGINT, SIGTERM and SIGWINCH.
class Events {
 public:
  Events();
  ~Events();
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  /// Ends the wait. For any thread.
  void wake() const noexcept;
  void wait(std::optional<Clock::time_point> until);
  /// A line that has come, without its end.
  [[nodiscard]] std::optional<std::string> next_line();
  /// No line will follow: the input has ended, or a signal asks us to end.
  [[nodiscard]] bool ended() const noexcept { return ended_ && lines_.empty(); }

 private:
  void read_input();

  std::string partial_;
  std::deque<std::string> lines_;
  bool ended_ = false;
};

}  // namespace gossip
