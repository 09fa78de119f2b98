// Messages that arrive, are queued and are read: what a received message costs between the connection and `/recv`.
#pragma once

#include <string>

#include "crypto/hash.hpp"
#include "router/dispatcher.hpp"

namespace axl::bench {

class QueueWork {
 public:
  /// `waiting`: messages that stay in the queue meanwhile.
  explicit QueueWork(std::size_t waiting);
  /// One message with an id of its own comes, and the oldest is taken and confirmed.
  void pass();

 private:
  void offer();

  crypto::SeededRng rng_{3};
  router::Dispatcher dispatcher_;
  PublicKey sender_;
  MessageBody body_;
  std::uint64_t number_ = 0;
};

}  // namespace axl::bench
