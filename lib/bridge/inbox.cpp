#include "bridge/inbox.hpp"

#include <utility>

#include "core/expect.hpp"

namespace axl::bridge {

Inbox::Inbox(const router::Dispatcher::Config& config, Scheduler& scheduler)
    : scheduler_{scheduler}, dispatcher_{config, scheduler.rng()}, timer_{scheduler.make_timer([this] {
        queue().expire_leases(scheduler_.now());
        arm();
        dispatcher_.check_events();
      })} {
  dispatcher_.on_event([this] {
    scheduler_.executor().post([this, alive = std::weak_ptr<bool>{alive_}] {
      if (alive.lock()) run_events();
    });
  });
}

void Inbox::run_events() {
  const std::weak_ptr<bool> alive{alive_};
  while (const auto event = dispatcher_.poll_event()) {
    std::function<void()> ready;
    if (const auto* reader = std::get_if<router::ReceiveQueue::ReaderReady>(&*event)) {
      if (auto node = readers_.extract(reader->reader)) ready = std::move(node.mapped());
    } else if (const auto* writer = std::get_if<router::ReceiveQueue::WriterReady>(&*event)) {
      if (auto node = writers_.extract(writer->writer)) ready = std::move(node.mapped());
    }
    if (ready) ready();
    if (alive.expired()) return;
  }
}

router::ReaderId Inbox::wait_for_message(const Router::Selection& wanted, std::function<void()> ready) {
  const auto id = queue().wait_for_message(wanted);
  readers_.emplace(id, std::move(ready));
  dispatcher_.check_events();
  return id;
}

void Inbox::stop_waiting(router::ReaderId reader) {
  queue().stop_waiting(reader);
  readers_.erase(reader);
}

router::WriterId Inbox::wait_for_room(const PublicKey& sender, std::size_t body_size, std::function<void()> ready) {
  const auto id = queue().wait_for_room(sender, body_size);
  writers_.emplace(id, std::move(ready));
  dispatcher_.check_events();
  return id;
}

void Inbox::stop_waiting(router::WriterId writer) {
  queue().stop_waiting(writer);
  writers_.erase(writer);
}

void Inbox::commit(router::EntryId entry) {
  queue().commit(entry);
  dispatcher_.check_events();
}

void Inbox::put_back(router::EntryId entry) {
  queue().put_back(entry);
  dispatcher_.check_events();
}

void Inbox::lease(router::EntryId entry, Duration duration) {
  queue().lease(entry, scheduler_.now() + duration);
  arm();
}

router::ReceiveQueue::Confirmed Inbox::confirm(std::string_view message_id, const std::optional<PublicKey>& sender) {
  const auto confirmed = queue().confirm(message_id, sender);
  arm();
  dispatcher_.check_events();
  return confirmed;
}

std::optional<Router::Leased> Inbox::lease(const Router::Selection& wanted, Duration time) {
  const auto taken = queue().take(wanted);
  if (!taken) return {};
  Router::Leased out{.id = {.message = static_cast<std::uint64_t>(taken->id)}, .message = *taken->message};
  out.id.reading = queue().lease(taken->id, scheduler_.now() + time);
  arm();
  return out;
}

Router::WaitId Inbox::lease_next(const Router::Selection& wanted, Router::LeaseHandler handler, Duration time) {
  const auto reader = wait_for_message(wanted, [this, wanted, handler = std::move(handler), time] {
    auto leased = lease(wanted, time);
    AXL_EXPECT_OR(leased, return);
    handler(*std::move(leased));
  });
  return Router::WaitId{static_cast<std::uint64_t>(reader)};
}

void Inbox::stop_waiting(Router::WaitId id) { stop_waiting(router::ReaderId{static_cast<std::uint64_t>(id)}); }

bool Inbox::confirm(Router::LeaseId id) {
  const bool confirmed = queue().confirm(router::EntryId{id.message}, id.reading);
  arm();
  dispatcher_.check_events();
  return confirmed;
}

bool Inbox::give_back(Router::LeaseId id) {
  const bool given = queue().give_back(router::EntryId{id.message}, id.reading);
  arm();
  dispatcher_.check_events();
  return given;
}

void Inbox::arm() {
  if (const auto next = queue().next_expiry()) {
    timer_->arm(*next);
  } else {
    timer_->cancel();
  }
}

}  // namespace axl::bridge
