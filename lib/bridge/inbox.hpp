// Where arrived messages go: the dispatcher, and callbacks for readers and writers that wait on its queue.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "core/executor.hpp"
#include "router/dispatcher.hpp"

namespace axl::bridge {

class Inbox {
 public:
  /// `executor` must outlive the inbox.
  Inbox(const router::Dispatcher::Config& config, Rng& rng, Executor& executor);

  [[nodiscard]] router::Dispatcher& dispatcher() noexcept { return dispatcher_; }
  [[nodiscard]] router::ReceiveQueue& queue() noexcept { return dispatcher_.queue(); }

  /// `ready` is called once, on its own turn, when there is a message to take.
  router::ReaderId wait_for_message(std::function<void()> ready);
  void stop_waiting(router::ReaderId reader);
  /// `ready` is called once, on its own turn, when such a message has room.
  router::WriterId wait_for_room(const PublicKey& sender, std::size_t body_size, std::function<void()> ready);
  void stop_waiting(router::WriterId writer);

  void commit(router::EntryId entry);
  void put_back(router::EntryId entry);

 private:
  void run_events();

  router::Dispatcher dispatcher_;
  Executor& executor_;
  std::map<router::ReaderId, std::function<void()>> readers_;
  std::map<router::WriterId, std::function<void()>> writers_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace axl::bridge
