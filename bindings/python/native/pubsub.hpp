// What a program hears of a topic: messages on their way to one Python iterator, and those that wait for a verdict.
#pragma once

#include <axl/pubsub.hpp>
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "channel.hpp"
#include "host.hpp"

namespace axl::python {

/// A message that waits for Python's verdict; ignored when nobody gives one.
class Undecided {
 public:
  static constexpr std::size_t kMost = 1'024;  // of a subscription; more are ignored
  using Count = std::shared_ptr<std::atomic<std::size_t>>;

  Undecided(PubSubMessage message, PubSub::Decide decide, Count count)
      : message_{std::move(message)}, decide_{std::move(decide)}, count_{std::move(count)} {}
  Undecided(const Undecided&) = delete;
  Undecided& operator=(const Undecided&) = delete;
  ~Undecided() {
    --*count_;
    decide_(PubSubVerdict::ignore);  // the first verdict counts
  }

  [[nodiscard]] const PubSubMessage& message() const noexcept { return message_; }
  void decide(PubSubVerdict verdict) { decide_(verdict); }

 private:
  PubSubMessage message_;
  PubSub::Decide decide_;
  Count count_;
};

/// Bounded: when Python is slower than what comes, the oldest messages go, and are counted.
class Subscription : public std::enable_shared_from_this<Subscription> {
 public:
  static constexpr std::size_t kMostBytes = 64UL << 20;  // that wait, but for one message

  Subscription(std::shared_ptr<Channel> channel, std::size_t most)
      : channel_{std::move(channel)}, most_{most}, id_{channel_->next_id()} {}

  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
  Result<void> open(PubSub& pubsub, const std::string& topic, bool judged);
  /// Python: the next message, or none yet; then `changed` comes for this id.
  [[nodiscard]] std::optional<PubSubMessage> next();
  [[nodiscard]] std::uint64_t dropped() const;
  void close(Host& host);

 private:
  void take(const PubSubMessage& message);
  void judge(const PubSubMessage& message, const PubSub::Decide& decide);

  const std::shared_ptr<Channel> channel_;
  const std::size_t most_;
  const std::uint64_t id_;
  const Undecided::Count undecided_ = std::make_shared<std::atomic<std::size_t>>(0);
  std::optional<PubSub::Subscription> subscribed_;
  PubSub* pubsub_ = nullptr;  // there as long as the node

  mutable std::mutex mutex_;
  std::deque<PubSubMessage> ready_;
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ = 0;
  bool waited_for_ = false;
  bool closed_ = false;
};

class NativeNode;

void bind_pubsub(nb::module_& module);
void bind_pubsub(nb::class_<NativeNode>& type);

}  // namespace axl::python
