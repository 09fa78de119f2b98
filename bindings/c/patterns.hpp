// What a node has beside itself: its pub/sub and its part in aggregations, each made when it is first asked for.
//
// Both are made on the loop, and go once the node has stopped. So on the loop they stay for as long as they are used;
// other threads use them under the lock, for what waits for nothing.
#pragma once

#include <axl/convergecast.hpp>
#include <axl/pubsub.hpp>
#include <memory>
#include <mutex>
#include <string>

#include "answering.hpp"

namespace axl::c {

class Patterns {
 public:
  explicit Patterns(std::shared_ptr<EventQueue> queue) : answering_{std::make_shared<Answering>(std::move(queue))} {}

  /// Any thread.
  [[nodiscard]] bool has_pubsub() const;
  [[nodiscard]] bool takes_part() const;
  Result<void> publish(const std::string& topic, MessageBody body, PubSub::PublishHandler handler);
  void ask(Question question, Convergecast::OutcomeHandler handler);
  [[nodiscard]] Answering& answering() noexcept { return *answering_; }

  // On the loop.
  [[nodiscard]] Result<PubSub*> pubsub(Node& node);
  Result<void> open_pubsub(Node& node, const PubSubOptions& options);
  [[nodiscard]] PubSub* running_pubsub() const;
  [[nodiscard]] Result<Convergecast*> take_part(Node& node, Convergecast::Options options = {});

  /// The node has stopped.
  void close();

 private:
  const std::shared_ptr<Answering> answering_;
  mutable std::mutex mutex_;
  std::unique_ptr<PubSub> pubsub_;
  std::unique_ptr<Convergecast> convergecast_;
  bool closed_ = false;
};

}  // namespace axl::c
