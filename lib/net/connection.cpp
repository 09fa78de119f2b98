#include "net/connection.hpp"

#include <algorithm>
#include <utility>

#include "net/socket_setup.hpp"

namespace axl::net {

namespace {

constexpr std::size_t kSmallestRead = 4 * 1024;
constexpr std::size_t kLargestRead = 64 * 1024;
constexpr std::size_t kReceivePerTurn = 256 * 1024;
constexpr std::size_t kLeastQueue = 32 * 1024;  // two full TLS records

}  // namespace

Connection::Connection(Socket socket, std::unique_ptr<Transport> transport, const StreamOptions& options)
    : context_{socket.get_executor().context()},
      advances_{asio::use_service<Advances>(context_)},
      socket_{std::move(socket)},
      transport_{std::move(transport)},
      options_{options},
      high_mark_{options.high_mark},
      low_mark_{options.low_mark},
      read_size_{kSmallestRead} {
  if (options_.bulk_elsewhere != BulkElsewhere::never && transport_->is_costly()) {
    worker_ = &asio::use_service<TlsWorker>(context_);
  }
  if (options_.queue_time > Duration{}) meter_.emplace(options_.queue_time, kLeastQueue, options_.high_mark);
}

Connection::~Connection() {
  if (closed_) close_socket();  // if the loop has ended before a batch came back
}

void Connection::start(std::optional<Time> deadline, std::function<void()> on_open) {
  on_open_ = std::move(on_open);
  if (auto prepared = prepare_stream_socket(socket_); !prepared) fail(prepared.error());
  if (options_.kernel_unsent) limit_unsent_in_kernel(socket_, *options_.kernel_unsent);
  if (deadline && !closed_) {
    timer_ = std::make_unique<Timer>(context_, SteadyClock{}, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->on_timer();
    });
    timer_->arm(*deadline);
  }
  schedule();
}

// --- What the owner asks for -----------------------------------------------------------------------------------------

void Connection::set_handler(StreamHandler* handler) {
  handler_ = handler;
  if (handler_ != nullptr) schedule();
}

void Connection::write(Buffer data) {
  if (closed_ || end_wanted_ || data.empty()) return;
  queue_.push(std::move(data));
  undrained_ = true;
  if (queue_.bytes() >= enough_to_send() && opened_ && !advancing_) {
    take_back_early();
    transmit_some();
  }
  if (unsent() > low_mark_) above_low_ = true;
  schedule();
}

void Connection::flush() {
  if (closed_ || !opened_ || advancing_) return;
  const auto self = shared_from_this();
  transmit_some();
  schedule();  // for the events that follow from it
}

std::size_t Connection::unsent() const noexcept {
  return closed_ ? 0 : queue_.bytes() + (busy() ? job_->unsent : transport_->backlog());
}

void Connection::pause_reading() { paused_ = true; }

void Connection::resume_reading() {
  if (!std::exchange(paused_, false)) return;
  schedule();
}

void Connection::shutdown_send() {
  if (std::exchange(end_wanted_, true)) return;
  schedule();
}

void Connection::close() {
  if (std::exchange(closing_, true)) return;
  end_wanted_ = true;
  schedule();
}

void Connection::abort() {
  if (closed_) return;
  error_ = Error{Errc::closed, "aborted on this side"};
  shut(true);
  schedule();
}

void Connection::detach() noexcept {
  handler_ = nullptr;
  on_open_ = nullptr;
  // With everything in the kernel a plain close loses nothing; before that, what is queued is lost and the other end
  // should know.
  if (!closed_) shut(!end_sent_);
}

// --- One turn --------------------------------------------------------------------------------------------------------

void Connection::schedule() {
  if (advancing_) {
    again_ = true;
    return;
  }
  if (std::exchange(scheduled_, true)) return;
  advances_.add(shared_from_this());
}

void Connection::advance_as_scheduled() {
  scheduled_ = false;
  advance();
}

void Connection::advance() {
  if (advancing_) return;
  const auto self = shared_from_this();
  advancing_ = true;
  step();
  advancing_ = false;
  const auto again = std::exchange(again_, false);
  if (std::exchange(more_, false)) {
    if (!std::exchange(scheduled_, true)) advances_.add_later(self);
  } else if (again) {
    schedule();
  }
}

void Connection::step() {
  take_back();
  if (!closed_ && !opened_ && can_read_) open_transport();
  if (!closed_) receive_some();
  again_ = false;  // what handlers have asked for up to here, the rest of this step does
  if (!closed_) transmit_some();
  if (!closed_) finish_sending();
  if (!closed_) deliver_levels();
  if (closed_) {
    report_closed();
  } else {
    wait_as_needed();
  }
}

void Connection::open_transport() {
  switch (transport_->open(socket_)) {
    case Io::progress: {
      opened_ = true;
      timer_.reset();
      if (const auto on_open = std::exchange(on_open_, nullptr)) on_open();
      return;
    }
    case Io::would_block: can_read_ = false; return;
    case Io::end:
    case Io::failed: fail(transport_->error()); return;
  }
}

bool Connection::wants_data() const noexcept {
  return opened_ && !peer_ended_ && (closing_ || (handler_ != nullptr && !paused_));
}

void Connection::receive_some() {
  go_on_reading();
  std::size_t received = 0;
  while (!closed_ && wants_data()) {
    if (hand_up_arrived()) continue;
    if (busy() || !can_read_ || received >= kReceivePerTurn) return;  // the rest follows in another turn
    if (receives_elsewhere() && hand_over()) return;
    received += receive_one();
  }
}

std::size_t Connection::receive_one() {
  const auto place = closing_ || handler_ == nullptr ? MutableByteSpan{} : handler_->place();
  Buffer data;
  if (place.empty()) data = Buffer{read_size_};
  const auto [status, size] = transport_->receive(socket_, place.empty() ? data.mutable_span() : place);
  if (status != Io::progress) can_read_ = false;
  if (size > 0) {
    if (place.empty()) {
      hand_up(std::move(data), size);
    } else {
      handler_->on_placed(size);
    }
  } else if (status == Io::end) {
    peer_ended_ = true;
    if (!closing_ && handler_ != nullptr) handler_->on_end();
  } else if (status == Io::failed) {
    // While closing, the other end may well be gone before us; what we had to send is what counts.
    if (closing_ && end_sent_) {
      finish();
    } else {
      fail(transport_->error());
    }
  }
  return size;
}

void Connection::hand_up(Buffer data, std::size_t size) {
  // Large buffers for those who fill them; a few bytes do not keep a large one alive.
  const auto capacity = data.size();
  if (size > capacity - capacity / 8) {
    read_size_ = std::min(read_size_ * 4, kLargestRead);
  } else if (size < capacity / 4) {
    read_size_ = std::max(read_size_ / 2, kSmallestRead);
  }
  if (closing_ || handler_ == nullptr) return;
  if (size < capacity / 4) {
    handler_->on_data(Buffer::copy_of(data.span().first(size)));
  } else {
    data.drop_back(capacity - size);
    data.shed();
    handler_->on_data(std::move(data));
  }
}

void Connection::transmit_some() {
  if (busy() || !can_write_ || unsent() == 0) return;
  if (sends_elsewhere() && hand_over()) return set_helped(true);
  set_helped(false);
  after_transmit(transport_->transmit(socket_, queue_));
}

void Connection::after_transmit(Io result) {
  switch (result) {
    case Io::progress:
      if (!advancing_) schedule();
      more_ = advancing_;
      break;
    case Io::would_block:
      can_write_ = false;
      if (meter_) measure_drain();
      break;
    case Io::end:
      if (meter_) meter_->on_empty();
      break;
    case Io::failed: after_send_failure(); break;
  }
}

void Connection::measure_drain() {
  if (!meter_->on_full(SteadyClock{}.now(), counters().wire_bytes)) return;
  set_marks(meter_->room());
  const auto in_kernel = std::min(meter_->room(), options_.high_mark);
  if (options_.kernel_unsent) limit_unsent_in_kernel(socket_, static_cast<int>(in_kernel));
}

void Connection::set_marks(std::size_t high) noexcept {
  high_mark_ = high;
  low_mark_ = high / 2;
  if (unsent() > low_mark_) above_low_ = true;  // the writer goes by the new marks too
}

// The other end is gone, but it may have said why before it went: what it sent comes first.
void Connection::after_send_failure() {
  const auto error = transport_->error();
  queue_.clear();
  can_write_ = false;
  worker_ = nullptr;
  if (!advancing_) {  // inside flush(): no handler may be called here
    error_ = error;
    shut(false);
    return;
  }
  can_read_ = true;
  while (!closed_ && wants_data() && can_read_) receive_some();
  if (!closed_) fail(error);
}

void Connection::finish_sending() {
  if (!end_wanted_ || busy()) return;
  if (!opened_) {
    if (closing_ && queue_.empty()) finish();
    return;
  }
  if (!end_sent_ && queue_.empty()) {
    if (!std::exchange(end_marked_, true)) {
      transport_->mark_end();
      transmit_some();
      if (closed_ || busy()) return;
    }
    if (transport_->backlog() == 0) {
      std::error_code ignored;  // a socket that is gone shows it when receiving
      socket_.shutdown(Socket::shutdown_send, ignored);
      end_sent_ = true;
      timer_.reset();
    }
  }
  if (end_sent_ && peer_ended_) finish();
}

void Connection::deliver_levels() {
  if (above_low_ && unsent() < low_mark_) {
    above_low_ = false;
    if (handler_ != nullptr) handler_->on_writable();
  }
  if (!closed_ && undrained_ && unsent() == 0) {
    undrained_ = false;
    if (handler_ != nullptr) handler_->on_drained();
  }
}

void Connection::report_closed() {
  if (reported_ || handler_ == nullptr) return;
  reported_ = true;
  const auto error = error_;
  std::exchange(handler_, nullptr)->on_closed(error ? &*error : nullptr);
}

// --- Waiting ---------------------------------------------------------------------------------------------------------

void Connection::wait_as_needed() {
  if (closing_) arm_close_timer();
  if (busy()) {
    more_ = job_->done;  // while a handler turned the loop
    return;
  }
  if (!can_read_ && !reading_ && (!opened_ || wants_data())) wait_readable();
  if (!can_write_ && !writing_) wait_writable();
  if (can_read_ && wants_data()) more_ = true;
}

void Connection::wait_readable() {
  reading_ = true;
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](const std::error_code&) {
    self->reading_ = false;
    if (self->closed_) return;
    self->can_read_ = true;  // an error shows when receiving
    const Advances::Hold hold{self->advances_};
    self->advance();
  });
}

void Connection::wait_writable() {
  writing_ = true;
  socket_.async_wait(Socket::wait_write, [self = shared_from_this()](const std::error_code&) {
    self->writing_ = false;
    if (self->closed_) return;
    self->can_write_ = true;
    const Advances::Hold hold{self->advances_};
    self->advance();
  });
}

void Connection::arm_close_timer() {
  if (timer_) return;
  timer_ = std::make_unique<Timer>(context_, SteadyClock{}, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->on_timer();
  });
  progress_ = counters().wire_bytes + unacknowledged();
  timer_->arm(SteadyClock{}.now() + (end_sent_ ? options_.linger : options_.stall_limit));
}

void Connection::on_timer() {
  if (closed_) return;
  if (!opened_) {
    fail(Error{Errc::timed_out, "the other end did not finish opening the connection in time"});
    return schedule();
  }
  // Bytes given to the kernel or acknowledged by the other end since the last look: it is slow, not gone.
  const auto waiting = unacknowledged();
  const auto progress = counters().wire_bytes + waiting;
  if (progress != std::exchange(progress_, progress)) {
    timer_->arm(SteadyClock{}.now() + (end_sent_ ? options_.linger : options_.stall_limit));
    return;
  }
  if (end_sent_ && waiting == 0) {
    finish();
  } else {
    fail(Error{Errc::timed_out, "the other end stopped taking what was sent"});
  }
  schedule();
}

std::size_t Connection::unacknowledged() noexcept { return unacknowledged_bytes(socket_); }

// --- Ending ----------------------------------------------------------------------------------------------------------

void Connection::fail(Error error) {
  error_ = std::move(error);
  shut(false);
}

void Connection::finish() {
  error_.reset();
  shut(false);
}

void Connection::shut(bool reset) noexcept {
  closed_ = true;
  resets_ = reset;
  queue_.clear();
  timer_.reset();
  if (!busy()) close_socket();
}

void Connection::close_socket() noexcept {
  std::error_code ignored;
  if (std::exchange(resets_, false)) socket_.set_option(asio::socket_base::linger{true, 0}, ignored);
  socket_.close(ignored);
}

}  // namespace axl::net
