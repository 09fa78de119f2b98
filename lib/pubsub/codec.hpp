// The bodies that our nodes send each other on a pub/sub session. One body is one of these, big-endian, no padding:
//
//   version u8 = 1, type u8, then
//   1 message    flags u8 (1 signed, 2 signed by another than the origin, 4 the name is text), hops u8,
//                origin 32, name 16 (if text: size u8 1..64, bytes), topic, [signer 32], [signature 64], body: the rest
//   2 topics     what u8 (0 left, 1 joined, 2 these and no others), topics: the rest, at most 64
//   3 graft      topic
//   4 prune      topic, back-off u16 in seconds, keys of others in the topic: the rest, at most 16
//   5 have       topic, ids of 16 bytes: the rest, 1 to 1024
//   6 want       ids of 16 bytes: the rest, 1 to 256
//
// A topic is: size u8 1..128, that many printable ASCII characters. Flags, types and values that are not named here are
// errors, bytes left over too. A body of a message may be empty; its limit is the receiver's configuration's.
//
// Pure. What is decoded has been checked, and owns its bytes, but for the body of a message, which shares those of the
// input.
#pragma once

#include <axl/message.hpp>
#include <axl/result.hpp>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "pubsub/message.hpp"

namespace axl::pubsub {

inline constexpr std::uint8_t kWireVersion = 1;
inline constexpr std::size_t kMaxTopicsPerBody = 64;
inline constexpr std::size_t kMaxKeysPerPrune = 16;
inline constexpr std::size_t kMaxHaveIds = 1'024;
inline constexpr std::size_t kMaxWantIds = 256;
/// Bytes that a body of type message has besides the message's own, at most.
inline constexpr std::size_t kMaxMessageOverhead = 4 + 32 + 1 + kMaxNameSize + 1 + kMaxTopicSize + 32 + 64;

struct Topics {
  enum class What : std::uint8_t { left = 0, joined = 1, all = 2 };
  What what{};
  std::vector<std::string> topics;
};
struct Graft {
  std::string topic;
};
struct Prune {
  std::string topic;
  std::uint16_t back_off_seconds = 0;
  std::vector<PublicKey> others;
};
struct Have {
  std::string topic;
  std::vector<MessageId> ids;
};
struct Want {
  std::vector<MessageId> ids;
};
using Body = std::variant<PublishedMessage, Topics, Graft, Prune, Have, Want>;

[[nodiscard]] Result<Body> decode(const MessageBody& bytes);

[[nodiscard]] MessageBody encode(const PublishedMessage& message);
[[nodiscard]] MessageBody encode(const Topics& topics);
[[nodiscard]] MessageBody encode(const Graft& graft);
[[nodiscard]] MessageBody encode(const Prune& prune);
[[nodiscard]] MessageBody encode(const Have& have);
[[nodiscard]] MessageBody encode(const Want& want);

}  // namespace axl::pubsub
