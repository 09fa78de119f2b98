#include "net/drain_meter.hpp"

#include <algorithm>
#include <chrono>

namespace axl::net {

namespace {
constexpr Duration kShortest = std::chrono::milliseconds{20};  // one sum of bytes tells nothing
constexpr Duration kLongest = std::chrono::seconds{2};         // and a stall says nothing of the rate
constexpr double kNewest = 0.25;                               // its weight
}  // namespace

bool DrainMeter::on_full(Time now, std::uint64_t taken) noexcept {
  if (!since_) {
    since_ = {now, taken};
    return false;
  }
  const auto passed = now - since_->at;
  if (passed < kShortest) return false;
  const auto bytes = static_cast<double>(taken - since_->taken);
  since_ = {now, taken};
  if (passed > kLongest) return false;
  const auto rate = bytes / std::chrono::duration<double>{passed}.count();
  rate_ = rate_ > 0 ? rate_ + kNewest * (rate - rate_) : rate;
  const auto room = room_for_rate();
  const auto change = room > room_ ? room - room_ : room_ - room;
  if (change == 0 || (change < room_ / 4 && room != most_)) return false;
  room_ = room;
  return true;
}

void DrainMeter::set_most(std::size_t most) noexcept {
  most_ = most;
  room_ = rate_ > 0 ? room_for_rate() : most_;
}

std::size_t DrainMeter::room_for_rate() const noexcept {
  const auto wanted = rate_ * std::chrono::duration<double>{time_}.count();
  return wanted >= static_cast<double>(most_) ? most_ : std::max(least_, static_cast<std::size_t>(wanted));
}

}  // namespace axl::net
