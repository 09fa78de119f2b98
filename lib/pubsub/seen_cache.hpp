// Which messages have been here already. Bounded in time and number; when there is no room the oldest goes.
#pragma once

#include <axl/key.hpp>
#include <axl/time.hpp>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>

#include "pubsub/peers.hpp"

namespace axl::pubsub {

class SeenCache {
 public:
  SeenCache(std::size_t most, Duration keep) noexcept : most_{most}, keep_{keep} {}

  struct Forgotten {
    PublicKey origin;
    std::optional<std::uint64_t> sequence;
  };

  /// Who brought it first; empty if it is not known.
  [[nodiscard]] std::optional<PeerSlot> find(const MessageId& id) const;
  /// A message of that name has been here.
  [[nodiscard]] bool knows_name(const MessageId& alias) const { return names_.contains(alias); }

  /// `alias` is kept with it if given; `sequence` too, to be told when it is forgotten.
  void add(const MessageId& id, PeerSlot from, const std::optional<MessageId>& alias, const PublicKey& origin,
           std::optional<std::uint64_t> sequence, Time now);
  /// Call until empty, after add() and now and then.
  [[nodiscard]] std::optional<Forgotten> forget_one(Time now);

  [[nodiscard]] std::size_t size() const noexcept { return from_.size(); }

 private:
  struct Record {
    MessageId id;
    std::optional<MessageId> alias;
    Time seen;
    Forgotten message;
  };
  std::size_t most_;
  Duration keep_;
  std::map<MessageId, PeerSlot> from_;
  std::set<MessageId> names_;
  std::deque<Record> records_;  // oldest first
};

}  // namespace axl::pubsub
