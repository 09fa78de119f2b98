#include "router/receive_queue.hpp"

#include <utility>

#include "core/expect.hpp"

namespace axl::router {

ReceiveQueue::ReceiveQueue(const Config& config)
    : counts_{config.max_messages}, bytes_{config.max_bytes, kOverhead + kMaxMessageIdSize + kMaxTopicSize} {}

std::size_t ReceiveQueue::cost(const Message& message) noexcept {
  return message.body.size() + message.id.size() + message.topic.size() + kOverhead;
}

void ReceiveQueue::favour(const PublicKey& peer) {
  counts_.favour(peer);
  bytes_.favour(peer);
  room_changed_ = true;
}

std::optional<Refusal> ReceiveQueue::would_refuse(const PublicKey& sender, std::size_t body_size) const {
  if (auto refusal = counts_.would_refuse(sender, 1)) return refusal;
  return bytes_.would_refuse(sender, body_size + kOverhead);
}

std::optional<Refusal> ReceiveQueue::offer(Message& message) {
  if (auto refusal = counts_.would_refuse(message.sender, 1)) return refusal;
  if (auto refusal = bytes_.take(message.sender, cost(message))) return refusal;
  counts_.force(message.sender, 1);
  ready_.emplace_hint(ready_.end(), EntryId{next_entry_++}, std::move(message));
  return {};
}

const Message* ReceiveQueue::front() const { return ready_.empty() ? nullptr : &ready_.begin()->second; }

std::optional<ReceiveQueue::Taken> ReceiveQueue::take() {
  if (ready_.empty()) return {};
  const auto placed = in_delivery_.insert(ready_.extract(ready_.begin())).position;
  return Taken{placed->first, &placed->second};
}

Message ReceiveQueue::commit(EntryId id) {
  auto node = in_delivery_.extract(id);
  AXL_EXPECT_OR(!node.empty(), return {});
  auto message = std::move(node.mapped());
  counts_.give_back(message.sender, 1);
  bytes_.give_back(message.sender, cost(message));
  room_changed_ = true;
  return message;
}

void ReceiveQueue::put_back(EntryId id) {
  auto node = in_delivery_.extract(id);
  AXL_EXPECT_OR(!node.empty(), return );
  ready_.insert(std::move(node));
}

ReaderId ReceiveQueue::wait_for_message() { return readers_.emplace_back(ReaderId{next_waiter_++}); }

void ReceiveQueue::stop_waiting(ReaderId reader) { readers_.remove(reader); }

WriterId ReceiveQueue::wait_for_room(const PublicKey& sender, std::size_t body_size) {
  const WriterId id{next_waiter_++};
  writers_.push_back({.id = id, .sender = sender, .body_size = body_size});
  return id;
}

void ReceiveQueue::stop_waiting(WriterId writer) {
  writers_.remove_if([writer](const Writer& waiting) { return waiting.id == writer; });
}

bool ReceiveQueue::has_event() const {
  return (!readers_.empty() && !ready_.empty()) || (!writers_.empty() && room_changed_);
}

std::optional<ReceiveQueue::Event> ReceiveQueue::poll_event() {
  if (!readers_.empty() && !ready_.empty()) {
    const auto reader = readers_.front();
    readers_.pop_front();
    return ReaderReady{reader};
  }
  if (room_changed_) {
    for (auto writer = writers_.begin(); writer != writers_.end(); ++writer) {
      if (would_refuse(writer->sender, writer->body_size)) continue;
      const auto id = writer->id;
      writers_.erase(writer);
      return WriterReady{id};
    }
    room_changed_ = false;
  }
  return {};
}

}  // namespace axl::router
