#include "link/packet_queue.hpp"

#include <algorithm>
#include <limits>

#include "core/expect.hpp"

namespace axl::link {

namespace {

std::size_t body_size(const Buffer& message) noexcept { return message.empty() ? 0 : message.size() - 1; }

/// The first entry of a map with the largest `bytes`.
template <class Map>
auto heaviest(Map& map) {
  return std::max_element(map.begin(), map.end(),
                          [](const auto& a, const auto& b) { return a.second.bytes < b.second.bytes; });
}

}  // namespace

PacketQueue::Config PacketQueue::Config::reference() noexcept {
  constexpr auto unlimited = std::numeric_limits<std::size_t>::max();
  return {.undisturbed = 0, .max_bytes = unlimited, .max_packets = unlimited};
}

const PacketQueue::Packet* PacketQueue::oldest_in_transit() const {
  return transit_.empty() ? nullptr : transit_.begin()->second;
}

void PacketQueue::push(Buffer message, const Flow& flow, Time now) {
  const auto size = body_size(message);
  if (!flow.own) {
    const auto* oldest = oldest_in_transit();
    if (oldest != nullptr && transit_.size() > config_.undisturbed && now - oldest->since > config_.delay_limit) {
      drop();
    }
    while (!transit_.empty() && (transit_.size() >= config_.max_packets || size > config_.max_bytes ||
                                 transit_bytes_ > config_.max_bytes - size)) {
      drop();
    }
  }
  const auto number = next_number_++;
  const auto packet = packets_.emplace(number, Packet{std::move(message), flow, now}).first;
  if (flow.own) {
    own_bytes_ += size;
    return;
  }
  transit_bytes_ += size;
  transit_.emplace(number, &packet->second);
  auto& destination = destinations_[flow.dest];
  auto& source = destination.sources[flow.source];
  destination.bytes += size;
  source.bytes += size;
  source.waiting.push_back(number);
}

Buffer PacketQueue::take(Packets::iterator packet) {
  const auto number = packet->first;
  const auto flow = packet->second.flow;
  auto message = std::move(packet->second.message);
  const auto size = body_size(message);
  packets_.erase(packet);
  if (flow.own) {
    own_bytes_ -= size;
    return message;
  }
  transit_bytes_ -= size;
  transit_.erase(number);
  const auto destination = destinations_.find(flow.dest);
  AXL_EXPECT_OR(destination != destinations_.end(), return message);
  const auto source = destination->second.sources.find(flow.source);
  AXL_EXPECT_OR(source != destination->second.sources.end() && source->second.waiting.front() == number,
                return message);
  destination->second.bytes -= size;
  source->second.bytes -= size;
  // Within a flow the oldest always goes first, by pop and by drop.
  source->second.waiting.pop_front();
  if (source->second.waiting.empty()) destination->second.sources.erase(source);
  if (destination->second.sources.empty()) destinations_.erase(destination);
  return message;
}

std::optional<Buffer> PacketQueue::pop() {
  if (packets_.empty()) return {};
  return take(packets_.begin());
}

std::optional<Buffer> PacketQueue::drop() {
  if (destinations_.empty()) return {};
  const auto& sources = heaviest(destinations_)->second.sources;
  const auto victim = packets_.find(heaviest(sources)->second.waiting.front());
  AXL_EXPECT_OR(victim != packets_.end(), return {});
  ++dropped_;
  return take(victim);
}

}  // namespace axl::link
