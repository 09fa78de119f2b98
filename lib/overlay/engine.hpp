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
#include "wire/frames.hpp"

namespace axl::overlay {

/// Names one link of this node for as long as it is up; the caller chooses it and never reuses it while in use.
/// Lower is older, which decides ties: hand them out in increasing order.
enum class LinkId : std::uint32_t {};

/// The small number this node gives a neighbour key, at least 1.
enum class PeerPort : std::uint64_t {};

/// Largest payload of send(), in bytes (routing, section 12).
inline constexpr std::size_t kMaxPayload = wire::kMaxFrameSize - 77;

class Engine {
 public:
  /// Each `strict_…` member is a place where we are stricter than the reference (routing, section 15); false is the
  /// reference's behaviour, with which the recorded vectors run.
  struct Config {
    Duration router_refresh{std::chrono::minutes{4}};
    Duration router_timeout{std::chrono::minutes{5}};
    Duration path_timeout{std::chrono::minutes{1}};
    Duration path_throttle{std::chrono::seconds{1}};
    Duration tick{std::chrono::seconds{1}};
    /// ... (owner of this folder: the key transform choice, early ticks, every limit and strict_ option of section 15)
  };

  /// Out: message for a link.
  struct SendFrame {
    LinkId link{};
    wire::FrameType type{};
    /// Flow of a queued message (types 6 to 9); zero for direct ones (1 to 5), which go ahead of the queue.
    PublicKey source;
    PublicKey dest;
    /// Made by this node, so it may not be dropped in a queue (backpressure holds it above instead).
    bool own = false;
    Buffer message;  ///< type byte and body, with headroom for the link's length field
  };
  /// Out: a datagram for this node.
  struct Deliver {
    PublicKey source;  ///< not authenticated at this layer
    Buffer payload;
  };
  /// Out: a path was created or changed.
  struct PathFound {
    PublicKey key;  ///< the full key of the node that answered
  };
  /// Out: the first valid SigRes of this link came, so the neighbour holds its key now (links, section 8.2).
  struct LinkProven {
    LinkId link{};
  };
  using Output = std::variant<SendFrame, Deliver, PathFound, LinkProven>;

  /// `unix_at_zero`: Unix time at Time{}. `rng` must outlive the engine.
  Engine(const Config& config, const PrivateKey& key, crypto::Verifier verify, Rng& rng, Duration unix_at_zero, Time now);
  ~Engine();

  /// A neighbour's link is up. Refused when `key` is our own.
  Result<PeerPort> on_link_up(LinkId link, const PublicKey& key, std::uint8_t priority, Time now);
  void on_link_down(LinkId link, Time now);
  /// One complete message (type byte and body) of a link. `rtt`: for a SigRes, time since that link's last SigReq was
  /// written. An error means: close this link, for the reason given (then call on_link_down).
  Result<void> on_message(LinkId link, ByteSpan message, Time now, std::optional<Duration> rtt = {});
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
  [[nodiscard]] wire::Path coords() const;
  [[nodiscard]] PublicKey root() const;
  [[nodiscard]] std::size_t known_nodes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace axl::overlay
