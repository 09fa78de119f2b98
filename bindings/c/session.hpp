// A session behind its handle: from axl_connect or a listener, through its events, until it is freed.
//
// What comes is counted until axl_poll takes it. Over the mark the session is paused on the loop; under half of it the
// poller resumes it, unless the caller has paused it too.
#pragma once

#include <axl.h>

#include <atomic>
#include <axl/session.hpp>
#include <memory>
#include <mutex>

#include "event_queue.hpp"

namespace axl::c {

/// Who took sessions, and how many of them nobody has polled yet.
class Listening final : public Source {
 public:
  explicit Listening(std::size_t backlog) : backlog_{backlog} {}
  [[nodiscard]] bool admit() noexcept;
  [[nodiscard]] bool take(Item& item) override;

 private:
  const std::size_t backlog_;
  std::atomic<std::size_t> waiting_ = 0;
};

}  // namespace axl::c

struct axl_session final : public axl::c::Source, public std::enable_shared_from_this<axl_session> {
 public:
  static constexpr std::size_t kHighMark = 1024UL * 1024;
  static constexpr std::size_t kLowMark = kHighMark / 2;
  static constexpr std::size_t kItemCost = 256;  // of an event, besides its bytes

  struct Options {
    void* user = nullptr;
    bool messages = false;
    std::size_t max_message_size = 16'777'216;
  };
  axl_session(std::shared_ptr<axl::c::EventQueue> queue, const Options& options, const axl_key& peer,
              std::uint16_t remote_port);
  ~axl_session() override;

  /// The handle is the caller's from now on, until release().
  void hold() { self_ = shared_from_this(); }
  void release();

  /// On the loop: `session` is up; `event` is the first that says so.
  void open(axl::Session session, axl::c::Item event);

  [[nodiscard]] bool take(axl::c::Item& item) override;

  /// Null until it is open.
  [[nodiscard]] axl::Session* opened() noexcept { return open_ ? &session_ : nullptr; }
  void set_paused(bool paused);
  /// What to do as soon as it is open.
  enum class Later : std::uint8_t { nothing, finish, close, abort };
  void end(Later how);

  [[nodiscard]] const axl_key& peer() const noexcept { return peer_; }
  [[nodiscard]] std::uint16_t remote_port() const noexcept { return remote_port_; }
  [[nodiscard]] std::uint16_t local_port() const { return open_ ? session_.local_port() : std::uint16_t{0}; }
  [[nodiscard]] std::shared_ptr<axl::c::Lent> lend(const axl::c::Release& release) const {
    return std::make_shared<axl::c::Lent>(queue_, release);
  }
  std::atomic<void*> user;

 private:
  void listen();
  void arrived(axl_event_kind kind, axl::MessageBody body);
  void tell(axl_event_kind kind);
  [[nodiscard]] axl::c::Item event(axl_event_kind kind);
  void carry_out(Later how);

  const std::shared_ptr<axl::c::EventQueue> queue_;
  const Options options_;
  const axl_key peer_;
  const std::uint16_t remote_port_;
  std::shared_ptr<axl_session> self_;

  // Taken by callers, the poller, and the loop while it opens the session; never inside a handler, for whoever frees a
  // session waits under it until its handlers are done.
  std::mutex life_;
  bool freed_ = false;
  bool user_paused_ = false;
  Later later_ = Later::nothing;
  std::atomic<bool> open_ = false;

  std::mutex counts_;
  std::size_t waiting_ = 0;  // bytes for axl_poll
  bool queue_paused_ = false;
  bool writable_waits_ = false;  // such an event waits already
  bool drained_waits_ = false;

  axl::Session session_;  // the first to go: no handler runs after it
};
