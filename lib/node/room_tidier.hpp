// Keeps the memory of large messages for the next ones while they come, and gives it back when no more do.
#pragma once

#include <chrono>
#include <optional>

#include "core/room.hpp"
#include "net/timer.hpp"

namespace axl::node {

class RoomTidier {
 public:
  RoomTidier(asio::io_context& context, net::SteadyClock clock)
      : clock_{clock}, timer_{context, clock, [this] { on_timer(); }} {}

  /// To be called often; while nobody takes large rooms it costs one comparison and no timer runs.
  void look() {
    if (RoomKeeper::wanted() && !keeper_) {
      keeper_.emplace();
      timer_.arm(clock_.now() + kPeriod);
    }
  }
  void stop() noexcept {
    timer_.disarm();
    keeper_.reset();
  }

 private:
  static constexpr std::chrono::seconds kPeriod{1};

  void on_timer() {
    if (keeper_->tidy()) {
      timer_.arm(clock_.now() + kPeriod);
    } else {
      keeper_.reset();
    }
  }

  net::SteadyClock clock_;
  net::Timer timer_;
  std::optional<RoomKeeper> keeper_;
};

}  // namespace axl::node
