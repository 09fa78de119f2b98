#include "queue_work.hpp"

#include "numbered.hpp"

namespace axl::bench {

QueueWork::QueueWork(std::size_t waiting)
    : dispatcher_{{}, rng_}, sender_{numbered_public_key(1, std::byte{1})}, body_{numbered_bytes(1, 1024)} {
  dispatcher_.favour(sender_);
  for (std::size_t i = 0; i < waiting; ++i) offer();
}

void QueueWork::offer() {
  Message message;
  message.sender = sender_;
  message.id = "message-" + std::to_string(++number_);
  message.body = body_;
  require(dispatcher_.offer(message, Time{}) == router::Verdict::accepted, "a message is queued");
}

void QueueWork::pass() {
  offer();
  while (dispatcher_.poll_event()) {
  }
  auto& queue = dispatcher_.queue();
  const auto taken = queue.take();
  require(taken.has_value(), "a message is there");
  require(queue.commit(taken->id).has_value(), "a message is read");
  dispatcher_.check_events();
}

}  // namespace axl::bench
