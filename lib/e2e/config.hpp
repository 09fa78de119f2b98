// What the end-to-end engine may spend, and where it is stricter than the reference.
//
// Every deviation from the reference has a name here; Config::reference() has the reference's choice for each, with
// which the recorded runs are repeated.
//
// Source: overlay links and sessions, sections 5, 6 and 8.3.
#pragma once

#include <axl/time.hpp>
#include <axl/version.hpp>
#include <cstddef>
#include <cstdint>
#include <string>

#include "e2e/pings.hpp"

namespace axl::e2e {

/// So many events in a second on average, `burst` of them at once. With `per_second` zero there is no limit.
struct Rate {
  std::uint32_t per_second = 0;
  std::uint32_t burst = 1;
};

/// Names of this system as NodeInfo gives them.
[[nodiscard]] const char* build_platform() noexcept;
[[nodiscard]] const char* build_arch() noexcept;

struct Config {
  std::size_t mtu = 16'200;  ///< largest IPv6 packet taken from a session, bytes

  // Bounds.
  std::size_t max_sessions = 16'384;                    ///< least recently used, never confirmed ones go first
  std::size_t max_openings = 1'024;                     ///< keys that a session is being opened with; more are refused
  std::size_t max_strayed_inits = 1'024;                ///< whose keys are kept; the oldest go
  std::size_t max_known_keys = 65'536;                  ///< of the key store; least recently used go
  std::size_t max_waiting_per_key = 256 * 1024;         ///< bytes of packets that wait for a session with one key
  std::size_t max_waiting = 8 * 1024 * 1024;            ///< the same over all keys
  std::size_t max_waiting_packets_per_key = 1'024;      ///< their number for one key
  std::size_t max_waiting_packets = 16'384;             ///< and over all keys
  std::size_t max_waiting_for_addresses = 1024 * 1024;  ///< bytes of packets whose destination's key is not known

  // Times.
  Duration session_timeout{std::chrono::seconds{60}};  ///< since the last packet either way
  Duration opening_timeout{std::chrono::seconds{60}};  ///< since a packet began to wait, or since open()
  Duration strayed_init_timeout{std::chrono::seconds{10}};
  Duration key_timeout{std::chrono::minutes{2}};         ///< of an entry of the key store
  Duration rotation_interval{std::chrono::seconds{60}};  ///< keys step when more than this has passed
  Duration offer_interval{std::chrono::seconds{1}};      ///< between two Inits or lookups for what waits

  Pings::Config pings;  ///< round trips that our user asks for

  // NodeInfo.
  std::string node_info = "{}";    ///< a JSON object answered to NodeInfo requests
  bool node_info_private = false;  ///< leaves out the four build fields
  std::string build_name = "axl";
  std::string build_version = kVersion;

  // Strict options; false is the reference's behaviour.

  /// Packets without a session wait in order, and their Init is sent again every second. The reference keeps the
  /// newest packet only, sends an Init at each write, and nothing otherwise.
  bool strict_waiting = true;
  /// An Init sent again carries the time of its sending (at most one new value a second). The reference's keeps the
  /// time of the first, and is ignored by a peer whose answer was lost.
  bool strict_init_seq = true;
  /// Init and Ack with seq 0 are refused. The reference makes a session of them that nothing can update.
  bool strict_seq_zero = true;
  /// Keys of the Inits that answer Traffic without a session are kept for the Ack. The reference forgets them, and a
  /// session lost on one side comes back only in the next second of the clock.
  bool strict_strayed_inits = true;
  /// When two nodes open a session with each other at once, all that each sends before it has heard of the other's new
  /// keys opens. The reference steps its keys with the first such packet, and drops those behind it.
  bool strict_crossing = true;
  /// Packets are handed up only from the sender's address to ours; the reference lets both subnets pass too.
  bool strict_addresses = true;
  /// Packet Too Big goes to a sender whose own address is in the packet, and only for packets to us. The reference
  /// checks size before addresses and answers whoever stands in the packet.
  bool strict_packet_too_big = true;

  // Rates of section 8.3; the reference has none.

  Rate strayed_inits_per_source{1, 1};  ///< Inits in answer to Traffic without a session
  Rate strayed_inits{100, 100};         ///< the same over all sources
  /// At most one Init in a second of the clock in answer to Traffic that does not open: a second one would be ignored.
  bool limit_session_inits = true;
  Rate verifications_per_source{8, 16};       ///< Init and Ack packets that are opened and verified
  Rate verifications_of_strangers{500, 500};  ///< of keys with neither session nor opening
  Rate verifications_of_known{1'000, 1'000};  ///< of all others, so that strangers cannot crowd them out
  Rate answers_per_source{4, 8};              ///< NodeInfo and debug answers
  Rate answers{64, 128};
  /// Of our pings to one key: below what the other side may answer us, so that none is lost there.
  Rate questions_per_key{3, 6};
  std::size_t max_rated_sources = 4'096;  ///< sources remembered by each of these rates

  [[nodiscard]] static Config reference();
};

}  // namespace axl::e2e
