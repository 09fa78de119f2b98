// Brings what others publish in a topic to axl_poll, and verdicts back.
//
// Bounded: when nobody polls, the oldest messages go, and the next one that is handed out says how many. What waits for
// a verdict is delivered once it has one; of more than may wait the others are ignored, as late ones are.
#pragma once

#include <axl/node.hpp>
#include <axl/pubsub.hpp>
#include <memory>
#include <mutex>
#include <string>

#include "event_queue.hpp"
#include "message.hpp"
#include "waiting.hpp"

namespace axl::c {

class Patterns;

class Topic final : public Source, public std::enable_shared_from_this<Topic> {
 public:
  static constexpr std::size_t kMaxWaiting = 1'024;
  static constexpr std::size_t kMaxWaitingBytes = 64UL * 1024 * 1024;
  static constexpr std::size_t kMaxVerdicts = 1'024;                   // that wait to be polled
  static constexpr std::size_t kMaxVerdictBytes = 64UL * 1024 * 1024;  // of those

  struct Options {
    void* user = nullptr;
    bool judge = false;
    std::size_t max_waiting = kMaxWaiting;
  };
  Topic(std::shared_ptr<EventQueue> queue, const Options& options)
      : queue_{std::move(queue)}, options_{options}, waiting_{options.max_waiting, kMaxWaitingBytes} {}

  void set_handle(axl_topic* handle) noexcept { handle_ = handle; }
  /// On the loop.
  [[nodiscard]] Result<void> join(PubSub& pubsub, const std::string& name);
  void leave(PubSub& pubsub) { pubsub.unsubscribe(joined_); }
  /// Nothing is handed out any more.
  void end();

  [[nodiscard]] bool take(Item& item) override;

 private:
  void arrived(const PubSubMessage& message);
  void asked(const PubSubMessage& message, const PubSub::Decide& decide);
  /// For its verdict; false: too much waits already.
  [[nodiscard]] bool add_undecided(const PubSubMessage& message, const PubSub::Decide& decide);
  [[nodiscard]] Item event(axl_event_kind kind);

  const std::shared_ptr<EventQueue> queue_;
  const Options options_;
  axl_topic* handle_ = nullptr;
  PubSub::Subscription joined_{};

  std::mutex mutex_;
  Waiting<PubSubMessage> waiting_;
  std::size_t verdicts_ = 0;
  std::size_t verdict_bytes_ = 0;
  bool ended_ = false;
};

}  // namespace axl::c

struct axl_topic {
  std::shared_ptr<axl::c::Topic> state;
  std::weak_ptr<axl::Node> node;
  std::shared_ptr<axl::c::Patterns> patterns;
};
