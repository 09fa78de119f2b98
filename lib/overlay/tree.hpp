// The spanning tree as one node builds it: requests and answers, announcements, and which neighbour is its parent.
//
// The network agrees on the node with the lowest key as root. A node asks its neighbours to sign it as their child and
// takes as parent one that has answered and leads to the best root at a good cost.
//
// Source: overlay routing, section 8. Decides; sending is the caller's.
#pragma once

#include <axl/key.hpp>
#include <axl/random.hpp>
#include <axl/result.hpp>
#include <vector>

#include "overlay/config.hpp"
#include "overlay/infos.hpp"
#include "overlay/neighbours.hpp"

namespace axl::overlay {

class Tree {
 public:
  /// Everything referred to must outlive the tree.
  Tree(const Config& config, const PrivateKey& key, const crypto::Verifier& verify, Rng& rng, Neighbours& neighbours);

  // Requests and answers (8.3).

  /// The outstanding request for a neighbour; made now if there is none.
  const wire::SigReq& request(Neighbour& neighbour);
  [[nodiscard]] wire::SigRes answer(const Neighbour& neighbour, const wire::SigReq& request) const;
  /// Forgets all requests and answers and makes new requests. The caller sends each on all links of its neighbour.
  void start_round();

  enum class Response : std::uint8_t { ignored, repeated, stored };
  /// `stored`: the neighbour may be our parent now. An error closes the link.
  Result<Response> on_sig_res(Neighbour& neighbour, Link& link, const wire::SigRes& response,
                              std::optional<Duration> rtt);

  // Announcements (8.4).

  enum class Verdict : std::uint8_t { accepted, refused, send_ours_back };
  /// An error closes the link.
  Result<Verdict> on_announce(const Neighbour& from, const wire::Announce& announce, Time now);
  /// Announcements that a neighbour has not been sent: our ancestry, then its own, each from the root down. They count
  /// as sent from now on.
  std::vector<const wire::Announce*> unsent(const Neighbour& neighbour);
  /// All announcements that a neighbour is known to hold, for a further link to it.
  [[nodiscard]] std::vector<const wire::Announce*> held(const Neighbour& neighbour) const;
  void forget(const Neighbour& neighbour) { infos_.forget_holder(neighbour.index()); }

  /// An entry is due: another's is forgotten, ours is to be renewed on the next tick.
  void on_due(const PublicKey& key);

  // Parent choice (8.6, 8.7).

  enum class TickKind : std::uint8_t { regular, early };
  /// Chooses the parent; true if our announcement has changed, and a new round must start. Early ticks leave the root
  /// flags alone: a node must not become its own root before answers had a second to arrive.
  bool choose_parent(TickKind kind, Time now);

  struct Flags {
    bool refresh = false;
    bool root1 = false;
    bool root2 = true;
  };
  [[nodiscard]] const Flags& flags() const noexcept { return flags_; }
  void set_flags(const Flags& flags) noexcept { flags_ = flags; }

  // Positions, cached until the tree changes.

  [[nodiscard]] const Infos::Position& position();
  [[nodiscard]] const Infos::Position& position(Neighbour& neighbour);
  [[nodiscard]] const wire::Path& coords() { return position().coords; }
  /// Whether this neighbour is our parent or child.
  [[nodiscard]] bool on_tree(const PublicKey& neighbour) const;

  [[nodiscard]] Infos& infos() noexcept { return infos_; }
  [[nodiscard]] const Infos& infos() const noexcept { return infos_; }

 private:
  [[nodiscard]] const PublicKey& own() const noexcept { return key_.public_key(); }
  [[nodiscard]] std::uint64_t next_seq() const;
  [[nodiscard]] PublicKey parent() const;
  bool update_own(const wire::Announce& announce, Time now);
  bool adopt(const Neighbour& neighbour, Time now);
  bool become_root(Time now);
  bool make_room(const PublicKey& via);

  const Config& config_;
  const PrivateKey& key_;
  const crypto::Verifier& verify_;
  Rng& rng_;
  Neighbours& neighbours_;
  Infos infos_;
  Flags flags_;
  Infos::Position position_;
  std::uint64_t position_stamp_ = 0;
};

}  // namespace axl::overlay
