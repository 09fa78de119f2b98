#include "node/loop.hpp"

#include <algorithm>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <condition_variable>
#include <utility>

namespace axl::node {

namespace {

// Says who turns the loop by hand for as long as it does.
class Guest {
 public:
  Guest(std::unique_lock<std::recursive_mutex> turn, std::atomic<std::thread::id>& guest)
      : lock_{std::move(turn)}, guest_{guest} {
    before_ = guest_.exchange(std::this_thread::get_id());
  }
  Guest(std::recursive_mutex& turn, std::atomic<std::thread::id>& guest) : Guest{std::unique_lock{turn}, guest} {}
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;
  ~Guest() { guest_.store(before_); }

 private:
  std::unique_lock<std::recursive_mutex> lock_;
  std::atomic<std::thread::id>& guest_;
  std::thread::id before_;
};

}  // namespace

Loop::Loop(RunMode mode, asio::io_context* external)
    : mode_{mode},
      // Sockets are used on the loop only, tasks come from anywhere.
      own_{external == nullptr ? std::make_unique<asio::io_context>(ASIO_CONCURRENCY_HINT_UNSAFE_IO) : nullptr},
      context_{external == nullptr ? own_.get() : external} {
  if (own_) return;
  asio::post(*context_, [turning = turning_] {
    const std::lock_guard lock{turning->turn};
    turning->thread = std::this_thread::get_id();
  });
}

Loop::~Loop() { stop(); }

void Loop::start() {
  if (!own_ || mode_ != RunMode::own_thread || thread_.joinable()) return;
  work_.emplace(context_->get_executor());
  thread_ = std::thread{[this] { run_thread(); }};
  threaded_ = true;
}

void Loop::run_thread() { context_->run(); }

void Loop::stop() {
  if (!own_) return;
  ended_ = true;
  work_.reset();
  context_->stop();
  if (thread_.joinable()) thread_.join();
  threaded_ = false;
  static_cast<void>(interrupt());  // whoever polls has returned
}

std::unique_lock<std::recursive_mutex> Loop::interrupt() {
  const std::lock_guard next{next_};
  std::unique_lock turn{turning_->turn, std::try_to_lock};
  if (turn.owns_lock()) return turn;
  asio::post(*context_, [] {});  // ends a wait
  turn.lock();
  return turn;
}

std::unique_lock<std::recursive_mutex> Loop::take_turn() {
  if (on_loop()) return std::unique_lock{turning_->turn};  // a handler polls
  const std::lock_guard next{next_};
  return std::unique_lock{turning_->turn};
}

std::size_t Loop::poll(Duration budget, Duration wait) {
  if (!own_ || mode_ != RunMode::poll) return 0;
  const Guest guest{take_turn(), guest_};
  if (ended_) return 0;
  // What is waited for may be a call from another thread, of which the context knows nothing yet.
  const auto work = asio::make_work_guard(*context_);
  if (context_->stopped()) context_->restart();
  std::size_t done = wait > Duration::zero() ? context_->run_one_for(wait) : 0;
  auto now = std::chrono::steady_clock::now();
  const auto end = now + budget;
  // The next item may take as long as the longest so far.
  for (auto longest = end - end; (done == 0 || now + longest < end) && context_->poll_one() != 0; ++done) {
    const auto before = std::exchange(now, std::chrono::steady_clock::now());
    longest = std::max(longest, now - before);
  }
  return done;
}

void Loop::post(std::function<void()> task) { asio::post(*context_, std::move(task)); }

bool Loop::on_loop() const noexcept {
  const auto here = std::this_thread::get_id();
  if (guest_.load() == here) return true;
  return own_ ? context_->get_executor().running_in_this_thread() : turning_->thread.load() == here;
}

Result<void> Loop::may_block() const {
  if (!on_loop() && (!own_ || threaded_ || ended_)) return {};
  return Error{Errc::not_supported,
               "a call that blocks would wait for ever: it was made on the node's loop, or no thread runs that loop"};
}

void Loop::run_and_wait(const std::function<void()>& task) {
  if (on_loop()) {
    task();
    return;
  }
  if (!own_) {
    const Guest guest{turning_->turn, guest_};
    if (turning_->thread.load() == std::thread::id{}) {
      task();
      return;
    }
  }
  const auto turned_elsewhere = !own_ ? !context_->stopped() : threaded_ && !context_->stopped();
  if (!turned_elsewhere) {
    const Guest guest{interrupt(), guest_};
    task();
    return;
  }
  struct Call {
    std::mutex mutex;
    std::condition_variable ready;
    enum class Stage : std::uint8_t { waiting, running, done, withdrawn } stage = Stage::waiting;
  };
  const auto call = std::make_shared<Call>();
  post([call, &task] {
    {
      const std::lock_guard lock{call->mutex};
      if (call->stage == Call::Stage::withdrawn) return;
      call->stage = Call::Stage::running;
    }
    task();
    const std::lock_guard lock{call->mutex};
    call->stage = Call::Stage::done;
    call->ready.notify_one();
  });
  std::unique_lock lock{call->mutex};
  while (!call->ready.wait_for(lock, std::chrono::milliseconds{20}, [&] { return call->stage == Call::Stage::done; })) {
    if (call->stage != Call::Stage::waiting || !context_->stopped()) continue;
    call->stage = Call::Stage::withdrawn;  // stopped meanwhile: nobody is going to run it
    lock.unlock();
    const Guest guest{turning_->turn, guest_};
    task();
    return;
  }
}

}  // namespace axl::node
