// One engine whose peers are played by the test.
#pragma once

#include <array>
#include <axl/key.hpp>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "crypto/hash.hpp"
#include "pubsub/codec.hpp"
#include "pubsub/compat_codec.hpp"
#include "pubsub/engine.hpp"

namespace axl::test {

inline PrivateKey numbered_key(std::uint8_t number) {
  std::array<std::byte, 32> seed{};
  seed.fill(std::byte{number});
  return PrivateKey::from_seed(seed);
}
inline PublicKey numbered(std::uint8_t number) { return numbered_key(number).public_key(); }

inline MessageBody body(std::string_view text) { return MessageBody{to_bytes(text)}; }

/// A message as its origin makes it.
inline pubsub::PublishedMessage message_of(const PrivateKey& origin, std::string_view text, std::uint64_t sequence = 1,
                                           std::string topic = "t") {
  crypto::SeededRng rng{sequence};
  pubsub::PublishedMessage message{origin.public_key(), pubsub::MessageName::make(sequence, rng), std::move(topic), body(text), 0, {}, {}};
  message.sign(message.hash(), origin);
  return message;
}
inline pubsub::MessageId id_of(const pubsub::PublishedMessage& message) { return pubsub::PublishedMessage::id_of(message.hash()); }

struct EngineFixture {
  explicit EngineFixture(pubsub::Config config = {})
      : engine{config, numbered_key(0), rng, std::chrono::hours{480'000}} {
    now = Time{std::chrono::seconds{100}};
  }

  /// A peer that takes these topics; what we say to it at that is left in the outputs.
  void connect(std::uint8_t peer, std::vector<std::string> topics = {"t"}) {
    engine.on_peer_connected(numbered(peer), pubsub::Form::native, now);
    say(peer, pubsub::encode(pubsub::Topics{pubsub::Topics::What::all, std::move(topics)}));
  }
  void say(std::uint8_t peer, const MessageBody& bytes) { engine.on_body(numbered(peer), bytes, now); }

  /// Everything that came out; tests look for what they expect.
  std::vector<pubsub::Output> outputs() {
    std::vector<pubsub::Output> out;
    while (auto output = engine.poll_output()) out.push_back(std::move(*output));
    return out;
  }
  void quiet() { static_cast<void>(outputs()); }
  /// Lets time pass, tick by tick.
  std::vector<pubsub::Output> pass(Duration time) {
    std::vector<pubsub::Output> out = outputs();
    const auto end = now + time;
    while (engine.next_tick() && *engine.next_tick() <= end) {
      now = *engine.next_tick();
      engine.on_tick(now);
      for (auto& output : outputs()) out.push_back(std::move(output));
    }
    now = end;
    return out;
  }

  crypto::SeededRng rng{7};
  Time now;
  pubsub::Engine engine;
};

template <class T>
std::vector<T> only(const std::vector<pubsub::Output>& outputs) {
  std::vector<T> out;
  for (const auto& output : outputs) {
    if (const auto* one = std::get_if<T>(&output)) out.push_back(*one);
  }
  return out;
}

/// Bodies of one kind to one peer, decoded.
template <class T>
std::vector<T> said(const std::vector<pubsub::Output>& outputs, std::uint8_t peer) {
  std::vector<T> out;
  for (const auto& send : only<pubsub::SendBody>(outputs)) {
    if (send.peer != numbered(peer) || send.form != pubsub::Form::native) continue;
    const auto decoded = pubsub::decode(send.body);
    if (!decoded) continue;
    if (const auto* one = std::get_if<T>(&*decoded)) out.push_back(*one);
  }
  return out;
}
template <class T>
std::vector<T> said_in_json(const std::vector<pubsub::Output>& outputs, std::uint8_t peer) {
  std::vector<T> out;
  for (const auto& send : only<pubsub::SendBody>(outputs)) {
    if (send.peer != numbered(peer) || send.form != pubsub::Form::compat) continue;
    const auto decoded = pubsub::compat::decode(send.body);
    if (!decoded) continue;
    if (const auto* one = std::get_if<T>(&*decoded)) out.push_back(*one);
  }
  return out;
}

}  // namespace axl::test
