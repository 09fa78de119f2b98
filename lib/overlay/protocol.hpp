// The routing protocol of one node without its timers: link events and messages in, messages and deliveries out.
//
// The engine adds the clock: when to tick, and when something is due.
//
// Source: overlay routing, sections 7 to 12 and 14.
#pragma once

#include <axl/key.hpp>
#include <axl/random.hpp>
#include <axl/result.hpp>
#include <memory>
#include <optional>
#include <set>

#include "overlay/config.hpp"
#include "overlay/filters.hpp"
#include "overlay/neighbours.hpp"
#include "overlay/output.hpp"
#include "overlay/routing.hpp"
#include "overlay/tree.hpp"

namespace axl::overlay {

class Protocol {
 public:
  Protocol(const Config& config, const PrivateKey& key, crypto::Verifier verify, Rng& rng, Duration unix_at_zero);
  Protocol(const Protocol&) = delete;
  Protocol& operator=(const Protocol&) = delete;

  Result<PeerPort> link_up(LinkId id, const PublicKey& key, std::uint8_t priority);
  void link_down(LinkId id);
  /// An error means: close this link.
  Result<void> message(LinkId id, ByteSpan message, Time now, std::optional<Duration> rtt,
                       const std::shared_ptr<const void>& owner = {});

  void tick(Tree::TickKind kind, Time now);
  /// An announcement is due: another's has expired, our own is to be renewed.
  void info_due(const PublicKey& key);
  /// Does everything that is due except ticks.
  void run_due(Time now);
  [[nodiscard]] std::optional<Time> next_due() const;

  /// Whether something has happened since the last call that should not wait for the next tick.
  [[nodiscard]] bool take_hurry() noexcept { return std::exchange(hurry_, false); }

  [[nodiscard]] Outbox& out() noexcept { return out_; }
  [[nodiscard]] Routing& routing() noexcept { return routing_; }
  [[nodiscard]] Tree& tree() noexcept { return tree_; }
  [[nodiscard]] Neighbours& neighbours() noexcept { return neighbours_; }
  [[nodiscard]] const Filters& filters() const noexcept { return filters_; }
  [[nodiscard]] const PublicKey& own_key() const noexcept { return key_.public_key(); }

 private:
  Result<void> on_sig_req(Neighbour& from, LinkId id, ByteSpan body, Time now);
  Result<void> on_sig_res(Neighbour& from, LinkId id, ByteSpan body, std::optional<Duration> rtt);
  Result<void> on_announce(Neighbour& from, LinkId id, ByteSpan body, Time now);
  Result<void> on_filter(Neighbour& from, ByteSpan body);
  void send_filter(const Neighbour& neighbour);
  void send_requests();
  void send_announces();
  void send_owed(Time now);

  const Config config_;
  const PrivateKey key_;
  const crypto::Verifier verify_;
  Outbox out_;
  Neighbours neighbours_;
  Tree tree_;
  Filters filters_;
  Routing routing_;
  std::set<LinkId> owing_;  // links on which answers are delayed
  std::uint64_t announced_version_ = 0;
  bool new_neighbour_ = false;
  bool hurry_ = false;
};

}  // namespace axl::overlay
