#include "e2e/waiting_room.hpp"

#include <algorithm>
#include <utility>

namespace axl::e2e {

namespace {
constexpr std::size_t kShareOfFree = 8;
}  // namespace

bool WaitingRoom::fits(const PublicKey& key, std::size_t size) const {
  const auto free_bytes = limits_.bytes - std::min(bytes_, limits_.bytes);
  const auto free_packets = limits_.packets - std::min(packets_, limits_.packets);
  if (size > free_bytes || free_packets == 0 || size > limits_.bytes_per_key) return false;
  const auto found = queues_.find(key);
  if (found == queues_.end()) return true;
  const auto& queue = found->second;
  return queue.packets.size() < std::min(limits_.packets_per_key, free_packets / kShareOfFree) &&
         queue.bytes + size <= std::min(limits_.bytes_per_key, free_bytes / kShareOfFree);
}

bool WaitingRoom::add(const PublicKey& key, Buffer&& packet, Time now) {
  if (!fits(key, packet.size())) return false;
  put(key, std::move(packet), now);
  return true;
}

void WaitingRoom::replace(const PublicKey& key, Buffer&& packet, Time now) {
  clear(key);
  put(key, std::move(packet), now);
}

void WaitingRoom::put(const PublicKey& key, Buffer&& packet, Time now) {
  auto& queue = queues_[key];
  queue.bytes += packet.size();
  bytes_ += packet.size();
  packets_ += 1;
  queue.packets.push_back({std::move(packet), now});
}

void WaitingRoom::drop_head(Queues::iterator queue) {
  auto& [packets, bytes] = queue->second;
  const auto size = packets.front().packet.size();
  bytes -= size;
  bytes_ -= size;
  packets_ -= 1;
  packets.pop_front();
  if (packets.empty()) queues_.erase(queue);
}

std::optional<Buffer> WaitingRoom::take(const PublicKey& key) {
  const auto found = queues_.find(key);
  if (found == queues_.end()) return {};
  auto& head = found->second.packets.front().packet;
  const auto size = head.size();
  std::optional<Buffer> packet{std::move(head)};
  found->second.bytes -= size;
  bytes_ -= size;
  drop_head(found);
  return packet;
}

std::size_t WaitingRoom::expire(const PublicKey& key, Time limit) {
  std::size_t dropped = 0;
  for (auto found = queues_.find(key); found != queues_.end() && found->second.packets.front().since <= limit;
       found = queues_.find(key)) {
    drop_head(found);
    ++dropped;
  }
  return dropped;
}

std::size_t WaitingRoom::clear(const PublicKey& key) {
  const auto found = queues_.find(key);
  if (found == queues_.end()) return 0;
  const auto count = found->second.packets.size();
  bytes_ -= found->second.bytes;
  packets_ -= count;
  queues_.erase(found);
  return count;
}

ByteSpan WaitingRoom::head(const PublicKey& key) const {
  const auto found = queues_.find(key);
  return found == queues_.end() ? ByteSpan{} : found->second.packets.front().packet.span();
}

}  // namespace axl::e2e
