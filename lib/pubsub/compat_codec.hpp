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

#include <axl/message.hpp>
#include <axl/result.hpp>
#include <string>
#include <variant>
#include <vector>

#include "pubsub/codec.hpp"

namespace axl::pubsub::compat {

inline constexpr std::size_t kMaxHaveNames = 5'000;  ///< more are not looked at
inline constexpr std::size_t kMaxWantNames = 5'000;
inline constexpr std::size_t kAskAtMost = 64;  ///< names in one IWANT

struct HaveNames {
  std::string topic;
  std::vector<MessageName> names;
};
struct WantNames {
  std::vector<MessageName> names;
};
using Body = std::variant<PublishedMessage, Graft, Prune, HaveNames, WantNames>;

/// Might this message of the receive queue be one of these? Cheap, and never wrong with what encode() makes.
[[nodiscard]] bool may_be_gossip(ByteSpan bytes) noexcept;

[[nodiscard]] Result<Body> decode(ByteSpan bytes);

/// `message.hops` is written as `hop`.
[[nodiscard]] MessageBody encode(const PublishedMessage& message, const PublicKey& from);
[[nodiscard]] MessageBody encode(const Graft& graft);
[[nodiscard]] MessageBody encode(const Prune& prune);
[[nodiscard]] MessageBody encode(const HaveNames& have);
[[nodiscard]] MessageBody encode(const WantNames& want);

}  // namespace axl::pubsub::compat
