// The node behind its handle: who turns the loop, who polls, and how a call gets onto the loop.
//
// Calls that must run on the loop are posted there and waited for; in a node without thread, whoever waits turns the
// loop itself unless another thread is doing so. The C++ node is never called from outside in a way that would wait for
// its loop: so a stop from another thread finds nobody waiting in it.
#pragma once

#include <axl.h>

#include <atomic>
#include <axl/node.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>

#include "event_queue.hpp"
#include "operations.hpp"
#include "patterns.hpp"

struct axl_node {
 public:
  struct Parts {
    std::shared_ptr<axl::c::EventQueue> queue;
    std::shared_ptr<axl::c::Operations> operations;
    std::shared_ptr<axl::Node> node;
    bool threaded = true;
  };
  explicit axl_node(Parts parts) : parts_{std::move(parts)} {}
  axl_node(const axl_node&) = delete;
  axl_node& operator=(const axl_node&) = delete;
  ~axl_node();

  [[nodiscard]] axl::Result<void> start();
  void stop();
  [[nodiscard]] axl_status poll(int timeout_ms, const axl_event** event);
  void wake();

  /// Runs `task` on the loop and waits for it. The status is that of `task`, or closed.
  [[nodiscard]] axl_status on_loop(const std::function<axl_status(axl::Node& node)>& task);

  [[nodiscard]] const std::shared_ptr<axl::c::EventQueue>& queue() const noexcept { return parts_.queue; }
  [[nodiscard]] axl::c::Operations& operations() const noexcept { return *parts_.operations; }
  [[nodiscard]] const std::shared_ptr<axl::c::Operations>& shared_operations() const noexcept {
    return parts_.operations;
  }
  [[nodiscard]] axl::Node& node() const noexcept { return *parts_.node; }
  [[nodiscard]] const std::shared_ptr<axl::Node>& shared_node() const noexcept { return parts_.node; }
  [[nodiscard]] const std::shared_ptr<axl::c::Patterns>& patterns() const noexcept { return patterns_; }
  [[nodiscard]] bool threaded() const noexcept { return parts_.threaded; }

  std::atomic<void*> user = nullptr;

 private:
  using Deadline = axl::c::EventQueue::Deadline;

  [[nodiscard]] axl_status poll_until(Deadline deadline, const axl_event** event);
  void wait(Deadline deadline);
  void turn(axl::Duration wait);
  void hand_out(axl::c::Item item);

  Parts parts_;
  const std::shared_ptr<axl::c::Patterns> patterns_ = std::make_shared<axl::c::Patterns>(parts_.queue);
  std::mutex lifecycle_;  // of start and stop, and of what runs before start
  std::atomic<bool> started_ = false;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> stopped_ = false;
  std::mutex turn_;  // held by whoever turns a node without thread
  Deadline turned_{};
  std::atomic<bool> polling_ = false;
  axl::c::Item current_;  // what event_ points into
  axl_event event_{};
};
