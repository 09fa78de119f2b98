// Bounds the bytes of messages that are still arriving, on all connections together.
//
// Memory is counted as bytes come, not as lengths announce. One peer gets a quarter, strangers half once somebody is
// favoured (Quota). A body that gets no more bytes waits, unread; so that waiting ends, the oldest body under way of
// a peer may go beyond that peer's share, and the oldest of all beyond the whole, by one message each.
#pragma once

#include <axl/key.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "router/quota.hpp"

namespace axl::router {

enum class BodyId : std::uint64_t {};  // in order of begin()

class BodyBudget {
 public:
  explicit BodyBudget(std::size_t total) noexcept : quota_{total} {}

  void favour(const PublicKey& peer) { quota_.favour(peer); }

  [[nodiscard]] BodyId begin(const PublicKey& peer);
  /// Counts `bytes` more for this body. False: leave them unread; poll_ready() says when to try again.
  [[nodiscard]] bool grow(BodyId body, std::size_t bytes);
  /// The body is complete and counted elsewhere, or given up.
  void end(BodyId body);

  /// A body that is here in whole already: counted at once, or not at all.
  [[nodiscard]] bool hold(const PublicKey& peer, std::size_t bytes) { return !quota_.take(peer, bytes); }
  /// Ends what hold() began.
  void let_go(const PublicKey& peer, std::size_t bytes);

  /// A body that waited and should try again. Call until empty after every end() and let_go().
  [[nodiscard]] std::optional<BodyId> poll_ready();
  [[nodiscard]] bool has_ready() const noexcept { return freed_ && !waiting_.empty(); }

  [[nodiscard]] std::size_t used() const noexcept { return quota_.used(); }
  [[nodiscard]] std::size_t bodies() const noexcept { return bodies_.size(); }

 private:
  struct Body {
    PublicKey peer;
    std::size_t held = 0;
    std::size_t wanted = 0;  // set while waiting
  };
  [[nodiscard]] bool may_grow(BodyId id, const Body& body, std::size_t bytes) const;
  [[nodiscard]] bool oldest_of_peer(BodyId id, const PublicKey& peer) const;

  Quota quota_;
  std::map<BodyId, Body> bodies_;
  std::map<PublicKey, std::set<BodyId>> of_peer_;
  std::set<BodyId> waiting_;
  bool freed_ = false;
  std::uint64_t next_ = 1;
};

}  // namespace axl::router
