// What waits for axl_poll: events, log lines, and buffers to be released.
//
// The node's loop puts things in; whoever polls takes them out, and calls hooks and release functions on its thread.
// Where an event comes from a source that can be slowed down, the source counts what of it waits here (Source::take
// says when it no longer does); what nobody can slow down, notices and log lines, is bounded here: the oldest go.
#pragma once

#include <axl.h>

#include <axl/key.hpp>
#include <axl/log.hpp>
#include <axl/message.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "message.hpp"
#include "question.hpp"
#include "signal.hpp"

namespace axl::c {

struct Item;

/// Where an event comes from.
class Source {
 public:
  virtual ~Source() = default;
  /// The poller has taken `item`, and is about to hand it out. False: nobody wants it any more.
  [[nodiscard]] virtual bool take(Item& item) = 0;
};

/// One event, with all that belongs to it.
struct Item {
  axl_event_kind kind{};
  axl_status status = AXL_OK;
  void* user = nullptr;
  std::string text = {};
  std::string uri = {};
  std::string id = {};
  std::shared_ptr<Source> source = {};
  std::shared_ptr<axl_session> session = {};
  std::shared_ptr<axl_request> request = {};
  axl_subscription* subscription = nullptr;  // source keeps it
  std::unique_ptr<axl_message> message = {};
  axl_key key{};
  axl_delivery delivery{};
  std::uint16_t port = 0;
  std::uint64_t round_trip_ns = 0;
  std::uint64_t missed = 0;
  axl_topic* topic = nullptr;  // source keeps it
  std::unique_ptr<axl_question> question = {};
  std::unique_ptr<axl_outcome> outcome = {};
  std::unique_ptr<axl_merge> merge = {};
  std::size_t peers = 0;
};

struct Release {
  axl_release_fn call = nullptr;
  void* user = nullptr;
  const void* data = nullptr;
  std::size_t size = 0;
};

class EventQueue {
 public:
  static constexpr std::size_t kMaxNotices = 1'024;
  static constexpr std::size_t kMaxLines = 1'024;
  using Deadline = std::chrono::steady_clock::time_point;

  explicit EventQueue(Signal signal);
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;
  ~EventQueue();

  // Any thread.
  void push(Item item);
  void push_notice(Item item);
  void log(LogLevel level, std::string_view area, std::string_view text);
  void release(const Release& release);
  void set_log(axl_log_fn hook, void* user, int level);
  void wake();
  /// What of this source waits is taken back: nobody wants it any more.
  [[nodiscard]] std::vector<Item> withdraw(const Source& source);
  /// No event comes any more.
  void close();
  /// The node is gone, and nobody polls: what waits is dropped; buffers are released by whoever drops them last.
  void orphan();

  // The poller.
  [[nodiscard]] std::optional<Item> pop();
  [[nodiscard]] bool empty() const;
  [[nodiscard]] bool closed() const;
  [[nodiscard]] bool take_wake();  ///< wake() has been called since the last time
  /// Until there is something to do.
  void wait(Deadline deadline);
  /// Calls the log hook and the release functions that are due.
  void call_back();
  [[nodiscard]] int descriptor() const noexcept { return signal_.descriptor(); }

 private:
  struct Line {
    LogLevel level{};
    std::string area;
    std::string text;
  };
  struct Notice {
    std::uint64_t before = 0;  // comes before the item of this number
    Item item;
  };
  struct Hook {
    axl_log_fn call = nullptr;
    void* user = nullptr;
    int level = AXL_LOG_INFO;
  };

  [[nodiscard]] bool idle() const;
  void tell();
  [[nodiscard]] std::optional<Item> pop_any();
  void call_log(const Line& line, std::uint64_t lost);

  mutable std::mutex mutex_;
  std::condition_variable something_;
  Signal signal_;
  std::deque<Item> items_;
  std::uint64_t popped_ = 0;  // the number of items_.front()
  std::deque<Notice> notices_;
  std::uint64_t missed_ = 0;
  std::deque<Line> lines_;
  std::uint64_t lost_lines_ = 0;
  std::vector<Release> releases_;
  Hook hook_;
  bool woken_ = false;
  bool closed_ = false;
  bool orphaned_ = false;
  std::recursive_mutex calling_;  // held while the log hook runs
};

/// Bytes of the caller's, lent until nobody needs them: then the release function waits in the queue.
class Lent {
 public:
  Lent(std::shared_ptr<EventQueue> queue, const Release& release) : queue_{std::move(queue)}, release_{release} {}
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;
  ~Lent() {
    if (release_.call != nullptr) queue_->release(release_);
  }
  /// The call that was to lend them has failed: they have never been lent.
  void forget() noexcept { release_.call = nullptr; }

  [[nodiscard]] static MessageBody body(const std::shared_ptr<Lent>& lent) {
    return {lent, {static_cast<const std::byte*>(lent->release_.data), lent->release_.size}};
  }

 private:
  std::shared_ptr<EventQueue> queue_;
  Release release_;
};

}  // namespace axl::c
