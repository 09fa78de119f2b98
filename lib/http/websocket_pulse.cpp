#include "http/websocket_pulse.hpp"

#include <algorithm>

namespace axl::http {

void WebSocketPulse::on_received(bool in_message, Time now) noexcept {
  heard_ = now;
  asked_ = false;
  in_message_ = in_message;
}

void WebSocketPulse::on_resume(Time now) noexcept {
  if (!paused_) return;
  paused_ = false;
  heard_ = now;  // what it said meanwhile lies unread
  asked_ = false;
}

std::optional<Time> WebSocketPulse::next_tick() const noexcept {
  if (paused_) return std::nullopt;
  const auto next = asked_ ? config_.dead_after : config_.ping_after;
  return heard_ + (in_message_ ? std::min(next, config_.message_within) : next);
}

std::optional<WebSocketPulse::Output> WebSocketPulse::on_tick(Time now) noexcept {
  if (paused_) return std::nullopt;
  const auto silence = now - heard_;
  if (in_message_ && silence >= config_.message_within) return Output::message_is_stuck;
  if (asked_) return silence >= config_.dead_after ? std::optional{Output::peer_is_dead} : std::nullopt;
  if (silence < config_.ping_after) return std::nullopt;
  asked_ = true;
  return Output::send_ping;
}

}  // namespace axl::http
