#include "session/session_state.hpp"

#include <utility>

namespace axl::session {

std::shared_ptr<SessionState> SessionState::create(std::unique_ptr<tcpip::Connection> connection, Executor& executor) {
  auto state = std::make_shared<SessionState>(std::move(connection), executor);
  state->self_ = state;
  return state;
}

SessionState::SessionState(std::unique_ptr<tcpip::Connection> connection, Executor& executor)
    : executor_{executor},
      peer_{connection->peer()},
      local_port_{connection->local_port()},
      remote_port_{connection->remote_port()},
      high_mark_{connection->high_mark()},
      connection_{std::move(connection)} {}

template <class Task>
void SessionState::on_loop(Task task) {
  executor_.dispatch([self = shared_from_this(), task = std::move(task)]() mutable { task(*self); });
}

Result<void> SessionState::write(Buffer data, std::size_t counted) {
  if (send_ended_.load(std::memory_order_acquire)) return Error{Errc::closed, "the session is closed for sending"};
  if (pending_.load(std::memory_order_relaxed) > kMaxPending) {
    return Error{Errc::would_block, "too much is waiting to be sent"};
  }
  pending_.fetch_add(counted, std::memory_order_relaxed);
  // std::function wants copyable tasks; the buffer is not.
  auto shared = std::make_shared<Buffer>(std::move(data));
  on_loop([shared, counted](SessionState& self) {
    if (!self.connection_) return;
    self.posted_ += counted;
    self.connection_->write(std::move(*shared));
    self.update_pending();
  });
  return {};
}

// What the stream has let go of is no longer pending; what is still on its way to the loop stays counted.
void SessionState::update_pending() {
  const auto held = connection_ ? connection_->unsent() : 0;
  const auto gone = posted_ > held ? posted_ - held : 0;
  posted_ -= gone;
  pending_.fetch_sub(gone, std::memory_order_relaxed);
}

void SessionState::release() {
  on_loop([](SessionState& self) {
    self.released_ = true;
    self.data_handler_ = nullptr;
    self.message_handler_ = nullptr;
    self.writable_handler_ = nullptr;
    self.drained_handler_ = nullptr;
    self.end_handler_ = nullptr;
    self.closed_handler_ = nullptr;
  });
  close();
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
    if (self.messages_) self.deliver_messages({});
    if (self.connection_ && !self.paused_) self.connection_->resume_reading();
    self.report_end();
  });
}

void SessionState::set_data_handler(Session::DataHandler handler) {
  on_loop([handler = std::move(handler)](SessionState& self) mutable {
    self.data_handler_ = std::move(handler);
    self.listen_when_wanted();
  });
}

void SessionState::set_message_handler(Session::MessageHandler handler, std::size_t max_size) {
  on_loop([handler = std::move(handler), max_size](SessionState& self) mutable {
    self.message_handler_ = std::move(handler);
    if (!self.messages_) self.messages_.emplace(max_size);
    self.listen_when_wanted();
  });
}

void SessionState::set_writable_handler(Session::EventHandler handler) {
  on_loop([handler = std::move(handler)](SessionState& self) mutable {
    self.writable_handler_ = std::move(handler);
    self.listen_when_wanted();
  });
}

void SessionState::set_drained_handler(Session::EventHandler handler) {
  on_loop([handler = std::move(handler)](SessionState& self) mutable {
    self.drained_handler_ = std::move(handler);
    self.listen_when_wanted();
  });
}

void SessionState::set_end_handler(Session::EventHandler handler) {
  on_loop([handler = std::move(handler)](SessionState& self) mutable {
    self.end_handler_ = std::move(handler);
    self.listen_when_wanted();
  });
}

void SessionState::set_closed_handler(Session::ClosedHandler handler) {
  on_loop([handler = std::move(handler)](SessionState& self) mutable {
    self.closed_handler_ = std::move(handler);
    self.listen_when_wanted();
  });
}

// Until somebody cares, the stream keeps what comes. Without a reader for the bytes they stay there even then: the
// peer is slowed down, nothing is lost.
void SessionState::listen_when_wanted() {
  if (!connection_) return;
  const auto reader = data_handler_ || message_handler_;
  if (!reader && !released_) {
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
  if (message_handler_) {
    deliver_messages(data.span());
  } else if (data_handler_) {
    const auto handler = data_handler_;  // it may replace itself
    handler(to_bytes(data.span()));
  }
}

void SessionState::deliver_messages(ByteSpan bytes) {
  const auto keep = shared_from_this();
  const auto result = messages_->read(bytes, [this](Bytes body) {
    const auto handler = message_handler_;
    if (!handler) return false;
    handler(std::move(body));
    return !paused_ && connection_ != nullptr;
  });
  if (!result && connection_) {
    send_ended_.store(true, std::memory_order_release);
    connection_->abort();
    end_with(result.error());
  }
}

void SessionState::on_end() {
  ended_by_peer_ = true;
  report_end();
}

// The end comes after the last message, also when a pause holds that back.
void SessionState::report_end() {
  if (paused_ && messages_ && messages_->has_held_back()) return;
  if (ended_by_peer_) {
    const auto handler = std::exchange(end_handler_, nullptr);
    if (handler) handler();
  }
  if (closed_orderly_) end_with(std::nullopt);
}

void SessionState::on_writable() {
  update_pending();
  const auto handler = writable_handler_;
  if (handler) handler();
}

void SessionState::on_drained() {
  update_pending();
  const auto handler = drained_handler_;
  if (handler) handler();
}

void SessionState::on_closed(const Error* error) {
  if (error != nullptr) return end_with(*error);
  closed_orderly_ = true;
  report_end();
}

void SessionState::end_with(std::optional<Error> error) {
  const auto keep = std::exchange(self_, nullptr);
  if (!keep) return;
  send_ended_.store(true, std::memory_order_release);
  // Once down the stack: a stream must not die inside its own call to us.
  executor_.post([connection = std::shared_ptr<tcpip::Connection>{std::move(connection_)}] {});
  const auto handler = std::exchange(closed_handler_, nullptr);
  if (handler) handler(error ? &*error : nullptr);
  // Handlers often own the Session that owns this state.
  data_handler_ = nullptr;
  message_handler_ = nullptr;
  writable_handler_ = nullptr;
  drained_handler_ = nullptr;
  end_handler_ = nullptr;
}

}  // namespace axl::session
