// Makes bodies of what is to be said to a peer, in the peer's form, and keeps all outputs in order.
//
// Announcements and questions wait until the caller polls, so that one turn's worth of them is one body.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pubsub/codec.hpp"
#include "pubsub/config.hpp"
#include "pubsub/message_cache.hpp"
#include "pubsub/output.hpp"
#include "pubsub/scores.hpp"
#include "pubsub/wants.hpp"

namespace axl::pubsub {

class Outgoing {
 public:
  Outgoing(const Config& config, const PublicKey& own, Peers& peers, MessageCache& cache, Wants& wants, Scores& scores,
           Counters& counters)
      : config_{config}, own_{own}, peers_{peers}, cache_{cache}, wants_{wants}, scores_{scores}, counters_{counters} {}

  template <class T>
  void push(T output) {
    outputs_.emplace_back(std::in_place_type<T>, std::move(output));
  }
  void topics(const Peer& peer, Topics::What what, const std::vector<std::string>& topics);
  void graft(const Peer& peer, std::string_view topic);
  void prune(const Peer& peer, std::string_view topic, Duration back_off, const std::vector<PublicKey>& others);
  void message(const Peer& peer, MessageCache::Entry& entry);
  /// Announces it with the next output. A blocked peer is told later.
  void have(Peer& peer, const MessageCache::Entry& entry);

  [[nodiscard]] std::optional<Output> poll(Time now);

 private:
  void send(const Peer& peer, MessageBody body) { push(SendBody{peer.key, peer.form, std::move(body)}); }
  void flush(Time now);
  void flush_haves(Peer& peer);
  void flush_wants(Peer& peer, Time now);

  const Config& config_;
  PublicKey own_;
  Peers& peers_;
  MessageCache& cache_;
  Wants& wants_;
  Scores& scores_;
  Counters& counters_;
  std::vector<Output> outputs_;
  std::size_t next_ = 0;
  std::set<PeerSlot> announcing_;  // peers with `haves`
};

}  // namespace axl::pubsub
