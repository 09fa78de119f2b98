#include "session.hpp"

#include <utility>

#include "message.hpp"
#include "status.hpp"

namespace axl::c {

bool Listening::admit() noexcept {
  if (waiting_.fetch_add(1) < backlog_) return true;
  --waiting_;
  return false;
}

bool Listening::take(Item& item) {
  --waiting_;
  item.session->hold();
  return true;
}

}  // namespace axl::c

using axl::c::Item;

axl_session::axl_session(std::shared_ptr<axl::c::EventQueue> queue, const Options& options, const axl_key& peer,
                         std::uint16_t remote_port)
    : user{options.user}, queue_{std::move(queue)}, options_{options}, peer_{peer}, remote_port_{remote_port} {}

axl_session::~axl_session() = default;

void axl_session::release() {
  const auto keep = std::exchange(self_, nullptr);
  const auto nobody_wants = queue_->withdraw(*this);
  const std::lock_guard lock{life_};
  freed_ = true;
  session_ = axl::Session{};  // waits for a handler that runs
}

void axl_session::open(axl::Session session, Item event) {
  const std::lock_guard lock{life_};
  if (freed_) return;  // and closes it
  session_ = std::move(session);
  open_ = true;
  queue_->push(std::move(event));
  if (user_paused_) session_.pause();
  listen();
  carry_out(later_);
}

void axl_session::listen() {
  session_.on_writable([this] { tell(AXL_EVENT_SESSION_WRITABLE); });
  session_.on_drained([this] { tell(AXL_EVENT_SESSION_DRAINED); });
  session_.on_end([this] { queue_->push(event(AXL_EVENT_SESSION_END)); });
  session_.on_closed([this](const axl::Error* error) {
    auto item = event(AXL_EVENT_SESSION_CLOSED);
    if (error != nullptr) {
      item.status = axl::c::status_of(*error);
      item.text = error->text();
    }
    queue_->push(std::move(item));
  });
  if (options_.messages) {
    session_.on_message([this](axl::MessageBody body) { arrived(AXL_EVENT_SESSION_MESSAGE, std::move(body)); },
                        options_.max_message_size);
  } else {
    session_.on_data([this](axl::Bytes data) { arrived(AXL_EVENT_SESSION_DATA, std::move(data)); });
  }
}

Item axl_session::event(axl_event_kind kind) {
  Item item;
  item.kind = kind;
  item.session = shared_from_this();
  item.source = item.session;
  return item;
}

void axl_session::arrived(axl_event_kind kind, axl::MessageBody body) {
  auto item = event(kind);
  const auto cost = body.size() + kItemCost;
  item.message = std::make_unique<axl_message>(std::move(body));
  bool full = false;
  {
    const std::lock_guard lock{counts_};
    waiting_ += cost;
    full = waiting_ >= kHighMark;
    if (full) queue_paused_ = true;
  }
  queue_->push(std::move(item));
  if (full) session_.pause();
}

void axl_session::tell(axl_event_kind kind) {
  auto& waits = kind == AXL_EVENT_SESSION_WRITABLE ? writable_waits_ : drained_waits_;
  {
    const std::lock_guard lock{counts_};
    if (std::exchange(waits, true)) return;
  }
  queue_->push(event(kind));
}

bool axl_session::take(Item& item) {
  const std::lock_guard lock{life_};
  if (freed_) return false;
  item.user = user;
  bool resume = false;
  {
    const std::lock_guard counts{counts_};
    if (item.message) waiting_ -= item.message->body.size() + kItemCost;
    if (item.kind == AXL_EVENT_SESSION_WRITABLE) writable_waits_ = false;
    if (item.kind == AXL_EVENT_SESSION_DRAINED) drained_waits_ = false;
    if (queue_paused_ && waiting_ <= kLowMark) {
      queue_paused_ = false;
      resume = !user_paused_;
    }
  }
  if (resume) session_.resume();
  return true;
}

void axl_session::set_paused(bool paused) {
  const std::lock_guard lock{life_};
  user_paused_ = paused;
  if (!open_) return;
  if (paused) {
    session_.pause();
    return;
  }
  const std::lock_guard counts{counts_};
  if (!queue_paused_) session_.resume();
}

void axl_session::end(Later how) {
  const std::lock_guard lock{life_};
  if (open_) return carry_out(how);
  if (how > later_) later_ = how;
}

void axl_session::carry_out(Later how) {
  switch (how) {
    case Later::nothing: return;
    case Later::finish: return session_.finish();
    case Later::close: return session_.close();
    case Later::abort: return session_.abort();
  }
}

namespace {

using axl::c::fail;

axl_status not_open() { return fail(AXL_E_CLOSED, "the session is not open"); }

template <class Task>
axl_status with_session(axl_session* session, const void* data, std::size_t size, Task task) {
  if (session == nullptr || (data == nullptr && size > 0)) return axl::c::missing("no session or no data");
  return axl::c::guarded([&] {
    auto* opened = session->opened();
    return opened == nullptr ? not_open() : axl::c::done(task(*opened));
  });
}

}  // namespace

extern "C" {

axl_status axl_session_write(axl_session* session, const void* data, size_t size) {
  return with_session(session, data, size,
                      [&](axl::Session& on) { return on.write(axl::to_bytes(axl::c::to_span(data, size))); });
}

axl_status axl_session_send(axl_session* session, const void* data, size_t size) {
  return with_session(session, data, size,
                      [&](axl::Session& on) { return on.send_message(axl::to_bytes(axl::c::to_span(data, size))); });
}

axl_status axl_session_write_lent(axl_session* session, const void* data, size_t size, axl_release_fn release,
                                  void* release_user) {
  if (release == nullptr) return axl::c::missing("no release function");
  return with_session(session, data, size, [&](axl::Session& on) {
    const auto lent = session->lend({release, release_user, data, size});
    auto written = on.write(axl::c::Lent::body(lent));
    if (!written) lent->forget();
    return written;
  });
}

axl_status axl_session_send_lent(axl_session* session, const void* data, size_t size, axl_release_fn release,
                                 void* release_user) {
  if (release == nullptr) return axl::c::missing("no release function");
  return with_session(session, data, size, [&](axl::Session& on) {
    const auto lent = session->lend({release, release_user, data, size});
    auto sent = on.send_message(axl::c::Lent::body(lent));
    if (!sent) lent->forget();
    return sent;
  });
}

size_t axl_session_pending(axl_session* session) {
  const auto* opened = session == nullptr ? nullptr : session->opened();
  return opened == nullptr ? 0 : opened->pending();
}

int axl_session_congested(axl_session* session) {
  const auto* opened = session == nullptr ? nullptr : session->opened();
  return opened != nullptr && opened->congested() ? 1 : 0;
}

void axl_session_pause(axl_session* session) {
  if (session != nullptr) session->set_paused(true);
}
void axl_session_resume(axl_session* session) {
  if (session != nullptr) session->set_paused(false);
}
void axl_session_finish(axl_session* session) {
  if (session != nullptr) session->end(axl_session::Later::finish);
}
void axl_session_close(axl_session* session) {
  if (session != nullptr) session->end(axl_session::Later::close);
}
void axl_session_abort(axl_session* session) {
  if (session != nullptr) session->end(axl_session::Later::abort);
}

void axl_session_free(axl_session* session) {
  if (session != nullptr) session->release();
}

void axl_session_peer(const axl_session* session, axl_key* key) {
  if (key != nullptr) *key = session == nullptr ? axl_key{} : session->peer();
}
uint16_t axl_session_remote_port(const axl_session* session) { return session == nullptr ? 0 : session->remote_port(); }
uint16_t axl_session_local_port(const axl_session* session) { return session == nullptr ? 0 : session->local_port(); }
void axl_session_set_user(axl_session* session, void* user) {
  if (session != nullptr) session->user = user;
}
void* axl_session_user(const axl_session* session) { return session == nullptr ? nullptr : session->user.load(); }

}  // extern "C"
