#include "router/receive_queue.hpp"

#include <utility>

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
  const auto item = entries_.emplace_hint(entries_.end(), EntryId{next_entry_++}, Entry{.message = std::move(message)});
  lanes_.add(item->first, item->second.message);
  return {};
}

const Message* ReceiveQueue::front(const Selection& wanted) {
  note_read(wanted.topic);
  const auto id = lanes_.oldest(wanted);
  return id ? &entries_.at(*id).message : nullptr;
}

std::optional<ReceiveQueue::Taken> ReceiveQueue::take(const Selection& wanted) {
  note_read(wanted.topic);
  const auto id = lanes_.oldest(wanted);
  if (!id) return {};
  auto& entry = entries_.at(*id);
  lanes_.remove(*id, entry.message);
  entry.state = Entry::State::in_delivery;
  ++in_delivery_;
  return Taken{*id, &entry.message};
}

ReaderId ReceiveQueue::wait_for_message(const Selection& wanted) {
  note_read(wanted.topic);
  return lanes_.wait(wanted);
}

void ReceiveQueue::note_read(const std::string& topic) {
  if (!topic.empty() && read_topics_.size() < kReadTopics) read_topics_.insert(topic);
}

std::vector<ReceiveQueue::TopicSize> ReceiveQueue::read_topics() const {
  std::vector<TopicSize> sizes{{{}, lanes_.ready({})}};
  for (const auto& topic : read_topics_) sizes.push_back({topic, lanes_.ready(topic)});
  return sizes;
}

// Takes an entry out of the state that it is in; it is in no index then but that of names.
void ReceiveQueue::leave_state(Entries::iterator item) {
  auto& entry = item->second;
  switch (entry.state) {
    case Entry::State::ready: lanes_.remove(item->first, entry.message); break;
    case Entry::State::in_delivery: --in_delivery_; break;
    case Entry::State::leased: leases_.erase({entry.leased_until, item->first}); break;
  }
}

Message ReceiveQueue::erase(Entries::iterator item) {
  leave_state(item);
  if (item->second.named) {
    const auto [begin, end] = by_name_.equal_range(item->second.message.id);
    for (auto name = begin; name != end; ++name) {
      if (name->second != item->first) continue;
      by_name_.erase(name);
      break;
    }
  }
  auto message = std::move(item->second.message);
  entries_.erase(item);
  counts_.give_back(message.sender, 1);
  bytes_.give_back(message.sender, cost(message));
  room_changed_ = true;
  return message;
}

std::optional<Message> ReceiveQueue::commit(EntryId id) {
  const auto item = entries_.find(id);
  if (item == entries_.end()) return {};
  return erase(item);
}

void ReceiveQueue::put_back(EntryId id) {
  const auto item = entries_.find(id);
  if (item == entries_.end() || item->second.state == Entry::State::ready) return;
  leave_state(item);
  item->second.state = Entry::State::ready;
  lanes_.add(id, item->second.message);
}

void ReceiveQueue::allow_confirm(EntryId id) {
  const auto item = entries_.find(id);
  if (item == entries_.end() || std::exchange(item->second.named, true)) return;
  by_name_.emplace(item->second.message.id, id);
}

std::uint64_t ReceiveQueue::lease(EntryId id, Time until) {
  const auto item = entries_.find(id);
  if (item == entries_.end() || item->second.state != Entry::State::in_delivery) return 0;
  leave_state(item);
  item->second.state = Entry::State::leased;
  item->second.leased_until = until;
  leases_.emplace(until, id);
  return ++item->second.leases;
}

bool ReceiveQueue::confirm(EntryId id, std::uint64_t lease) {
  const auto item = entries_.find(id);
  if (item == entries_.end() || lease == 0 || lease > item->second.leases) return false;
  erase(item);
  return true;
}

bool ReceiveQueue::give_back(EntryId id, std::uint64_t lease) {
  const auto item = entries_.find(id);
  if (item == entries_.end() || item->second.state != Entry::State::leased || item->second.leases != lease) return false;
  put_back(id);
  return true;
}

ReceiveQueue::Confirmed ReceiveQueue::confirm(std::string_view message_id, const std::optional<PublicKey>& sender) {
  const auto [begin, end] = by_name_.equal_range(message_id);
  auto found = entries_.end();
  for (auto name = begin; name != end; ++name) {
    const auto item = entries_.find(name->second);
    if (item == entries_.end() || !selects(sender, item->second.message.sender)) continue;
    if (found != entries_.end() && found->second.message.sender != item->second.message.sender) {
      return Confirmed::ambiguous;
    }
    if (found == entries_.end()) found = item;  // of one sender's, the oldest
  }
  if (found == entries_.end()) return Confirmed::unknown;
  erase(found);
  return Confirmed::yes;
}

void ReceiveQueue::expire_leases(Time now) {
  while (!leases_.empty() && leases_.begin()->first <= now) put_back(leases_.begin()->second);
}

std::optional<Time> ReceiveQueue::next_expiry() const {
  return leases_.empty() ? std::nullopt : std::optional{leases_.begin()->first};
}

WriterId ReceiveQueue::wait_for_room(const PublicKey& sender, std::size_t body_size) {
  const WriterId id{next_writer_++};
  writers_.push_back({.id = id, .sender = sender, .body_size = body_size});
  return id;
}

void ReceiveQueue::stop_waiting(WriterId writer) {
  writers_.remove_if([writer](const Writer& waiting) { return waiting.id == writer; });
}

bool ReceiveQueue::has_event() const { return lanes_.may_have_reader() || (!writers_.empty() && room_changed_); }

std::optional<ReceiveQueue::Event> ReceiveQueue::poll_event() {
  if (const auto reader = lanes_.next_reader()) return ReaderReady{*reader};
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
