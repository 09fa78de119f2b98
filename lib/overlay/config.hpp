// What a routing node can be told: timing, limits, and where it is stricter than the reference.
//
// Source: overlay routing, sections 1 (constants) and 15 (hardening).
#pragma once

#include <axl/time.hpp>
#include <cstddef>
#include <cstdint>

namespace axl::overlay {

/// So many events per second on average, and `burst` at once after a rest. No limit when `per_second` is 0.
struct Rate {
  std::uint32_t per_second = 0;
  std::uint32_t burst = 1;
};

/// How a key becomes what filters and lookups compare (section 10.2). Everything but `subnet` is for tests: the network
/// agrees on it.
enum class KeyTransform : std::uint8_t { subnet, identity };

/// Each `strict_...` member is a place where we are stricter than the reference; false is the reference's behaviour,
/// with which the recorded vectors run. A limit of 0 means none, as in the reference.
struct Config {
  Duration router_refresh{std::chrono::minutes{4}};
  Duration router_timeout{std::chrono::minutes{5}};
  Duration path_timeout{std::chrono::minutes{1}};
  Duration path_throttle{std::chrono::seconds{1}};
  Duration tick{std::chrono::seconds{1}};
  std::uint32_t bloom_resend = 3600;  ///< ticks after which an unchanged filter is sent again
  KeyTransform key_transform = KeyTransform::subnet;

  /// Ticks between the regular ones, so that start-up does not wait for the clock. They never advance the root flags.
  bool early_ticks = true;
  Duration early_tick_spacing{std::chrono::milliseconds{10}};
  std::uint32_t early_ticks_per_second = 10;
  /// A lookup that has no answer yet is repeated towards a neighbour whose filter has come to match.
  bool repeat_lookups = true;

  bool strict_sig_res_port = true;  ///< ignore a SigRes with port 0 (8.3)
  /// A parent that comes back within a tick may have given us another port: announce that one at once. The reference
  /// keeps the old one, perhaps another child's by now, until its next renewal.
  bool strict_parent_port = true;
  bool strict_twins = true;            ///< answer an announcement only when it is worse than ours (8.4)
  bool strict_filter_zeros = true;     ///< removed bits follow on the next tick (10.4)
  bool strict_broken_throttle = true;  ///< one lookup per path and throttle time, whatever asks for it (11.2)
  bool strict_deliver_to_self = true;  ///< the first packet to oneself arrives too (12)

  std::size_t max_infos = 4096;               ///< announcements known; the oldest outside every ancestry goes
  std::size_t max_infos_per_neighbour = 512;  ///< the same, counting those one neighbour has introduced
  std::size_t max_path_ports = 1024;          ///< messages with a longer path are dropped
  std::size_t max_rumors = 4096;              ///< keys being looked for; the oldest goes
  std::size_t max_paths = 16'384;             ///< paths known; the one nearest its end goes
  std::size_t max_waiting_bytes = 8u << 20;   ///< packets that wait for a path, all together; the oldest goes
  std::size_t max_kept_packet = 2048;         ///< a larger packet is not kept to be sent again after a path change
  Rate sig_res{20, 40};                       ///< answers per link; the rest is delayed
  std::size_t max_delayed_sig_res = 256;      ///< more requests than this waiting on one link close it
  /// Per neighbour; the excess is dropped. In a network of 10 000 nodes with 4 partners each, a neighbour of the root
  /// passes on hundreds a second as a matter of course, and 40 000 in all when everybody begins at once.
  Rate forwarded_lookups{5'000, 10'000};
  Rate own_answers{10, 20};                   ///< per asking key; the excess is dropped
  std::size_t max_answer_sources = 4096;      ///< asking keys remembered for that; the oldest is forgotten

  /// Everything as the reference does it.
  [[nodiscard]] static Config reference() {
    Config config;
    config.early_ticks = config.repeat_lookups = false;
    config.strict_sig_res_port = config.strict_parent_port = config.strict_twins = config.strict_filter_zeros = false;
    config.strict_broken_throttle = config.strict_deliver_to_self = false;
    config.max_infos = config.max_infos_per_neighbour = config.max_path_ports = config.max_rumors = 0;
    config.max_paths = config.max_waiting_bytes = config.max_kept_packet = 0;
    config.sig_res = config.forwarded_lookups = config.own_answers = Rate{};
    return config;
  }
};

}  // namespace axl::overlay
