// A request for a service in the caller's hands, and its answer.
#pragma once

#include <axl.h>

#include <atomic>
#include <axl/service.hpp>
#include <memory>
#include <mutex>

#include "event_queue.hpp"

namespace axl::c {

/// One service: how many of its requests nobody has polled yet, and how large they are.
class Serving final : public Source, public std::enable_shared_from_this<Serving> {
 public:
  static constexpr std::size_t kMaxWaitingBytes = 64UL * 1024 * 1024;  // of bodies

  Serving(std::shared_ptr<EventQueue> queue, void* user, std::size_t limit)
      : queue_{std::move(queue)}, user_{user}, limit_{limit} {}

  /// On the loop.
  void serve(ServiceRequest request, ServiceReply reply);
  [[nodiscard]] bool take(Item& item) override;

 private:
  const std::shared_ptr<EventQueue> queue_;
  void* const user_;
  const std::size_t limit_;
  [[nodiscard]] bool admit(std::size_t bytes);

  std::mutex mutex_;
  std::size_t waiting_ = 0;
  std::size_t waiting_bytes_ = 0;
};

}  // namespace axl::c

struct axl_request final : public axl::c::Source, public std::enable_shared_from_this<axl_request> {
 public:
  axl_request(std::shared_ptr<axl::c::EventQueue> queue, axl::ServiceRequest request, axl::ServiceReply reply,
              void* given_user)
      : user{given_user}, asked{std::move(request)}, queue_{std::move(queue)}, reply_{std::move(reply)} {}
  ~axl_request() override;

  void hold() { self_ = shared_from_this(); }
  void release();
  /// On the loop, once the event that brings it waits.
  void watch();
  [[nodiscard]] bool take(axl::c::Item& item) override;

  /// Runs `task` on the reply, unless it is answered or nobody listens.
  template <class Task>
  axl_status answer(bool ends, Task task);
  [[nodiscard]] bool connected();
  [[nodiscard]] std::size_t pending();

  std::atomic<void*> user;
  const axl::ServiceRequest asked;

 private:
  void tell(axl_event_kind kind);

  const std::shared_ptr<axl::c::EventQueue> queue_;
  std::shared_ptr<axl_request> self_;
  std::mutex mutex_;  // of what follows; not held while the reply calls back
  axl::ServiceReply reply_;
  bool begun_ = false;
  bool ended_ = false;
  bool freed_ = false;
  bool writable_waits_ = false;
};
