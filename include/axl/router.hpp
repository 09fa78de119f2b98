// Who gets what arrives: handlers first, in the order they were added, then the receive queue.
//
// The queue is bounded in messages and bytes; when it is full, the sender is told so and nothing accepted is dropped.
// One peer gets at most a quarter of it, and half is kept for peers that the configuration names.
//
// Lives on the node's loop: call it from a handler, from Node::post, or before the node is started.
#pragma once

#include <axl/key.hpp>
#include <axl/message.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace axl {

namespace router {
class Dispatcher;
}

class Router {
 public:
  using Filter = std::function<bool(const Message& message)>;
  using Handler = std::function<void(Message message)>;
  enum class HandlerId : std::uint64_t {};

  struct QueueStats {
    std::size_t messages = 0;  ///< those being delivered to a reader included
    std::size_t bytes = 0;
    std::uint64_t accepted = 0;
    std::uint64_t refused_full = 0;
    std::uint64_t refused_share = 0;  ///< that peer already held its quarter
    std::uint64_t duplicates = 0;     ///< a known id came again
  };

  explicit Router(router::Dispatcher& dispatcher) noexcept : dispatcher_{&dispatcher} {}

  /// `handler` gets the messages that `filter` accepts instead of the queue.
  HandlerId on_message(Filter filter, Handler handler);
  HandlerId on_message(Handler handler);                        ///< every message
  HandlerId on_topic(std::string topic, Handler handler);       ///< those with this topic
  HandlerId on_sender(const PublicKey& peer, Handler handler);  ///< those of this peer
  void remove(HandlerId id);

  /// The oldest message of the queue; empty when there is none.
  [[nodiscard]] std::optional<Message> receive();
  [[nodiscard]] QueueStats queue_stats() const;

 private:
  router::Dispatcher* dispatcher_;
};

}  // namespace axl
