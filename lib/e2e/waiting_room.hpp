// Where packets wait, one queue for each key, until they can go out in the order in which they came.
//
// Bytes and packets are bounded, for each key and in all. No key may take the whole room: beyond its first packet it
// gets at most an eighth of what is free, so that keys which never answer leave room for those which do.
// What has been taken in leaves by take(), or is counted when it has waited too long.
//
// Pure. Source: overlay links and sessions, section 5.4 (the buffer there holds a single packet and loses the rest).
#pragma once

#include <axl/key.hpp>
#include <axl/time.hpp>
#include <cstddef>
#include <deque>
#include <optional>
#include <unordered_map>

#include "core/buffer.hpp"

namespace axl::e2e {

class WaitingRoom {
 public:
  struct Limits {
    std::size_t bytes = 0;
    std::size_t packets = 0;
    std::size_t bytes_per_key = 0;
    std::size_t packets_per_key = 0;
  };

  explicit WaitingRoom(Limits limits) noexcept : limits_{limits} {}

  /// False when there is no room; `packet` is taken only when there is.
  [[nodiscard]] bool add(const PublicKey& key, Buffer&& packet, Time now);
  /// Throws away what waits for `key` and keeps this packet alone, whatever the limits (the reference's buffer).
  void replace(const PublicKey& key, Buffer&& packet, Time now);
  /// The oldest packet for `key`.
  [[nodiscard]] std::optional<Buffer> take(const PublicKey& key);
  /// Throws away what has waited since `limit` or longer; returns how many packets.
  std::size_t expire(const PublicKey& key, Time limit);
  /// Throws away all that waits for `key`.
  std::size_t clear(const PublicKey& key);

  [[nodiscard]] bool has(const PublicKey& key) const { return queues_.contains(key); }
  /// The oldest packet for `key`, where it stands; empty when nothing waits.
  [[nodiscard]] ByteSpan head(const PublicKey& key) const;
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::size_t keys() const noexcept { return queues_.size(); }

 private:
  struct Waiting {
    Buffer packet;
    Time since{};
  };
  struct Queue {
    std::deque<Waiting> packets;  // never empty
    std::size_t bytes = 0;
  };
  using Queues = std::unordered_map<PublicKey, Queue>;

  [[nodiscard]] bool fits(const PublicKey& key, std::size_t size) const;
  void put(const PublicKey& key, Buffer&& packet, Time now);
  void drop_head(Queues::iterator queue);

  Limits limits_;
  std::size_t bytes_ = 0;
  std::size_t packets_ = 0;
  Queues queues_;
};

}  // namespace axl::e2e
