// Where arrived messages go: the dispatcher, and callbacks for readers and writers that wait on its queue.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "core/scheduler.hpp"
#include "router/dispatcher.hpp"
#include "router/leases.hpp"

namespace axl::bridge {

class Inbox final : public router::Leases {
 public:
  /// `scheduler` must outlive the inbox.
  Inbox(const router::Dispatcher::Config& config, Scheduler& scheduler);

  [[nodiscard]] router::Dispatcher& dispatcher() noexcept { return dispatcher_; }
  [[nodiscard]] router::ReceiveQueue& queue() noexcept { return dispatcher_.queue(); }

  /// `ready` is called once, on its own turn, when there is such a message to take.
  router::ReaderId wait_for_message(const Router::Selection& wanted, std::function<void()> ready);
  void stop_waiting(router::ReaderId reader);
  /// `ready` is called once, on its own turn, when such a message has room.
  router::WriterId wait_for_room(const PublicKey& sender, std::size_t body_size, std::function<void()> ready);
  void stop_waiting(router::WriterId writer);

  void commit(router::EntryId entry);
  void put_back(router::EntryId entry);
  /// The reader has it in full and confirms it within `duration`, or it goes back to its place.
  void lease(router::EntryId entry, Duration duration);
  router::ReceiveQueue::Confirmed confirm(std::string_view message_id, const std::optional<PublicKey>& sender);

  // For axl::Router.
  [[nodiscard]] std::optional<Router::Leased> lease(const Router::Selection& wanted, Duration time) override;
  Router::WaitId lease_next(const Router::Selection& wanted, Router::LeaseHandler handler, Duration time) override;
  void stop_waiting(Router::WaitId id) override;
  bool confirm(Router::LeaseId id) override;
  bool give_back(Router::LeaseId id) override;

 private:
  void run_events();
  void arm();

  Scheduler& scheduler_;
  router::Dispatcher dispatcher_;
  std::map<router::ReaderId, std::function<void()>> readers_;
  std::map<router::WriterId, std::function<void()>> writers_;
  std::unique_ptr<Timer> timer_;  // of the next lease to end
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace axl::bridge
