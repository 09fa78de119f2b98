// Bodies of pub/sub, binary and JSON: what is read is written as the same, and bounds hold.

#include <span>
#include <variant>

#include "fuzz.hpp"
#include "pubsub/codec.hpp"
#include "pubsub/compat_codec.hpp"

namespace {

using namespace axl;
using test::expect;

bool same(ByteSpan a, ByteSpan b) { return as_text(a) == as_text(b); }

void check_bounds(const pubsub::PublishedMessage& message) {
  expect(pubsub::is_topic(message.topic), "a topic is one");
  expect(message.name.bytes().size() <= pubsub::kMaxNameSize && !message.name.bytes().empty(), "a name is bounded");
  const auto again = pubsub::decode(pubsub::encode(message));
  expect(again && std::holds_alternative<pubsub::PublishedMessage>(*again), "a message has a binary form");
  expect(std::get<pubsub::PublishedMessage>(*again).hash() == message.hash(), "which has the same id");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = MessageBody{to_bytes(std::as_bytes(std::span{data, size}))};
  if (const auto body = pubsub::decode(input)) {
    const auto again = std::visit([](const auto& one) { return pubsub::encode(one); }, *body);
    expect(same(again, input), "there is one form for each body");
    if (const auto* message = std::get_if<pubsub::PublishedMessage>(&*body)) check_bounds(*message);
  }
  if (const auto body = pubsub::compat::decode(input)) {
    expect(pubsub::compat::is_gossip(input) || as_text(input).find('\\') != std::string_view::npos, "what is one is seen to be one");
    if (const auto* message = std::get_if<pubsub::PublishedMessage>(&*body)) {
      check_bounds(*message);
      const auto again = pubsub::compat::decode(pubsub::compat::encode(*message, message->origin));
      expect(again && std::get<pubsub::PublishedMessage>(*again).hash() == message->hash(), "what is written is read");
    }
  }
  return 0;
}
