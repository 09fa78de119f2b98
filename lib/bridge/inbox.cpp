#include "bridge/inbox.hpp"

#include <utility>

namespace axl::bridge {

Inbox::Inbox(const router::Dispatcher::Config& config, Rng& rng, Executor& executor)
    : dispatcher_{config, rng}, executor_{executor} {
  dispatcher_.on_event([this] {
    executor_.post([this, alive = std::weak_ptr<bool>{alive_}] {
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

router::ReaderId Inbox::wait_for_message(std::function<void()> ready) {
  const auto id = queue().wait_for_message();
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

}  // namespace axl::bridge
