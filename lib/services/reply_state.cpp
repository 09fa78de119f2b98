#include "services/reply_state.hpp"

#include <axl/service.hpp>
#include <utility>

#include "http/text.hpp"

namespace axl {

namespace {

using Kind = services::ReplyStep::Kind;

http::Headers to_headers(const HeaderList& list) {
  http::Headers out;
  for (const auto& [name, value] : list) out.add_line(name, value);
  return out;
}

int checked(int status) noexcept { return status >= 200 && status <= 599 ? status : 500; }

}  // namespace

namespace services {

void ReplyState::take(ReplyStep step) {
  {
    const std::lock_guard lock{mutex};
    if (!connected) return;
    waiting_bytes += step.bytes.size();
    steps.push_back(std::move(step));
  }
  if (loop->on_loop()) {
    carry_out();
    return;
  }
  const std::lock_guard lock{mutex};
  if (!std::exchange(posted, true)) {
    loop->post([self = shared_from_this()] { self->carry_out(); });
  }
}

// One at a time, so that what a step sets off (a handler that writes more) comes behind the steps before it.
void ReplyState::carry_out() {
  const auto self = shared_from_this();
  {
    const std::lock_guard lock{mutex};
    posted = false;
    if (std::exchange(running, true)) return;
  }
  for (;;) {
    std::vector<ReplyStep> batch;
    {
      const std::lock_guard lock{mutex};
      batch.swap(steps);
      waiting_bytes = 0;
      if (batch.empty()) {
        running = false;
        return;
      }
    }
    for (auto& step : batch) {
      if (sink != nullptr) sink->carry_out(std::move(step));
    }
  }
}

void ReplyState::on_gone(bool finished) {
  // Handlers may hold the reply itself: they go outside the lock.
  std::function<void()> cancel;
  std::function<void()> room;
  std::vector<ReplyStep> dropped;
  sink = nullptr;
  {
    const std::lock_guard lock{mutex};
    connected = false;
    dropped.swap(steps);
    waiting_bytes = held_bytes = 0;
    cancel.swap(cancel_handler);
    room.swap(room_handler);
    cancelled = !finished && !cancel;
  }
  if (cancel && !finished) loop->post(std::move(cancel));
}

void ReplyState::held(std::size_t bytes) {
  const std::lock_guard lock{mutex};
  held_bytes = bytes;
}

void ReplyState::on_room() {
  std::function<void()> handler;
  {
    const std::lock_guard lock{mutex};
    if (waiting_bytes + held_bytes > 0) return;
    handler = room_handler;
  }
  if (handler) handler();
}

}  // namespace services

std::optional<std::string_view> ServiceRequest::header(std::string_view name) const noexcept {
  for (const auto& [key, value] : headers) {
    if (http::equal_ignoring_case(key, name)) return value;
  }
  return {};
}

ServiceReply::ServiceReply(std::shared_ptr<services::ReplyState> state) noexcept : state_{std::move(state)} {}

ServiceReply::ServiceReply(ServiceReply&&) noexcept = default;

ServiceReply& ServiceReply::operator=(ServiceReply&& other) noexcept {
  if (this == &other) return *this;
  const ServiceReply replaced{std::exchange(state_, std::move(other.state_))};
  return *this;
}

ServiceReply::~ServiceReply() {
  if (state_) state_->take({.kind = Kind::drop});
}

void ServiceReply::respond(int status, HeaderList headers, Bytes body) {
  if (!state_) return;
  state_->take({Kind::respond, checked(status), to_headers(headers), Buffer::copy_of(body)});
}

void ServiceReply::respond_json(std::string_view json) {
  if (!state_) return;
  state_->take(
      {Kind::respond, 200, http::Headers{{"Content-Type", "application/json"}}, Buffer::copy_of(as_bytes(json))});
}

void ServiceReply::start(int status, HeaderList headers) {
  if (state_) state_->take({Kind::start, checked(status), to_headers(headers), {}});
}

void ServiceReply::write(Bytes piece) {
  if (state_ && !piece.empty()) state_->take({.kind = Kind::write, .bytes = Buffer::copy_of(piece)});
}

void ServiceReply::finish() {
  if (state_) state_->take({.kind = Kind::finish});
}

void ServiceReply::abort() {
  if (state_) state_->take({.kind = Kind::abort});
}

bool ServiceReply::connected() const {
  if (!state_) return false;
  const std::lock_guard lock{state_->mutex};
  return state_->connected;
}

std::size_t ServiceReply::pending() const {
  if (!state_) return 0;
  const std::lock_guard lock{state_->mutex};
  return state_->waiting_bytes + state_->held_bytes;
}

void ServiceReply::on_writable(std::function<void()> handler) {
  if (!state_) return;
  const std::lock_guard lock{state_->mutex};
  if (state_->connected) state_->room_handler.swap(handler);
}

void ServiceReply::on_cancel(std::function<void()> handler) {
  if (!state_) return;
  const std::lock_guard lock{state_->mutex};
  if (state_->connected) {
    state_->cancel_handler.swap(handler);
  } else if (std::exchange(state_->cancelled, false)) {
    state_->loop->post(std::move(handler));
  }
}

}  // namespace axl
