// What becomes of messages: those of our user, and those that peers send, announce and ask for.
//
// A new message goes at once to one peer of the mesh, chosen at random among those that are not known to have it, and
// is announced to the others, who ask for it. So a message comes about once to each node, and nobody waits for a
// heartbeat; the heartbeat announces once more, to whom is not known to have it. When others of the mesh have it
// already, it is only announced: so late, most of what is sent unasked is a second copy.
#pragma once

#include <axl/random.hpp>
#include <optional>
#include <string_view>

#include "pubsub/codec.hpp"
#include "pubsub/compat_codec.hpp"
#include "pubsub/config.hpp"
#include "pubsub/mesh.hpp"
#include "pubsub/message_cache.hpp"
#include "pubsub/origins.hpp"
#include "pubsub/outgoing.hpp"
#include "pubsub/scores.hpp"
#include "pubsub/seen_cache.hpp"
#include "pubsub/wants.hpp"

namespace axl::pubsub {

enum class Verdict : std::uint8_t {
  accept,  ///< deliver it and hand it on
  reject,  ///< it is wrong, and whoever sent it should have known
  ignore,  ///< neither
};

class Forwarding {
 public:
  struct Parts {
    const Config& config;
    const PrivateKey& key;
    Rng& rng;
    crypto::Verifier verifier;
    Peers& peers;
    Mesh& mesh;
    MessageCache& cache;
    Wants& wants;
    Scores& scores;
    Outgoing& out;
    Counters& counters;
  };
  Forwarding(Parts parts, Duration unix_at_zero);

  struct Published {
    MessageId id;
    std::size_t peers = 0;  ///< that it went to
  };
  [[nodiscard]] Published publish(std::string_view topic, MessageBody body, Time now);
  void on_judged(const MessageId& id, Verdict verdict);

  void on_message(Peer& from, PublishedMessage message, Time now);
  void on_have(Peer& from, const Have& have, Time now);
  void on_have(Peer& from, const compat::HaveNames& have, Time now);
  void on_want(Peer& from, const Want& want, Time now);
  void on_want(Peer& from, const compat::WantNames& want, Time now);
  /// It can be told now what there is in a topic: it has joined, or its connection takes something again.
  void announce_all(Peer& peer, std::string_view topic);
  void on_heartbeat(Time now);

  [[nodiscard]] const SeenCache& seen() const noexcept { return seen_; }
  [[nodiscard]] const Origins& origins() const noexcept { return origins_; }

 private:
  enum class Admission : std::uint8_t { take, ignore, refuse };
  void on_copy(Peer& from, const MessageId& id, PeerSlot first_from);
  [[nodiscard]] Admission admit(const Peer& from, PublishedMessage& message, const PublishedMessage::Hash& hash,
                                Time now);
  void remember(const PublishedMessage& message, const MessageId& id, PeerSlot from, Time now);
  void hand_on(MessageCache::Entry& entry);
  void give(Peer& peer, MessageCache::Entry* entry, Time now);
  void announce_window(Peer& peer, std::string_view topic, std::size_t age);
  [[nodiscard]] bool may_announce(Peer& from, std::string_view topic, std::size_t ids, Time now);
  [[nodiscard]] Received received(const MessageCache::Entry& entry);
  [[nodiscard]] std::optional<MessageId> alias_of(const PublishedMessage& message) const;

  const Config& config_;
  const PrivateKey key_;
  Rng& rng_;
  crypto::Verifier verifier_;
  Peers& peers_;
  Mesh& mesh_;
  MessageCache& cache_;
  Wants& wants_;
  Scores& scores_;
  Outgoing& out_;
  Counters& counters_;
  Duration unix_at_zero_;
  std::uint64_t last_sequence_ = 0;
  SeenCache seen_;
  Origins origins_;
};

}  // namespace axl::pubsub
