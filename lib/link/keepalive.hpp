// Decides when a link owes its peer a frame, and when the peer has gone silent.
//
// Data must be answered: after receiving data we send something back within `reply_delay`, and after sending data
// something must come back within `peer_timeout`. A link idle in both directions runs no timer at all.
//
// Pure: no socket, no clock, no allocation. Lives on the loop, not thread-safe.
// Source: overlay routing, section 6.2.
#pragma once

#include <axl/time.hpp>
#include <cstdint>
#include <optional>

namespace axl::link {

enum class FrameKind : std::uint8_t { data, keepalive };

class Keepalive {
 public:
  struct Config {
    Duration reply_delay{std::chrono::seconds{1}};
    Duration peer_timeout{std::chrono::seconds{3}};
    /// A tick that comes this late says that we slept, not the peer: what it sent may lie unread. It gets as long
    /// again.
    Duration late_tick{std::chrono::milliseconds{500}};
  };
  enum class Output : std::uint8_t { send_keepalive, peer_timed_out };

  Keepalive() noexcept : Keepalive{Config{}} {}
  explicit Keepalive(Config config) noexcept : config_{config} {}

  void on_sent(FrameKind kind, Time now) noexcept;
  void on_received(FrameKind kind, Time now) noexcept;
  /// Part of a frame came: a sign of life, not yet something to answer.
  void on_received_part() noexcept { answer_by_.reset(); }
  void on_tick(Time now) noexcept;

  /// Earliest time at which `on_tick` has work to do; empty when idle.
  [[nodiscard]] std::optional<Time> next_tick() const noexcept;

  /// What the caller must do next. Call until empty after every input.
  [[nodiscard]] std::optional<Output> poll_output() noexcept;

 private:
  Config config_;
  std::optional<Time> reply_by_;   // set while we owe the peer a frame
  std::optional<Time> answer_by_;  // set while the peer owes us a frame
  bool extended_ = false;          // answer_by_ was moved once because we were late
  std::optional<Output> pending_;
};

}  // namespace axl::link
