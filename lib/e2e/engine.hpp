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

namespace axl::e2e {

class Engine {
 public:
  struct Config {
    std::size_t mtu = 16'200;              ///< largest IPv6 packet taken from a session, bytes
    std::size_t max_sessions = 16'384;     ///< least recently used, never confirmed ones go first
    std::size_t max_waiting_per_key = 256 * 1024;  ///< bytes of packets that wait for a session with one key
    std::size_t max_waiting = 8 * 1024 * 1024;     ///< the same over all keys
    std::string node_info = "{}";          ///< JSON answered to NodeInfo requests
    /// ... (owner of this folder: rates of section 8.3, strict options with the reference's value as the other choice)
  };

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
  /// Out: a waiting packet was given up (session never came up within 60 s).
  struct Dropped {
    PublicKey dest;
  };
  using Output = std::variant<SendPacket, SendLookup, DeliverPacket, SessionUp, KeysWanted, Dropped>;

  Engine(const Config& config, const PrivateKey& key, Rng& rng, Duration unix_at_zero, Time now);
  ~Engine();

  /// A datagram from the overlay; `source` is what it claims.
  void on_packet(const PublicKey& source, Buffer payload, Time now);
  /// The overlay has found or changed the path to `key`.
  void on_path_found(const PublicKey& key, Time now);
  void on_tick(Time now);

  /// Starts looking for `key` and opening a session with it, without a packet to send. SessionUp follows if it works.
  void open(const PublicKey& key, Time now);
  [[nodiscard]] bool is_open(const PublicKey& key) const;
  /// Sends an IPv6 packet to a node. With no session yet it waits in order; would_block when the waiting room is full.
  Result<void> send(const PublicKey& dest, Buffer packet, Time now);
  /// Sends an IPv6 packet to the address in it: a known key's, or the one that answers a lookup (key store, 6.3).
  Result<void> send_to_address(Buffer packet, Time now);
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
  [[nodiscard]] std::vector<SessionView> sessions(Time now) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace axl::e2e
