// What the pub/sub engine hands back.
#pragma once

#include <axl/message.hpp>
#include <cstdint>
#include <string>
#include <variant>

#include "pubsub/message.hpp"
#include "pubsub/peers.hpp"

namespace axl::pubsub {

/// A message for our user.
struct Received {
  MessageId id;
  std::string topic;
  PublicKey origin;
  PublicKey signer;  ///< `origin`, or the node that took it from a peer that cannot sign; all zero: nobody signed
  PublicKey from;    ///< the peer that handed it on
  std::uint8_t hops = 0;
  MessageBody body;

  /// Is `origin` more than a claim?
  [[nodiscard]] bool proved() const noexcept { return signer == origin; }
};

/// Out: a body for a connected peer, in its form.
struct SendBody {
  PublicKey peer;
  Form form{};
  MessageBody body;
};
/// Out: a message for our user.
struct Deliver {
  Received message;
};
/// Out: the same of a topic whose messages are judged: nobody gets it until on_judged().
struct Judge {
  Received message;
};
/// Out: a connection to this peer is wanted; on_peer_connected() or on_connect_failed() follows.
struct Connect {
  PublicKey peer;
};
/// Out: this peer's connection should end; on_peer_lost() has been done already.
struct Disconnect {
  PublicKey peer;
};
using Output = std::variant<SendBody, Deliver, Judge, Connect, Disconnect>;

/// Counted since the engine was made.
struct Counters {
  std::uint64_t published = 0;
  std::uint64_t delivered = 0;
  std::uint64_t copies = 0;      ///< bodies with a message that came
  std::uint64_t duplicates = 0;  ///< of those, known already
  std::uint64_t refused = 0;     ///< of those, not valid
  std::uint64_t ignored = 0;     ///< of those, not of our topics, too old, or beyond the origin's rate
  std::uint64_t malformed = 0;   ///< bodies
  std::uint64_t over_rate = 0;   ///< bodies that were not read
  std::uint64_t sent = 0;        ///< bodies with a message
  std::uint64_t announced = 0;   ///< ids
  std::uint64_t asked = 0;       ///< ids
  std::uint64_t broken_promises = 0;
  std::uint64_t unnoted = 0;     ///< announced ids that there was no room for
};

}  // namespace axl::pubsub
