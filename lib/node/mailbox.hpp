// Things that come one after the other, kept until they are taken. One waits at a time, and keeps that place until it has
// taken something or given up: nobody else gets what it was woken for.
//
// From any thread. The lock is not held while whoever waits is called, nor while what nobody wants is destroyed.
#pragma once

#include <axl/pull.hpp>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

namespace axl::node {

template <class T>
class Mailbox {
 public:
  /// False: it has ended, or there are `limit` already.
  bool put(T item, std::size_t limit) {
    pull::Ready ready;
    {
      const std::lock_guard lock{mutex_};
      if (end_ || items_.size() >= limit) return false;
      items_.push_back(std::move(item));
      ready = std::exchange(ready_, nullptr);
    }
    if (ready) ready();
    return true;
  }

  /// Nothing follows; what is there can still be taken. The first reason counts.
  void end(Error why) { finish(std::move(why), false); }
  /// Drops what is there, and gives this reason from now on.
  void close(Error why) { finish(std::move(why), true); }

  // Of whoever waits, and is known by its address. An error: somebody else does, and `ready` is left alone.
  Result<void> wait(const void* who, pull::Ready& ready) {
    const std::lock_guard lock{mutex_};
    if (holder_ != nullptr) return Error{Errc::already_exists, "somebody else is waiting for the same"};
    holder_ = who;
    if (items_.empty() && !end_) ready_ = std::exchange(ready, nullptr);
    return {};
  }
  /// What `pick` makes of the items, of which there is one at least.
  template <class Pick>
  auto take(const void* who, Pick pick) -> Result<decltype(pick(std::declval<std::deque<T>&>()))> {
    pull::Ready left;
    const std::lock_guard lock{mutex_};
    if (holder_ != who) return Error{Errc::internal, "whoever does not wait takes nothing"};
    holder_ = nullptr;
    left = std::exchange(ready_, nullptr);
    if (!items_.empty()) return pick(items_);
    return end_ ? *end_ : Error{Errc::would_block, "nothing has come yet"};
  }
  void leave(const void* who) {
    pull::Ready left;
    const std::lock_guard lock{mutex_};
    if (holder_ != who) return;
    holder_ = nullptr;
    left = std::exchange(ready_, nullptr);
  }

 private:
  void finish(Error why, bool drop) {
    pull::Ready ready;
    std::deque<T> unwanted;
    {
      const std::lock_guard lock{mutex_};
      if (drop) unwanted.swap(items_);
      if (drop || !end_) end_ = std::move(why);
      ready = std::exchange(ready_, nullptr);
    }
    if (ready) ready();
  }

  std::mutex mutex_;
  std::deque<T> items_;
  std::optional<Error> end_;
  const void* holder_ = nullptr;  // who waits, or has been woken and not taken yet
  pull::Ready ready_;
};

/// One wait at a mailbox.
template <class T, class Pick>
class MailboxSource final : public pull::Source<std::decay_t<std::invoke_result_t<Pick&, std::deque<T>&>>> {
 public:
  using Out = std::decay_t<std::invoke_result_t<Pick&, std::deque<T>&>>;

  MailboxSource(std::shared_ptr<Mailbox<T>> box, Pick pick) : box_{std::move(box)}, pick_{std::move(pick)} {}

  void wait(pull::Ready ready) override {
    if (const auto waiting = box_->wait(this, ready); !waiting) error_ = waiting.error();
    if (ready) ready();
  }
  [[nodiscard]] Result<Out> take() override {
    if (error_) return *error_;
    return box_->take(this, pick_);
  }
  void give_up() override {
    if (!error_) box_->leave(this);
  }

 private:
  const std::shared_ptr<Mailbox<T>> box_;
  Pick pick_;
  std::optional<Error> error_;  // set before `ready` is called
};

template <class T, class Pick>
[[nodiscard]] auto take_from(std::shared_ptr<Mailbox<T>> box, Pick pick) {
  return std::make_shared<MailboxSource<T, Pick>>(std::move(box), std::move(pick));
}

}  // namespace axl::node
