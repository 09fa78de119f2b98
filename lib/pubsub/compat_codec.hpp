// The JSON form of the original's example program, one object per message of the receive queue:
//
//   {"type":"gossipsub","msg_type":"MESSAGE","topic":..,"msg_id":..,"origin":hex,"from":hex,"hop":n,"data":base64}
//   {"type":"gossipsub","msg_type":"GRAFT","topic":..}
//   {"type":"gossipsub","msg_type":"PRUNE","topic":..,"peers":[]}
//   {"type":"gossipsub","msg_type":"IHAVE","topic":..,"msg_ids":[..]}
//   {"type":"gossipsub","msg_type":"IWANT","msg_ids":[..]}
//
// Ids are texts: 8 hex digits, a colon and a counter from the original, 32 hex digits (the name) from us. A message
// that is signed carries `signer` and `signature` (hex, base64) besides, which a peer that copies what it does not know
// hands on; without them it is unsigned. Members that are not named here are ignored. `from` is written and not
// believed: the session says who speaks.
//
// Pure. Source: bridge, section 10.3.
#pragma once

#include <algorithm>
#include <axl/message.hpp>
#include <axl/result.hpp>
#include <string>
#include <variant>
#include <vector>

#include "pubsub/codec.hpp"

namespace axl::pubsub::compat {

inline constexpr std::size_t kMaxHaveNames = 5'000;  ///< more are not looked at
inline constexpr std::size_t kMaxWantNames = 256;    ///< the same
/// Names in one IWANT, and so in one IHAVE: a program that is told more asks for so many and forgets the others.
inline constexpr std::size_t kAskAtMost = 64;

struct HaveNames {
  std::string topic;
  std::vector<MessageName> names;
};
struct WantNames {
  std::vector<MessageName> names;
};
using Body = std::variant<PublishedMessage, Graft, Prune, HaveNames, WantNames>;

/// Is this message of the receive queue meant to be one of these? It may be malformed. Cheap for most others.
[[nodiscard]] bool is_gossip(ByteSpan bytes);
/// Of a body with a message of so many bytes, with its encoding and all that stands around it.
[[nodiscard]] constexpr std::size_t largest_body(std::size_t message) noexcept {
  constexpr std::size_t kAround = 4'096;
  constexpr std::size_t kNames = kMaxHaveNames * (kMaxNameSize + 4);
  return kAround + std::max(kNames, (message + 2) / 3 * 4);
}

[[nodiscard]] Result<Body> decode(ByteSpan bytes);

/// `message.hops` is written as `hop`.
[[nodiscard]] MessageBody encode(const PublishedMessage& message, const PublicKey& from);
[[nodiscard]] MessageBody encode(const Graft& graft);
[[nodiscard]] MessageBody encode(const Prune& prune);
[[nodiscard]] MessageBody encode(const HaveNames& have);
[[nodiscard]] MessageBody encode(const WantNames& want);

}  // namespace axl::pubsub::compat
