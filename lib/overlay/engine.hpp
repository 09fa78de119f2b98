// One node of the routing overlay: spanning tree, bloom filters, path lookup, forwarding.
//
// Pure: gets decoded link events, time and randomness; hands back messages for links, deliveries and path events. One
// engine is one node, so thousands of them run in one test.
//
// Source: overlay routing, sections 7 to 15 (framing, keepalive and the packet queue are `link/`'s).
#pragma once

#include <axl/key.hpp>
#include <axl/random.hpp>
#include <axl/result.hpp>
#include <axl/time.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "core/buffer.hpp"
#include "crypto/signature.hpp"
#include "overlay/config.hpp"
#include "overlay/output.hpp"
#include "wire/frames.hpp"

namespace axl::overlay {

class Engine {
 public:
  using Config = overlay::Config;
  using SendFrame = overlay::SendFrame;
  using Deliver = overlay::Deliver;
  using PathFound = overlay::PathFound;
  using LinkProven = overlay::LinkProven;
  using Output = overlay::Output;

  /// `unix_at_zero`: Unix time at Time{}. `rng` must outlive the engine.
  Engine(const Config& config, const PrivateKey& key, crypto::Verifier verify, Rng& rng, Duration unix_at_zero,
         Time now);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// A neighbour's link is up. Refused when `key` is our own.
  Result<PeerPort> on_link_up(LinkId link, const PublicKey& key, std::uint8_t priority, Time now);
  void on_link_down(LinkId link, Time now);
  /// One complete message (type byte and body) of a link. `rtt`: for a SigRes, time since that link's last SigReq was
  /// handed to its stream. An error means: close this link, for the reason given (then call on_link_down).
  /// `owner`, if any, keeps the bytes of the message: Deliver may then be a view of them.
  Result<void> on_message(LinkId link, ByteSpan message, Time now, std::optional<Duration> rtt = {},
                          const std::shared_ptr<const void>& owner = {});
  void on_tick(Time now);
  /// Sends a datagram; without a path it waits (one per destination, newest wins) while one is looked up.
  Result<void> send(const PublicKey& dest, Buffer payload, Time now);
  /// Looks for a full or partial key; answers come as PathFound.
  void send_lookup(const PublicKey& target, Time now);

  [[nodiscard]] std::optional<Output> poll_output();
  [[nodiscard]] std::optional<Time> next_tick() const;

  /// The link that a datagram to `dest` would leave by now; empty without a path or a next hop. For backpressure.
  [[nodiscard]] std::optional<LinkId> next_hop(const PublicKey& dest) const;
  [[nodiscard]] bool has_path(const PublicKey& dest) const;

  // Views for topology and debug protocols; sorted by key.
  struct TreeEntry {
    PublicKey key;
    PublicKey parent;
    std::uint64_t seq = 0;
  };
  struct LinkView {
    LinkId link{};
    PublicKey key;
    PeerPort port{};
    std::uint8_t priority = 0;
    std::uint64_t cost = 0;
    std::optional<Duration> latency;
    PublicKey root;
    wire::Path coords;
  };
  [[nodiscard]] std::vector<TreeEntry> tree() const;
  [[nodiscard]] std::vector<LinkView> links() const;
  /// Our place in the tree: the parent, which is our own key at the root, and the neighbours whose parent we are.
  struct Place {
    PublicKey parent;
    std::vector<PublicKey> children;
  };
  [[nodiscard]] Place place() const;
  /// Another number whenever place() may say something else.
  [[nodiscard]] std::uint64_t place_version() const;
  [[nodiscard]] wire::Path coords() const;
  [[nodiscard]] PublicKey root() const;
  [[nodiscard]] std::size_t known_nodes() const;
  struct PathView {
    PublicKey key;
    wire::Path coords;
    std::uint64_t seq = 0;
    bool broken = false;
  };
  [[nodiscard]] std::vector<PathView> paths() const;
  [[nodiscard]] std::optional<PathView> path(const PublicKey& key) const;
  /// How full the bounded tables are.
  struct TableSizes {
    std::size_t infos = 0;
    std::size_t paths = 0;
    std::size_t rumors = 0;
    std::size_t waiting_bytes = 0;
  };
  [[nodiscard]] TableSizes table_sizes() const;
  /// The share of bits that are set in the fullest filter that lookups follow, 0 to 1: how often they go astray.
  [[nodiscard]] double filter_fill() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace axl::overlay
