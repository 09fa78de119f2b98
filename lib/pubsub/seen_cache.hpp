// Which messages have been here already. Bounded in time and number; when there is no room the oldest goes.
//
// Messages whose names are text come again long afterwards, for programs of the older kind never forget what they
// announce: their ids stay as long as there is room. Their names do not, because such a program counts from 1 again when
// it starts again; so an old message may be asked for, and is known when it comes.
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
  /// A message of that name has been here lately.
  [[nodiscard]] bool knows_name(const MessageId& alias) const { return names_.contains(alias); }

  /// `sequence` is kept with it, to be told when it is forgotten. `lasts`: its name is text.
  void add(const MessageId& id, PeerSlot from, const PublicKey& origin, std::optional<std::uint64_t> sequence,
           bool lasts, Time now);
  void add_name(const MessageId& alias, Time now);
  /// Call until empty, after add() and now and then.
  [[nodiscard]] std::optional<Forgotten> forget_one(Time now);

  [[nodiscard]] std::size_t size() const noexcept { return from_.size(); }

 private:
  struct Record {
    MessageId id;
    Time seen;
    Forgotten message;
  };
  struct Name {
    MessageId alias;
    Time seen;
  };
  void forget_names(Time now);

  std::size_t most_;
  Duration keep_;
  std::map<MessageId, PeerSlot> from_;
  std::deque<Record> records_;  // these three oldest first
  std::deque<Record> lasting_;
  std::deque<Name> name_order_;
  std::set<MessageId> names_;
};

}  // namespace axl::pubsub
