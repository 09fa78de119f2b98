// The queue against a slow, obvious model of its rules.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "crypto/hash.hpp"
#include "link/packet_queue.hpp"

using namespace std::chrono_literals;
using axl::Buffer;
using axl::PublicKey;
using axl::Time;
using axl::link::Flow;
using axl::link::PacketQueue;

namespace {

PublicKey key(std::uint64_t number) {
  std::array<std::byte, 32> bytes{};
  bytes[0] = std::byte{static_cast<std::uint8_t>(number)};
  return PublicKey{bytes};
}

/// All packets in one list, searched from the front for everything.
class Model {
 public:
  explicit Model(const PacketQueue::Config& config) : config_{config} {}

  struct Packet {
    std::uint32_t id = 0;
    std::size_t size = 0;
    Flow flow{};
    Time since{};
  };

  void push(Packet packet) {
    if (!packet.flow.own) {
      const auto oldest = std::ranges::find(packets_, false, [](const Packet& p) { return p.flow.own; });
      if (oldest != packets_.end() && transit_packets() > config_.undisturbed &&
          packet.since - oldest->since > config_.delay_limit) {
        drop();
      }
      while (transit_packets() > 0 &&
             (transit_packets() >= config_.max_packets ||
              bytes_of([](const Packet&) { return true; }) + packet.size > config_.max_bytes)) {
        drop();
      }
    }
    packets_.push_back(packet);
  }

  std::optional<std::uint32_t> pop() {
    if (packets_.empty()) return {};
    const auto id = packets_.front().id;
    packets_.erase(packets_.begin());
    return id;
  }

  std::optional<std::uint32_t> drop() {
    const Packet* victim = nullptr;
    for (const auto& p : packets_) {
      if (!p.flow.own && (victim == nullptr || weight(p) > weight(*victim))) victim = &p;
    }
    if (victim == nullptr) return {};
    const auto id = victim->id;
    packets_.erase(packets_.begin() + (victim - packets_.data()));
    return id;
  }

  [[nodiscard]] std::size_t size() const { return packets_.size(); }

 private:
  template <class Which>
  [[nodiscard]] std::size_t bytes_of(Which which) const {
    std::size_t sum = 0;
    for (const auto& p : packets_) {
      if (!p.flow.own && which(p)) sum += p.size;
    }
    return sum;
  }
  [[nodiscard]] std::size_t transit_packets() const {
    return static_cast<std::size_t>(std::ranges::count(packets_, false, [](const Packet& p) { return p.flow.own; }));
  }
  /// Heavier destination first, then the lower key, then the heavier source, then the lower key.
  struct Weight {
    std::size_t dest_bytes;
    PublicKey dest;
    std::size_t source_bytes;
    PublicKey source;
    bool operator>(const Weight& other) const {
      if (dest_bytes != other.dest_bytes) return dest_bytes > other.dest_bytes;
      if (dest != other.dest) return dest < other.dest;
      if (source_bytes != other.source_bytes) return source_bytes > other.source_bytes;
      return source < other.source;
    }
  };
  [[nodiscard]] Weight weight(const Packet& packet) const {
    const auto same_dest = [&](const Packet& p) { return p.flow.dest == packet.flow.dest; };
    const auto same_flow = [&](const Packet& p) { return same_dest(p) && p.flow.source == packet.flow.source; };
    return {bytes_of(same_dest), packet.flow.dest, bytes_of(same_flow), packet.flow.source};
  }

  PacketQueue::Config config_;
  std::vector<Packet> packets_;
};

Buffer encoded(const Model::Packet& packet) {
  Buffer message{1 + packet.size};
  std::fill_n(message.data(), message.size(), std::byte{0});
  for (std::size_t i = 0; i < 4; ++i)
    message.data()[1 + i] = std::byte{static_cast<std::uint8_t>(packet.id >> (8 * i))};
  return message;
}

std::optional<std::uint32_t> decoded(const std::optional<Buffer>& message) {
  if (!message) return {};
  std::uint32_t id = 0;
  for (std::size_t i = 0; i < 4; ++i) id |= std::to_integer<std::uint32_t>(message->data()[1 + i]) << (8 * i);
  return id;
}

void compare(const PacketQueue::Config& config, std::uint64_t seed) {
  CAPTURE(seed);
  axl::crypto::SeededRng rng{seed};
  PacketQueue queue{config};
  Model model{config};
  Time now{};
  for (std::uint32_t id = 0; id < 600; ++id) {
    now += std::chrono::milliseconds{rng.next_u64() % 8};
    const auto what = rng.next_u64() % 10;
    if (what < 6) {
      const Flow flow{key(rng.next_u64() % 4), key(rng.next_u64() % 4), rng.next_u64() % 5 == 0};
      const Model::Packet packet{id, 4 + rng.next_u64() % 300, flow, now};
      queue.push(encoded(packet), flow, now);
      model.push(packet);
    } else if (what < 9) {
      REQUIRE(decoded(queue.pop()) == model.pop());
    } else {
      REQUIRE(decoded(queue.drop()) == model.drop());
    }
    REQUIRE(queue.packets() == model.size());
  }
}

}  // namespace

TEST_CASE("packet queue: agrees with the obvious model at every step", "[link]") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    compare({}, seed);
    compare({.max_bytes = 2000, .max_packets = 12}, seed);
    compare(PacketQueue::Config::reference(), seed);
  }
}
