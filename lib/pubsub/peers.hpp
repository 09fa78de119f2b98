// The peers that are connected now, and what each has told us.
#pragma once

#include <axl/key.hpp>
#include <axl/time.hpp>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "pubsub/message.hpp"
#include "pubsub/rate.hpp"

namespace axl::pubsub {

/// One connection's life of a peer; never used again. Zero is nobody.
enum class PeerSlot : std::uint32_t {};

enum class Form : std::uint8_t {
  native,  ///< bodies of codec.hpp
  compat,  ///< JSON, messages of the receive queue (compat_codec.hpp)
};

struct Peer {
  PublicKey key;
  PeerSlot slot{};
  Form form{};
  bool blocked = false;  ///< its connection takes no more for now
  bool missed = false;   ///< something was not announced because of that
  // Of a peer of the JSON form, which has no connection that could break.
  Time heard{};                ///< its last word
  bool quiet = false;          ///< that is a while ago: it is told of messages, and not sent them before it asks
  std::size_t unanswered = 0;  ///< names that it was told meanwhile
  std::set<std::string, std::less<>> topics;  ///< of a native peer
  Bucket bodies;
  Bucket bytes;
  Bucket answers;
  Bucket announced;
  std::map<std::string, std::vector<MessageId>, std::less<>> haves;  ///< to be announced with the next output

  /// A peer of the JSON form never says what it takes.
  [[nodiscard]] bool takes(std::string_view topic) const { return form == Form::compat || topics.contains(topic); }
};

class Peers {
 public:
  /// Null when there is one with this key.
  Peer* add(const PublicKey& key, Form form);
  void remove(const PublicKey& key);
  [[nodiscard]] Peer* find(const PublicKey& key);
  [[nodiscard]] Peer* find(PeerSlot slot);
  [[nodiscard]] std::map<PublicKey, Peer>& all() noexcept { return peers_; }
  [[nodiscard]] const std::map<PublicKey, Peer>& all() const noexcept { return peers_; }
  [[nodiscard]] std::size_t size() const noexcept { return peers_.size(); }

 private:
  std::map<PublicKey, Peer> peers_;
  std::map<PeerSlot, PublicKey> by_slot_;
  std::uint32_t next_slot_ = 1;
};

/// Takes `count` of them in a random order.
template <class T>
[[nodiscard]] std::vector<T> choose(std::vector<T> from, std::size_t count, Rng& rng) {
  if (count > from.size()) count = from.size();
  for (std::size_t i = 0; i < count; ++i) std::swap(from[i], from[i + rng.next_u64() % (from.size() - i)]);
  from.resize(count);
  return from;
}

}  // namespace axl::pubsub
