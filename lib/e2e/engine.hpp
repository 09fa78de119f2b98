// All end-to-end encrypted sessions of one node, and what travels in them: IPv6 packets and the remote protocol
// (NodeInfo, debug requests).
//
// Pure. Stands on overlay datagrams, which may be lost, repeated, reordered or forged; above it a packet's sender is a
// full key that has proved itself.
//
// Source: overlay links and sessions, sections 5, 6 and 8.3.
#pragma once

#include <axl/key.hpp>
#include <axl/random.hpp>
#include <axl/result.hpp>
#include <axl/time.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/buffer.hpp"
#include "e2e/config.hpp"
#include "e2e/pings.hpp"

namespace axl::e2e {

/// An opened packet is handed up without being moved when the datagram's first byte lies at an address that is 3
/// modulo 4 (header 4, tag 16, inner key 32, payload type 1 before the IPv6 header). Any other place works too. Header
/// sizes vary with the counters in them: the bytes then move by at most three.
inline constexpr std::size_t kPreferredAddressModulo4 = 3;

class Engine {
 public:
  using Config = e2e::Config;

  /// Out: a datagram for the overlay.
  struct SendPacket {
    PublicKey dest;
    Buffer payload;
  };
  /// Out: ask the overlay to look for this full or partial key.
  struct SendLookup {
    PublicKey target;
  };
  /// Out: an IPv6 packet from `source`, whose address (exactly) it bears and which is for our address.
  struct DeliverPacket {
    PublicKey source;
    Buffer packet;  ///< the IPv6 header is 4-byte aligned
  };
  /// Out: a session with this key is up, from now on send() to it goes straight through.
  struct SessionUp {
    PublicKey key;
  };
  /// Out: a node asks for our neighbours or tree (debug protocol); answer with answer_keys().
  struct KeysWanted {
    PublicKey asker;
    std::uint8_t response_type = 0;  ///< 4 getPeers, 6 getTree
  };
  /// Out: a waiting packet was given up (session never came up within 60 s). One for each packet.
  struct Dropped {
    PublicKey dest;  ///< the partial key when only an address was known
  };
  /// Out: another key has answered at the address of a key that open() asked for.
  struct KeyMismatch {
    PublicKey wanted;
    PublicKey answered;
  };
  /// Out: how a ping ended.
  using PingDone = Pings::Done;
  using Output =
      std::variant<SendPacket, SendLookup, DeliverPacket, SessionUp, KeysWanted, Dropped, KeyMismatch, PingDone>;

  /// `unix_at_zero`: Unix time at Time{}. `rng` must outlive the engine.
  Engine(const Config& config, const PrivateKey& key, Rng& rng, Duration unix_at_zero, Time now);
  ~Engine();
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;

  /// A datagram from the overlay; `source` is what it claims.
  void on_packet(const PublicKey& source, Buffer payload, Time now);
  /// The overlay has found or changed the path to `key`.
  void on_path_found(const PublicKey& key, Time now);
  void on_tick(Time now);

  /// Starts looking for `key` and opening a session with it, without a packet to send. SessionUp follows if it works,
  /// at once if the session is up. From now on the key's address is this key's and no other's. Tries for 60 s.
  void open(const PublicKey& key, Time now);
  [[nodiscard]] bool is_open(const PublicKey& key) const;
  /// Sends an IPv6 packet, of any size, from our address to the address of `dest`. With no session yet it waits in
  /// order; would_block when the waiting room is full. `packet` is taken only on success.
  Result<void> send(const PublicKey& dest, Buffer&& packet, Time now);
  /// Sends an IPv6 packet to the address in it: a known key's, or the one that answers a lookup (key store, 6.3).
  /// `packet` is taken only on success.
  Result<void> send_to_address(Buffer&& packet, Time now);
  /// Measures a round trip to `key`, which every kind of node answers; opens a session if there is none. PingDone
  /// follows, at the deadline at the latest: unreachable, timed_out or key_mismatch. limit_reached when too many are under way.
  [[nodiscard]] Result<PingId> ping(const PublicKey& key, Time deadline, Time now);
  /// Full key with exactly this address, if one is known (session, path or pin).
  [[nodiscard]] std::optional<PublicKey> key_of(const Address& address) const;
  void answer_keys(const PublicKey& asker, std::uint8_t response_type, const std::vector<PublicKey>& keys, Time now);
  /// What a debug getSelf answers as routing_entries.
  void set_routing_entries(std::size_t count) noexcept;

  [[nodiscard]] std::optional<Output> poll_output();
  [[nodiscard]] std::optional<Time> next_tick() const;

  struct SessionView {
    PublicKey key;
    std::uint64_t rx = 0;  ///< payload bytes
    std::uint64_t tx = 0;
    Duration uptime{};
  };
  [[nodiscard]] std::vector<SessionView> sessions(Time now) const;  ///< sorted by key
  [[nodiscard]] std::optional<SessionView> session(const PublicKey& key, Time now) const;
  [[nodiscard]] std::size_t session_count() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace axl::e2e
