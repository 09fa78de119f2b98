// The messages of the last heartbeats, for peers that ask, and who is known to have each of them.
//
// A message lies in the window of the heartbeat in which it came, and leaves with it. Bounded in number and bytes as
// well: the oldest goes. A message that our user has not judged yet is kept, and neither announced nor given.
#pragma once

#include <axl/message.hpp>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "pubsub/peers.hpp"

namespace axl::pubsub {

class MessageCache {
 public:
  struct Holder {
    PeerSlot peer{};
    std::uint8_t sent = 0;   ///< how often we gave it to this peer
    std::uint8_t given = 0;  ///< how often it gave it to us, up to a little more than is right
    bool has = false;        ///< it sent, announced or asked for the message
  };
  struct Entry {
    MessageId id;
    PublishedMessage message;  ///< `hops` are those that a copy of ours has
    MessageBody encoded;       ///< the same as a body for native peers; made when it is needed first
    PeerSlot from{};           ///< zero: published here
    bool judged = true;
    std::vector<Holder> holders;

    [[nodiscard]] Holder& holder(PeerSlot peer);
    [[nodiscard]] bool has(PeerSlot peer) const;
  };
  using Ids = std::vector<MessageId>;

  MessageCache(std::size_t windows, std::size_t most, std::size_t most_bytes);

  /// Null when there is one with this id.
  Entry* add(Entry entry, const std::optional<MessageId>& alias);
  void remove(const MessageId& id);
  [[nodiscard]] Entry* find(const MessageId& id);
  [[nodiscard]] Entry* find_name(const MessageId& alias);
  /// A heartbeat: the oldest window goes.
  void shift();
  /// Ids of a topic in window `age` (0: since the last heartbeat), oldest first. Some may be gone.
  [[nodiscard]] const Ids& window(std::size_t age, std::string_view topic) const;

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  using Window = std::map<std::string, Ids, std::less<>>;
  void drop_oldest();
  [[nodiscard]] static std::size_t cost(const Entry& entry) noexcept;

  std::size_t most_;
  std::size_t most_bytes_;
  std::size_t bytes_ = 0;
  std::map<MessageId, Entry> entries_;
  std::map<MessageId, MessageId> by_name_;
  std::deque<Window> windows_;  // newest first
  std::deque<MessageId> order_; // oldest first; some may be gone
};

}  // namespace axl::pubsub
