#include "net/tls_worker.hpp"

#include <pthread.h>

#include <asio/post.hpp>
#include <chrono>
#include <ctime>
#include <system_error>
#include <utility>

#include "net/connection.hpp"
#include "net/machine_idle.hpp"
#include "net/steady_clock.hpp"

namespace axl::net {

TlsWorker::TlsWorker(asio::io_context& context) : asio::execution_context::service{context}, context_{context} {}

TlsWorker::~TlsWorker() = default;

void TlsWorker::shutdown() noexcept {
  {
    const std::lock_guard lock{mutex_};
    ending_ = true;
  }
  ready_.notify_one();
  if (thread_.joinable()) thread_.join();
  waiting_.clear();
}

bool TlsWorker::has_core() {
  const auto now = SteadyClock{}.now();
  if (spare_.due(now)) {
    if (const auto cores = usable_cores(); cores && cores->count > 1) {
      spare_.on_figures({.at = now, .idle = cores->idle, .helper = thread_time(), .loop = own_thread_time()});
    } else {
      spare_.on_nothing(now);
    }
  }
  return spare_.there();
}

Duration TlsWorker::thread_time() noexcept {
  clockid_t clock{};
  timespec time{};
  if (!thread_.joinable() || ::pthread_getcpuclockid(thread_.native_handle(), &clock) != 0) return {};
  if (::clock_gettime(clock, &time) != 0) return {};
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

bool TlsWorker::hand_over(std::shared_ptr<Connection> connection) {
  if (!thread_.joinable() && !start()) return false;
  ++batches_;
  {
    const std::lock_guard lock{mutex_};
    waiting_.push_back({std::move(connection), asio::make_work_guard(context_.get_executor())});
  }
  ready_.notify_one();
  return true;
}

bool TlsWorker::start() {
  if (failed_ || ending_) return false;
  try {
    thread_ = std::thread{[this] { run(); }};
  } catch (const std::system_error&) {
    failed_ = true;
  }
  return !failed_;
}

void TlsWorker::run() {
  std::unique_lock lock{mutex_};
  for (;;) {
    ready_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
    if (ending_) return;
    auto batch = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    batch.connection->do_batch();
    // With it goes what may be the last reference: connections end on the loop.
    asio::post(context_, [batch = std::move(batch)] { batch.connection->batch_done(); });
    lock.lock();
  }
}

}  // namespace axl::net
