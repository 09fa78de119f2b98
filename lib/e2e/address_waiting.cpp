#include "e2e/address_waiting.hpp"

#include <utility>

namespace axl::e2e {

namespace {
constexpr std::byte kSubnetPrefix{0x03};
}  // namespace

PublicKey partial_key_for(const Address& dest) noexcept {
  if (dest.bytes()[0] == kSubnetPrefix) return Subnet{dest.bytes().first<Subnet::kSize>()}.partial_key();
  return dest.partial_key();
}

AddressWaiting::AddressWaiting(const Config& config) noexcept
    : keep_all_{config.strict_waiting},
      interval_{config.strict_waiting ? config.offer_interval : config.key_timeout},
      timeout_{config.strict_waiting ? config.opening_timeout : config.key_timeout},
      packets_{{.bytes = config.max_waiting_for_addresses,
                .packets = config.max_waiting_packets,
                .bytes_per_key = config.max_waiting_per_key,
                .packets_per_key = config.max_waiting_packets_per_key}} {}

AddressWaiting::Added AddressWaiting::add(const PublicKey& target, Buffer&& packet, Time now) {
  if (!keep_all_) {
    packets_.replace(target, std::move(packet), now);
  } else if (!packets_.add(target, std::move(packet), now)) {
    return Added::no_room;
  }
  const auto found = by_key_.find(target);
  if (found != by_key_.end() && keep_all_) return Added::waits;
  if (found != by_key_.end()) erase(target);
  by_key_.emplace(target, targets_.insert(targets_.end(), Target{target, now + interval_}));
  return Added::waits_first;
}

std::optional<Buffer> AddressWaiting::take(const PublicKey& target) {
  auto packet = packets_.take(target);
  if (packet && !packets_.has(target)) erase(target);
  return packet;
}

std::optional<AddressWaiting::Step> AddressWaiting::next_step(Time now) {
  if (targets_.empty() || targets_.front().due > now) return {};
  Step step{.target = targets_.front().key};
  step.given_up = packets_.expire(step.target, now - timeout_);
  if (packets_.has(step.target)) {
    step.lookup = true;
    targets_.front().due = now + interval_;
    targets_.splice(targets_.end(), targets_, targets_.begin());
  } else {
    erase(step.target);
  }
  return step;
}

std::optional<Time> AddressWaiting::next_due() const {
  if (targets_.empty()) return {};
  return targets_.front().due;
}

void AddressWaiting::erase(const PublicKey& target) {
  const auto found = by_key_.find(target);
  if (found == by_key_.end()) return;
  targets_.erase(found->second);
  by_key_.erase(found);
}

}  // namespace axl::e2e
