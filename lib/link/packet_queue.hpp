// Packets of one link that wait for room in its transport, oldest first.
//
// Packets in transit may be dropped: when the oldest has waited too long, or when they take too much room, one goes
// from the destination, and there from the source, that holds most bytes, so that a heavy flow pays before a light one.
// Packets made by this node are never dropped here; backpressure above bounds them.
//
// Pure: time is an argument. Ties go to the lower key, so the same pushes give the same pops.
// Source: overlay routing, section 6.3.
#pragma once

#include <axl/key.hpp>
#include <axl/time.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "core/buffer.hpp"
#include "core/pooled.hpp"

namespace axl::link {

/// Whose packet it is, which decides who pays when there is no room.
struct Flow {
  PublicKey source{};
  PublicKey dest{};
  bool own = false;  ///< made by this node
};

class PacketQueue {
 public:
  struct Config {
    /// A push drops one packet when the oldest in transit has waited longer than this,
    Duration delay_limit{std::chrono::milliseconds{25}};
    /// and more than this many packets in transit wait.
    std::size_t undisturbed = 4;
    /// Packets in transit, in body bytes and in number; the victim rule makes room.
    std::size_t max_bytes = std::size_t{1} << 20U;
    std::size_t max_packets = 4096;

    /// The queue of Yggdrasil 0.5.12: the delay rule alone.
    [[nodiscard]] static Config reference() noexcept;
  };

  PacketQueue() : PacketQueue{Config{}} {}
  explicit PacketQueue(const Config& config) : config_{config} {}

  /// `message` is type byte and body; the type byte counts in no limit.
  void push(Buffer message, const Flow& flow, Time now);
  /// The packet that has waited longest.
  [[nodiscard]] std::optional<Buffer> pop();
  /// Removes the oldest packet of the heaviest flow in transit; empty when none is in transit.
  std::optional<Buffer> drop();

  [[nodiscard]] bool empty() const noexcept { return packets_.empty(); }
  [[nodiscard]] std::size_t packets() const noexcept { return packets_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return own_bytes_ + transit_bytes_; }  ///< bodies, all packets
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }

 private:
  using Number = std::uint64_t;  // counts pushes: the order of waiting

  struct Packet {
    Buffer message;
    Flow flow;
    Time since;
  };
  template <class Key, class Value>
  using Map = std::map<Key, Value, std::less<>, Pooled<std::pair<const Key, Value>>>;

  struct Source {
    std::size_t bytes = 0;
    std::deque<Number, Pooled<Number>> waiting;
  };
  struct Destination {
    std::size_t bytes = 0;
    Map<PublicKey, Source> sources;
  };
  using Packets = Map<Number, Packet>;

  Buffer take(Packets::iterator packet);
  [[nodiscard]] const Packet* oldest_in_transit() const;

  Config config_;
  Number next_number_ = 0;
  Packets packets_;                           // own and in transit
  Map<PublicKey, Destination> destinations_;  // in transit only
  Map<Number, const Packet*> transit_;        // the same, oldest first
  std::size_t own_bytes_ = 0;
  std::size_t transit_bytes_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace axl::link
