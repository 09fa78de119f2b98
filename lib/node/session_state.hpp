// What a public Session stands on: one overlay connection, its handlers, and the way onto the loop.
//
// Everything but the atomics and the handlers' lock lives on the loop. The state keeps itself alive until its stream is
// gone, so a Session may be dropped at any time, on any thread, and what it had queued is still sent.
#pragma once

#include <atomic>
#include <axl/session.hpp>
#include <memory>
#include <mutex>
#include <optional>

#include "core/executor.hpp"
#include "core/ring.hpp"
#include "router/frame_reader.hpp"
#include "tcpip/stack.hpp"

namespace axl::node {

class SessionState final : public StreamHandler, public std::enable_shared_from_this<SessionState> {
 public:
  static constexpr std::size_t kMaxPending = 64UL * 1024 * 1024;

  /// On the loop.
  static std::shared_ptr<SessionState> create(std::unique_ptr<tcpip::Connection> connection,
                                              std::shared_ptr<Executor> executor);

  SessionState(std::unique_ptr<tcpip::Connection> connection, std::shared_ptr<Executor> executor);
  /// On the loop: the node ends.
  void on_node_stopped();

  // Any thread.
  Result<void> write(Buffer data);
  Result<void> write(Buffer header, MessageBody body);
  [[nodiscard]] std::size_t pending() const noexcept { return pending_.load(std::memory_order_relaxed); }
  /// Whoever has been told so hears on_writable when it is over.
  [[nodiscard]] bool congested() noexcept;
  [[nodiscard]] const PublicKey& peer() const noexcept { return peer_; }
  [[nodiscard]] const std::shared_ptr<Executor>& executor() const noexcept { return executor_; }
  [[nodiscard]] std::uint16_t local_port() const noexcept { return local_port_; }
  [[nodiscard]] std::uint16_t remote_port() const noexcept { return remote_port_; }
  void release();  ///< the Session is gone: no handler any more, close
  void finish();
  void close();
  void abort();
  void pause();
  void resume();
  void set_data_handler(Session::DataHandler handler);
  void set_message_handler(Session::MessageHandler handler, std::size_t max_size);
  void set_writable_handler(Session::EventHandler handler);
  void set_drained_handler(Session::EventHandler handler);
  void set_end_handler(Session::EventHandler handler);
  void set_closed_handler(Session::ClosedHandler handler);

 private:
  template <class Task>
  Result<void> queue(std::size_t size, Task task);

  void on_data(Buffer data) override;
  void on_end() override;
  void on_writable() override;
  void on_drained() override;
  void on_closed(const Error* error) override;

  struct Handlers {
    Session::DataHandler data;
    Session::MessageHandler message;
    Session::EventHandler writable;
    Session::EventHandler drained;
    Session::EventHandler end;
    Session::ClosedHandler closed;
  };

  template <class Task>
  void on_loop(Task task);
  template <class Handler, class... Args>
  void call(const Handler& handler, Args&&... args);
  void drop_handlers();
  void deliver_messages();
  void listen_when_wanted();
  void report_end();
  void update_pending();
  void settle_congestion();
  void retire_connection();
  void end_with(std::optional<Error> error);
  void report_closed();

  const std::shared_ptr<Executor> executor_;
  const PublicKey peer_;
  const std::uint16_t local_port_;
  const std::uint16_t remote_port_;
  std::atomic<std::size_t> high_mark_;   // the stream's, which follows its window
  std::atomic<std::size_t> pending_{0};  // accepted and not yet acknowledged, the posted ones included
  std::atomic<bool> told_congested_{false};
  std::atomic<bool> send_ended_{false};

  std::unique_ptr<tcpip::Connection> connection_;
  std::shared_ptr<SessionState> self_;  // set while the connection is open
  std::size_t posted_ = 0;              // bytes that write() has given to the stream, for update_pending
  bool heard_ = false;                  // we are the stream's handler
  bool paused_ = false;
  std::atomic<bool> released_{false};
  bool ended_by_peer_ = false;
  bool closed_orderly_ = false;
  bool over_ = false;         // nothing follows but the handler of that
  std::optional<Error> why_;  // it is over
  std::optional<router::FrameReader> messages_;
  Ring<Buffer, 16> unread_;  // came while paused, or behind the message that paused us

  // Held while a handler runs, so that nothing is called once a Session is gone. A handler may drop its own Session.
  std::recursive_mutex handlers_lock_;
  Handlers handler_;
};

}  // namespace axl::node
