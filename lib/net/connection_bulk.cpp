// Bulk of a connection on its way through the transport on another thread.
#include <algorithm>
#include <utility>

#include "net/connection.hpp"

namespace axl::net {

namespace {

// To wake a thread on another core takes up to 20 us of the one that does it, both ways, which is what TLS of 30 KB
// takes: a flow is handed over in batches that are much larger, and so much has to wait for them.
constexpr std::size_t kFirstSent = 48 * 1024;
constexpr std::size_t kNextSent = 256 * 1024;
constexpr std::size_t kMostSent = 512 * 1024;
constexpr std::size_t kHelpedHighMark = 1024 * 1024;

// So much waits in the kernel only if the loop is behind; with less it would have nothing to do meanwhile.
constexpr std::size_t kLeastReceived = 192 * 1024;
constexpr std::size_t kPiece = 64 * 1024;
constexpr std::size_t kPieces = 6;

}  // namespace

bool Connection::has_helper() {
  if (worker_ == nullptr || !opened_) return false;
  return options_.bulk_elsewhere == BulkElsewhere::always || worker_->has_core();
}

bool Connection::sends_elsewhere() { return queue_.bytes() >= kFirstSent && has_helper(); }

// Asks the kernel how much is there only while bulk comes in.
bool Connection::receives_elsewhere() {
  if (read_size_ < kPiece || !has_helper()) return false;
  std::error_code failure;
  if (socket_.available(failure) < kLeastReceived || failure) return false;
  if (!job_) job_ = std::make_unique<BulkJob>();
  job_->reads_on = true;
  return true;
}

// The first bytes of a flow leave soon; of what follows, more at a time.
std::size_t Connection::enough_to_send() const noexcept {
  return helped_ ? std::max(options_.send_at_once, std::min(kNextSent, high_mark_ / 4)) : options_.send_at_once;
}

// More may wait while two threads work on it, still no more than leaves in the time that is allowed.
void Connection::set_helped(bool helped) {
  if (std::exchange(helped_, helped) == helped || !meter_) return;
  meter_->set_most(helped ? std::max(kHelpedHighMark, options_.high_mark) : options_.high_mark);
  set_marks(meter_->room());
}

// What is to be sent and what is to be read go together. False: there is no thread, and all is as before.
bool Connection::hand_over() {
  if (!job_) job_ = std::make_unique<BulkJob>();
  auto& job = *job_;
  job.counters = transport_->counters();
  job.sends = can_write_ && unsent() > 0;
  if (job.sends) queue_.move_front(job.sending, kMostSent);
  job.unsent = transport_->backlog() + job.sending.bytes();
  job.sent = Io::end;
  // What has arrived may have to wait for the end of a long turn, or for a reader who pauses.
  job.receives = std::exchange(job.reads_on, false) && can_read_ && wants_data() && job.arrived.size() <= kPieces;
  job.received = Io::would_block;
  while (job.receives && job.receiving.size() < kPieces) job.receiving.push_back({.data = Buffer{kPiece}, .size = 0});
  job.done.store(false, std::memory_order_relaxed);
  job.under_way = true;
  if (worker_->hand_over(shared_from_this())) return true;
  job.under_way = false;
  queue_.put_back(job.sending);
  worker_ = nullptr;
  return false;
}

void Connection::batch_done() {
  if (!busy() || !job_->done.load(std::memory_order_acquire))
    return;  // it has been taken back, and another is under way
  const Advances::Hold hold{advances_};
  advance();
}

// From here on the transport and the socket are the loop's again.
void Connection::take_back() {
  if (!busy() || !job_->done.load(std::memory_order_acquire)) return;
  job_->under_way = false;
  if (closed_) {
    job_.reset();
    return close_socket();
  }
  queue_.put_back(job_->sending);
  take_back_received();
  if (job_->sends) after_transmit(job_->sent);
}

// In the middle of a turn that goes on sending: what is handed up and who is told has to wait for the end of it.
void Connection::take_back_early() {
  if (busy() && job_->done.load(std::memory_order_acquire) && job_->sent != Io::failed) take_back();
}

void Connection::take_back_received() {
  auto& job = *job_;
  if (!job.receives) return;
  if (job.received == Io::would_block) can_read_ = false;
  job.reads_on = job.filled();
  for (auto& piece : job.receiving) {
    if (piece.size > 0) job.arrived.push_back({std::move(piece.data), std::exchange(piece.size, 0)});
  }
  job.receiving.clear();
}

// The next batch is read while what the last one has brought is handed up.
void Connection::go_on_reading() {
  if (!job_ || busy() || !job_->reads_on || !can_read_ || !wants_data()) return;
  if (has_helper()) static_cast<void>(hand_over());
}

bool Connection::hand_up_arrived() {
  if (!job_ || job_->arrived.empty()) return false;
  auto [data, size] = std::move(job_->arrived.front());
  job_->arrived.erase(job_->arrived.begin());
  hand_up(std::move(data), size);
  return true;
}

}  // namespace axl::net
