#include "patterns/feed.hpp"

#include <utility>

namespace axl::patterns {

std::size_t Feed::cost(const PubSubMessage& message) noexcept {
  return sizeof(PubSubMessage) + message.topic.size() + message.id.size() + message.body.size();
}

void Feed::add(PubSubMessage message) {
  bytes_ += cost(message);
  messages_.push_back(std::move(message));
  while (messages_.size() > kMaxMessages || (bytes_ > kMaxBytes && messages_.size() > 1)) drop_first();
}

void Feed::drop_first() {
  if (messages_.empty()) return;
  bytes_ -= cost(messages_.front());
  messages_.pop_front();
  ++begin_;
}

std::optional<std::uint64_t> Feed::after(std::string_view id) const {
  for (auto number = end(); number > begin_; --number) {
    if (at(number - 1).id == id) return number;
  }
  return std::nullopt;
}

}  // namespace axl::patterns
