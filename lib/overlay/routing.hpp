// Messages that travel: lookups along the filters, notifies, broken notices and traffic along paths.
//
// Source: overlay routing, sections 10.5, 11 and 12.
#pragma once

#include <axl/key.hpp>
#include <axl/result.hpp>
#include <memory>
#include <optional>

#include "overlay/config.hpp"
#include "overlay/filters.hpp"
#include "overlay/next_hop.hpp"
#include "overlay/output.hpp"
#include "overlay/pathfinder.hpp"
#include "overlay/rate_limit.hpp"
#include "overlay/tree.hpp"

namespace axl::overlay {

class Routing {
 public:
  /// Everything referred to must outlive it. `unix_at_zero`: Unix time at Time{}.
  Routing(const Config& config, const PrivateKey& key, const crypto::Verifier& verify, Duration unix_at_zero,
          Neighbours& neighbours, Tree& tree, Filters& filters, Outbox& out);

  Result<void> send(const PublicKey& dest, Buffer payload, Time now);
  void send_lookup(const PublicKey& target, Time now);
  [[nodiscard]] std::optional<LinkId> next_hop(const PublicKey& dest);

  // Received messages, with or without type byte as named. An error closes the link.
  Result<void> on_lookup(Neighbour& from, ByteSpan body, Time now);
  Result<void> on_notify(ByteSpan body, Time now);
  Result<void> on_broken(ByteSpan body, Time now);
  Result<void> on_traffic(ByteSpan message, Time now, const std::shared_ptr<const void>& owner);

  /// A neighbour's filter has new bits: lookups without an answer that match only now go there at once.
  void repeat_lookups(const PublicKey& neighbour, const wire::BloomFilter& previous);

  [[nodiscard]] Pathfinder& pathfinder() noexcept { return pathfinder_; }
  [[nodiscard]] const Pathfinder& pathfinder() const noexcept { return pathfinder_; }

 private:
  [[nodiscard]] const PublicKey& own() const noexcept { return key_.public_key(); }
  [[nodiscard]] bool too_long(std::size_t ports) const noexcept {
    return config_.max_path_ports != 0 && ports > config_.max_path_ports;
  }
  void look_up(const PublicKey& target, Time now);
  void handle(const wire::PathLookup& lookup, const PublicKey* from, Time now);
  void handle(wire::PathNotify notify, Time now);
  void handle(wire::PathBroken broken, Time now);
  void answer(const wire::PathLookup& lookup, Time now);
  void send_along(const PublicKey& dest, const wire::Path& path, Buffer payload, Time now);
  void deliver(const PublicKey& source, Buffer payload, Time now);
  Result<void> pass_on_recoded(ByteSpan body, std::uint64_t watermark, LinkId link);

  const Config& config_;
  const PrivateKey& key_;
  Duration unix_at_zero_;
  Neighbours& neighbours_;
  Tree& tree_;
  Filters& filters_;
  Outbox& out_;
  PublicKey own_transformed_;
  Pathfinder pathfinder_;
  NextHop next_hop_;
  KeyedBuckets answers_;
  std::optional<wire::PathNotify::Info> own_info_;  // last signed
  wire::TrafficHeader header_;                      // reused, so that sending does not allocate
  std::vector<std::uint64_t> path_;                 // the same for forwarding
};

}  // namespace axl::overlay
