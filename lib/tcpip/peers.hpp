// Which key an overlay address belongs to, for as long as a connection with it lives, and what each peer costs us.
//
// An address carries only part of a key. So it is pinned to the full key of the session that asked or was asked first,
// and every later packet must come from that key; nothing is looked up again (overlay sessions, section 6: key store).
#pragma once

#include <axl/key.hpp>
#include <axl/time.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tcpip/least_round_trip.hpp"
#include "tcpip/lwip.hpp"

namespace axl::tcpip {

class Core;
class Flow;
struct Peer;

/// Hangs on every connection's pcb, from the SYN on, and is told when lwIP frees it.
struct Tag {
  Core* core = nullptr;
  Peer* peer = nullptr;
  tcp_pcb* pcb = nullptr;
  Flow* flow = nullptr;  // null while half open, and in TIME_WAIT
  std::uint16_t local_port = 0;
  std::uint16_t remote_port = 0;
  bool half_open = false;  // the peer's connect, not yet accepted
  bool opening = false;    // our connect, not yet answered
  bool time_wait = false;
  std::optional<Time> began;  // when its first packet was sent, if known
  std::size_t index = 0;      // among the peer's tags
};

struct Peer {
  PublicKey key;
  Address address;
  std::vector<Tag*> tags;
  std::unordered_map<std::uint32_t, Tag*> ports;  // the same by local and remote port
  std::size_t waiting = 0;                        // connects that wait for the session, or for their turn
  std::size_t half_open = 0;
  std::size_t opening = 0;
  std::size_t lent = 0;             // bytes of receive windows
  LeastRoundTrip least_round_trip;  // of its connections' first packets, and of what ended a silence
  std::size_t first_to_send = 0;    // where the next round of output begins
  bool blocked = false;             // the way to it takes no packet now
};

class Peers {
 public:
  [[nodiscard]] Peer* find(const Address& address) noexcept;
  /// The peer with this key, made when new; null when its address is pinned to another key.
  [[nodiscard]] Peer* pin(const PublicKey& key, const Address& address);
  /// Forgets the peer when nothing refers to it any more.
  void release(Peer& peer);

  void add(Tag& tag);
  void remove(Tag& tag);
  [[nodiscard]] static Tag* find(const Peer& peer, std::uint16_t local, std::uint16_t remote) noexcept;

  /// Marks the peer and all its connections.
  void block(Peer& peer);
  void unblock(Peer& peer) noexcept;
  [[nodiscard]] bool any_blocked() const noexcept { return !blocked_.empty(); }
  /// Puts the blocked ones, oldest first, into `out`, which is empty; empties the list.
  void take_blocked(std::vector<Address>& out) noexcept { out.swap(blocked_); }

 private:
  std::unordered_map<Address, std::unique_ptr<Peer>> peers_;
  std::vector<Address> blocked_;
  Peer* last_ = nullptr;  // packets of one peer come in rows
};

}  // namespace axl::tcpip
