// What the bridge needs of the node it lives in.
#pragma once

#include <axl/key.hpp>
#include <axl/result.hpp>
#include <axl/statistics.hpp>
#include <axl/time.hpp>
#include <axl/topology.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/scheduler.hpp"
#include "core/system.hpp"
#include "tcpip/stack.hpp"

namespace axl::bridge {

/// All on the loop.
class Host : public Scheduler {
 public:
  [[nodiscard]] virtual const PublicKey& our_key() const = 0;
  /// The machine it runs on.
  [[nodiscard]] virtual System& system() = 0;

  /// Everything except the queue's numbers, which the bridge fills in.
  [[nodiscard]] virtual Topology topology() const = 0;
  [[nodiscard]] virtual std::size_t peers_up() const = 0;  ///< links
  /// Sorted by key, those after `after`.
  [[nodiscard]] virtual std::vector<KnownNode> known_nodes(std::size_t limit,
                                                           const std::optional<PublicKey>& after) const = 0;
  [[nodiscard]] virtual std::optional<KnownNode> known_node(const PublicKey& key) const = 0;
  /// Fills in what the bridge does not know.
  virtual void count(Statistics& out) const = 0;
  /// As Node::add_peer and Node::remove_peer.
  virtual Result<void> dial_peer(const std::string& uri, const std::string& source_interface) = 0;
  virtual Result<void> forget_peer(const std::string& uri, const std::string& source_interface) = 0;
  /// As Node::ping. `handler` is called once, never inside this call.
  virtual void ping(const PublicKey& peer, Duration timeout, std::function<void(Result<Duration>)> handler) = 0;
  /// The full key of that address, when a session, a path or the tree knows one.
  [[nodiscard]] virtual std::optional<PublicKey> full_key(const Address& address) const = 0;
  /// Connects to an overlay port. `key` may be partial (Address::partial_key) when full_key() knows nothing better.
  /// `handler` is called once, never inside this call: refused, timed_out, key_mismatch, unreachable, limit_reached.
  virtual void connect(const PublicKey& key, std::uint16_t port, Duration timeout,
                       tcpip::Stack::ConnectHandler handler) = 0;

 protected:
  ~Host() = default;
};

}  // namespace axl::bridge
