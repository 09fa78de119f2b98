// What the pub/sub engine may spend and how it behaves. All of a peer's bounds are here.
#pragma once

#include <axl/time.hpp>
#include <cstddef>
#include <cstdint>

#include "pubsub/rate.hpp"
#include "pubsub/scores.hpp"

namespace axl::pubsub {

enum class Signatures : std::uint8_t {
  required,  ///< we sign, and take signed messages only (those of JSON peers we sign ourselves)
  off,       ///< neither made nor checked: `origin` is what somebody says
};

struct Config {
  Signatures signatures = Signatures::required;
  std::size_t max_body = 1024UL * 1024;  ///< of a message, bytes; larger ones are the sender's fault
  /// Peers of the JSON form may connect. Off: the tables that only they need stay empty.
  bool compat = false;
  Duration compat_quiet_after{std::chrono::seconds{60}};  ///< without a word such a peer is only told of messages
  std::size_t compat_unanswered = 1'024;  ///< names that it is told then; if it asks for none of them it is gone
  unsigned compat_patience = 3;           ///< heartbeats that it has for an answer; its program looks now and then

  // The mesh of each topic.
  std::size_t mesh = 4;       ///< peers wanted
  std::size_t mesh_low = 3;   ///< below it, more are grafted up to `mesh`
  std::size_t mesh_high = 6;  ///< above it, some are pruned down to `mesh`; one more is refused at it
  std::size_t gossip = 1;     ///< peers outside the mesh that are told at each heartbeat what there is
  Duration heartbeat{std::chrono::seconds{1}};
  Duration prune_back_off{std::chrono::seconds{30}};

  // Messages that are kept for those who ask.
  std::size_t history_windows = 6;  ///< heartbeats that a message is kept
  std::size_t gossip_windows = 3;   ///< heartbeats that it is announced
  std::size_t max_cached = 8'192;   ///< messages; the oldest go
  std::size_t max_cached_bytes = 32UL * 1024 * 1024;

  // Messages that are known already.
  std::size_t max_seen = 65'536;  ///< the oldest go
  Duration keep_seen{std::chrono::minutes{2}};
  std::size_t max_origins = 4'096;  ///< whose last sequence numbers are kept; least recently seen go

  // Messages that somebody has announced and we have not.
  std::size_t max_wants = 16'384;          ///< more are not noted; they are announced again
  std::size_t max_wants_per_peer = 2'048;  ///< the same for those of one peer
  std::size_t ask_window = 64;             ///< asked of one peer and not answered yet
  std::size_t ask_tries = 6;
  std::size_t max_announcers = 8;  ///< noted for each message

  // Peers.
  std::size_t max_peers = 128;           ///< connections; more are refused
  std::size_t wanted_peers = 8;          ///< connections that we ask for while in use
  std::size_t max_topics = 256;          ///< of ours
  std::size_t max_topics_per_peer = 256; ///< more are not noted
  std::size_t max_candidates = 1'024;    ///< peers that could be connected to, as the caller names them
  std::size_t max_offered = 64;          ///< the same, as peers name them
  std::size_t max_back_offs = 256;       ///< of a topic; the first to end go

  // Rates. What is beyond is dropped unread.
  Rate bodies_per_peer{4'000, 8'000};
  Rate bytes_per_peer{64UL * 1024 * 1024, 128UL * 1024 * 1024};
  Rate answers_per_peer{4'000, 8'000};      ///< messages sent because the peer asked
  Rate announced_per_peer{5'000, 10'000};   ///< ids
  Rate messages_per_origin{1'000, 2'000};   ///< new ones, whoever hands them on; more are not handed on
  std::uint8_t answers_per_message = 3;     ///< to one peer; more cost points

  Scores::Config scores;
};

}  // namespace axl::pubsub
