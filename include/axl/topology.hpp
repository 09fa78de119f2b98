// A snapshot of what a node knows of its neighbourhood.
#pragma once

#include <axl/key.hpp>
#include <axl/time.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace axl {

/// A node that this one has a link, a path or a session with.
struct KnownNode {
  struct Session {
    std::uint64_t rx_bytes = 0;
    std::uint64_t tx_bytes = 0;
    Duration uptime{};
  };
  PublicKey key;
  Address address;
  bool link = false;  ///< a link is up
  bool path = false;  ///< a lookup has found it of late
  /// The way from the root to it, as last learnt; empty when neither link nor path says so.
  std::optional<std::vector<std::uint64_t>> coords;
  std::optional<Session> session;
  /// Of its fastest link, else of the last ping (for ten minutes).
  std::optional<Duration> latency;
  bool old = false;  ///< takes frames on port 7000 only, as far as we have seen
};

struct Topology {
  /// One configured peer, up or not, or one incoming link.
  struct Peer {
    std::string uri;  ///< without query options; incoming: scheme and remote socket address
    bool up = false;
    bool inbound = false;
    std::optional<PublicKey> key;  ///< empty while down or in the handshake
    std::optional<PublicKey> root;
    std::uint64_t port = 0;             ///< the number this node gives the peer, 0 while down
    std::vector<std::uint64_t> coords;  ///< the peer's tree path
    std::uint8_t priority = 0;
    std::uint64_t cost = 0;
    std::optional<Duration> latency;
    std::uint64_t rx_bytes = 0;
    std::uint64_t tx_bytes = 0;
    Duration uptime{};
    std::string last_error;
  };
  /// One announcement this node holds.
  struct TreeEntry {
    PublicKey key;
    PublicKey parent;
    std::uint64_t sequence = 0;
  };

  PublicKey our_key;
  Address our_address;
  std::vector<std::uint64_t> our_coords;
  std::vector<Peer> peers;
  std::vector<TreeEntry> tree;  ///< sorted by key
  std::size_t sessions = 0;     ///< end-to-end sessions that are open
  std::size_t queued_messages = 0;
  std::size_t queued_bytes = 0;
  std::uint64_t refused_messages = 0;  ///< since the start: the queue was full
  std::size_t outbox_messages = 0;     ///< kept for peers that are away
};

}  // namespace axl
