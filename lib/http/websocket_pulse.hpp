// Decides when a WebSocket is asked whether it still lives, and when it is given up.
//
// Silence is answered by a Ping; silence after that means that nobody is there. A message that has begun must go on,
// as it holds memory. While we ourselves do not read, the other end can prove nothing, and no deadline runs.
//
// Pure: no socket, no clock.
#pragma once

#include <axl/time.hpp>
#include <chrono>
#include <cstdint>
#include <optional>

namespace axl::http {

class WebSocketPulse {
 public:
  struct Config {
    Duration ping_after{std::chrono::seconds{15}};     ///< of silence
    Duration dead_after{std::chrono::seconds{120}};    ///< of silence
    Duration message_within{std::chrono::seconds{60}};  ///< without a byte of a message that has begun
  };
  enum class Output : std::uint8_t { send_ping, peer_is_dead, message_is_stuck };

  WebSocketPulse(Config config, Time now) noexcept : config_{config}, heard_{now} {}

  /// Bytes have come; `in_message`: a message is under way behind them.
  void on_received(bool in_message, Time now) noexcept;
  void on_pause() noexcept { paused_ = true; }
  void on_resume(Time now) noexcept;

  [[nodiscard]] std::optional<Time> next_tick() const noexcept;
  /// Once at or after next_tick().
  [[nodiscard]] std::optional<Output> on_tick(Time now) noexcept;

 private:
  Config config_;
  Time heard_;
  bool asked_ = false;  // a Ping was sent since then
  bool in_message_ = false;
  bool paused_ = false;
};

}  // namespace axl::http
