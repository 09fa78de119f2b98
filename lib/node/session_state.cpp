#include "node/session_state.hpp"

#include <utility>

namespace axl::node {

std::shared_ptr<SessionState> SessionState::create(std::unique_ptr<tcpip::Connection> connection,
                                                   std::shared_ptr<Executor> executor) {
  auto state = std::make_shared<SessionState>(std::move(connection), std::move(executor));
  state->self_ = state;
  return state;
}

SessionState::SessionState(std::unique_ptr<tcpip::Connection> connection, std::shared_ptr<Executor> executor)
    : executor_{std::move(executor)},
      peer_{connection->peer()},
      local_port_{connection->local_port()},
      remote_port_{connection->remote_port()},
      high_mark_{connection->high_mark()},
      connection_{std::move(connection)} {}

template <class Task>
void SessionState::on_loop(Task task) {
  executor_->dispatch([self = shared_from_this(), task = std::move(task)]() mutable { task(*self); });
}

Result<void> SessionState::write(Buffer data) {
  const auto size = data.size();
  // std::function wants copyable tasks; buffers are not.
  return queue(size, [shared = std::make_shared<Buffer>(std::move(data))](tcpip::Connection& connection) {
    connection.write(std::move(*shared));
  });
}

Result<void> SessionState::write(Buffer header, MessageBody body) {
  const auto size = header.size() + body.size();
  auto shared = std::make_shared<Buffer>(std::move(header));
  return queue(size, [shared = std::move(shared), body = std::move(body)](tcpip::Connection& connection) {
    connection.write(std::move(*shared));
    connection.write(Buffer::view_of(body.owner(), body));
  });
}

template <class Task>
Result<void> SessionState::queue(std::size_t size, Task task) {
  if (send_ended_.load(std::memory_order_acquire)) return Error{Errc::closed, "the session is closed for sending"};
  if (pending_ > kMaxPending) {
    return Error{Errc::would_block, "too much is waiting to be sent"};
  }
  pending_ += size;
  on_loop([size, task = std::move(task)](SessionState& self) {
    if (!self.connection_) return;
    // Of a connection that is over, and has not said so yet: whoever writes until it is congested would write for ever.
    if (!self.connection_->takes_writes()) self.send_ended_.store(true, std::memory_order_release);
    self.posted_ += size;
    task(*self.connection_);
    self.update_pending();
    self.settle_congestion();
  });
  return {};
}

bool SessionState::congested() noexcept {
  if (pending_ <= high_mark_) return false;
  told_congested_ = true;
  return pending_ > high_mark_;  // again: the loop may not have seen that somebody was told
}

// A writer that was ahead of the loop may have been told of a congestion that the stream, which had sent on meanwhile,
// never saw: then the stream has nothing to say when it is over. Not inside the writer's own call.
void SessionState::settle_congestion() {
  if (pending_ > high_mark_ || !told_congested_.exchange(false)) return;
  executor_->post([self = shared_from_this()] { self->call(self->handler_.writable); });
}

// What the stream has let go of is no longer pending; what is still on its way to the loop stays counted.
void SessionState::update_pending() {
  const auto held = connection_ ? connection_->unsent() : 0;
  const auto gone = posted_ > held ? posted_ - held : 0;
  posted_ -= gone;
  pending_ -= gone;
  if (connection_) high_mark_ = connection_->high_mark();
}

void SessionState::release() {
  released_.store(true);
  drop_handlers();
  close();
}

// A handler often owns the Session that owns this state: it comes back here while it is destroyed, and finds nothing.
void SessionState::drop_handlers() {
  Handlers gone;
  const std::lock_guard lock{handlers_lock_};
  gone = std::exchange(handler_, {});
}

// Runs on a copy: a handler may replace or drop itself.
template <class Handler, class... Args>
void SessionState::call(const Handler& handler, Args&&... args) {
  const std::lock_guard lock{handlers_lock_};
  const Handler copy = handler;
  if (copy) copy(std::forward<Args>(args)...);
}

void SessionState::finish() {
  send_ended_.store(true, std::memory_order_release);
  on_loop([](SessionState& self) {
    if (self.connection_) self.connection_->shutdown_send();
  });
}

void SessionState::close() {
  send_ended_.store(true, std::memory_order_release);
  on_loop([](SessionState& self) {
    if (!self.connection_) return;
    self.listen_when_wanted();
    self.connection_->close();
  });
}

void SessionState::abort() {
  send_ended_.store(true, std::memory_order_release);
  on_loop([](SessionState& self) {
    if (!self.connection_) return;
    self.connection_->abort();
    self.end_with(Error{Errc::closed, "the session was aborted"});
  });
}

void SessionState::pause() {
  on_loop([](SessionState& self) {
    self.paused_ = true;
    if (self.connection_) self.connection_->pause_reading();
  });
}

void SessionState::resume() {
  on_loop([](SessionState& self) {
    self.paused_ = false;
    self.deliver_messages();
    if (self.connection_ && !self.paused_) self.connection_->resume_reading();
    self.report_end();
  });
}

void SessionState::set_data_handler(Session::DataHandler handler) {
  on_loop([handler = std::move(handler)](SessionState& self) mutable {
    const std::lock_guard lock{self.handlers_lock_};
    if (self.released_) return;
    self.handler_.data = std::move(handler);
    self.listen_when_wanted();
  });
}

void SessionState::set_message_handler(Session::MessageHandler handler, std::size_t max_size) {
  on_loop([handler = std::move(handler), max_size](SessionState& self) mutable {
    const std::lock_guard lock{self.handlers_lock_};
    if (self.released_) return;
    self.handler_.message = std::move(handler);
    if (!self.messages_) self.messages_.emplace(max_size);
    self.listen_when_wanted();
  });
}

void SessionState::set_writable_handler(Session::EventHandler handler) {
  on_loop([handler = std::move(handler)](SessionState& self) mutable {
    const std::lock_guard lock{self.handlers_lock_};
    if (self.released_) return;
    self.handler_.writable = std::move(handler);
    self.listen_when_wanted();
  });
}

void SessionState::set_drained_handler(Session::EventHandler handler) {
  on_loop([handler = std::move(handler)](SessionState& self) mutable {
    const std::lock_guard lock{self.handlers_lock_};
    if (self.released_) return;
    self.handler_.drained = std::move(handler);
    self.listen_when_wanted();
  });
}

void SessionState::set_end_handler(Session::EventHandler handler) {
  on_loop([handler = std::move(handler)](SessionState& self) mutable {
    const std::lock_guard lock{self.handlers_lock_};
    if (self.released_) return;
    self.handler_.end = std::move(handler);
    self.listen_when_wanted();
  });
}

void SessionState::set_closed_handler(Session::ClosedHandler handler) {
  on_loop([handler = std::move(handler)](SessionState& self) mutable {
    const std::lock_guard lock{self.handlers_lock_};
    if (self.released_) return;
    self.handler_.closed = std::move(handler);
    self.listen_when_wanted();
    if (self.over_) self.executor_->post([state = self.shared_from_this()] { state->report_closed(); });
  });
}

// Until somebody cares, the stream keeps what comes. Without a reader for the bytes they stay there even then: the
// peer is slowed down, nothing is lost.
void SessionState::listen_when_wanted() {
  if (!connection_) return;
  const bool has_reader = [this] {
    const std::lock_guard lock{handlers_lock_};
    return handler_.data || handler_.message;
  }();
  if (!has_reader && !released_) {
    connection_->pause_reading();
  } else if (!paused_) {
    connection_->resume_reading();
  }
  if (!heard_) {
    heard_ = true;
    connection_->set_handler(this);
  }
}

void SessionState::on_data(Buffer data) {
  if (released_) return;
  if (messages_) {
    unread_.push_back(std::move(data));
    deliver_messages();
  } else {
    call(handler_.data, to_bytes(data.span()));
  }
}

void SessionState::deliver_messages() {
  const auto keep = shared_from_this();
  while (messages_ && !paused_ && !released_ && !unread_.empty()) {
    const bool begun = messages_->inside_body();
    auto body = messages_->read(unread_.front());
    if (!body) {
      unread_.clear();
      send_ended_.store(true, std::memory_order_release);
      if (connection_) connection_->abort();
      return end_with(body.error());
    }
    if (!begun && messages_->inside_body() && connection_) connection_->expect(messages_->body_size());
    if (*body) {
      call(handler_.message, **std::move(body));
    } else if (!unread_.empty() && unread_.front().empty()) {
      unread_.pop_front();
    }
  }
}

void SessionState::on_end() {
  ended_by_peer_ = true;
  report_end();
}

// The end comes after the last message, also when a pause holds that back.
void SessionState::report_end() {
  if (!unread_.empty() && !released_) return;
  if (ended_by_peer_) {
    ended_by_peer_ = false;
    call(handler_.end);
  }
  if (closed_orderly_) end_with(std::nullopt);
}

void SessionState::on_writable() {
  update_pending();
  told_congested_ = false;
  call(handler_.writable);
}

void SessionState::on_drained() {
  update_pending();
  call(handler_.drained);
}

void SessionState::on_closed(const Error* error) {
  if (error != nullptr) return end_with(*error);
  closed_orderly_ = true;
  retire_connection();
  report_end();
}

void SessionState::on_node_stopped() {
  unread_.clear();
  if (connection_) connection_->abort();
  end_with(Error{Errc::closed, "the node has been stopped"});
}

// Once down the call stack: a stream is not destroyed inside its own call to us.
void SessionState::retire_connection() {
  if (!connection_) return;
  send_ended_.store(true, std::memory_order_release);
  connection_->set_handler(nullptr);  // this state may be gone before the connection is
  executor_->post([connection = std::shared_ptr<tcpip::Connection>{std::move(connection_)}] {});
}

void SessionState::end_with(std::optional<Error> error) {
  const auto keep = std::exchange(self_, nullptr);
  if (!keep) return;
  send_ended_.store(true, std::memory_order_release);
  retire_connection();
  over_ = true;
  why_ = std::move(error);
  report_closed();
}

void SessionState::report_closed() {
  call(handler_.closed, why_ ? &*why_ : nullptr);
  drop_handlers();
}

}  // namespace axl::node
