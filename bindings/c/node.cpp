#include "node.hpp"

#include <algorithm>
#include <condition_variable>
#include <utility>

#include "message.hpp"
#include "request.hpp"
#include "session.hpp"

using namespace std::chrono_literals;
using axl::c::fail;
using axl::c::Item;

namespace {

constexpr auto kBudget = 1ms;  // of one turn, and between two of a busy poller

// A call on its way to the loop.
struct Call {
  std::mutex mutex;
  std::condition_variable ended;
  enum class Stage : std::uint8_t { waiting, running, done, withdrawn } stage = Stage::waiting;
  axl_status status = AXL_OK;
  std::string text;  // of a failure: axl_last_error belongs to the thread that called
};

void run(Call& call, const std::function<axl_status(axl::Node&)>& task, axl::Node& node) {
  {
    const std::lock_guard lock{call.mutex};
    if (call.stage == Call::Stage::withdrawn) return;
    call.stage = Call::Stage::running;
  }
  const auto status = axl::c::guarded([&] { return task(node); });
  const std::lock_guard lock{call.mutex};
  call.status = status;
  if (status != AXL_OK) call.text = axl_last_error();
  call.stage = Call::Stage::done;
  call.ended.notify_one();
}

}  // namespace

axl_node::~axl_node() {
  stop();
  current_ = {};
  parts_.node.reset();
  parts_.queue->orphan();
}

axl::Result<void> axl_node::start() {
  const std::lock_guard lock{lifecycle_};
  if (stopping_) return axl::Error{axl::Errc::closed, "the node has been stopped"};
  if (started_) return {};
  auto result = node().start();
  if (result) started_ = true;
  return result;
}

void axl_node::stop() {
  stopping_ = true;
  node().post([] {});  // whoever turns it looks up
  const std::lock_guard lock{lifecycle_};
  if (stopped_) return;
  {
    const std::lock_guard turn{turn_};
    node().stop();
    patterns_->close();
  }
  stopped_ = true;
  parts_.operations->close();
  parts_.queue->close();
}

void axl_node::wake() {
  parts_.queue->wake();
  if (!threaded()) node().post([] {});
}

axl_status axl_node::on_loop(const std::function<axl_status(axl::Node&)>& task) {
  {
    const std::lock_guard lock{lifecycle_};
    if (stopping_) return fail(AXL_E_CLOSED, "the node has been stopped");
    if (!started_) return task(node());
  }
  const auto call = std::make_shared<Call>();
  node().post([call, &task, this] { run(*call, task, node()); });
  std::unique_lock lock{call->mutex};
  while (call->stage != Call::Stage::done) {
    if (!threaded() && !stopping_ && turn_.try_lock()) {
      lock.unlock();
      if (!stopping_) node().poll(kBudget);
      turn_.unlock();
      lock.lock();
      continue;
    }
    call->ended.wait_for(lock, threaded() ? 20ms : 1ms);
    if (call->stage == Call::Stage::waiting && stopped_) {
      call->stage = Call::Stage::withdrawn;
      return fail(AXL_E_CLOSED, "the node has been stopped");
    }
  }
  return call->status == AXL_OK ? AXL_OK : fail(call->status, call->text);
}

axl_status axl_node::poll(int timeout_ms, const axl_event** event) {
  *event = nullptr;
  if (polling_.exchange(true)) return fail(AXL_E_BUSY, "another thread polls this node");
  const auto now = std::chrono::steady_clock::now();
  const auto timeout = timeout_ms < 0 ? std::chrono::milliseconds{24h} * 365 : std::chrono::milliseconds{timeout_ms};
  const auto status = axl::c::guarded([&] { return poll_until(now + timeout, event); });
  polling_ = false;
  return status;
}

axl_status axl_node::poll_until(Deadline deadline, const axl_event** event) {
  current_ = {};
  if (!threaded() && (parts_.queue->empty() || std::chrono::steady_clock::now() - turned_ >= kBudget)) turn({});
  for (;;) {
    parts_.queue->call_back();
    const bool closed = parts_.queue->closed();  // before the last look
    if (auto item = parts_.queue->pop()) {
      hand_out(*std::move(item));
      *event = &event_;
      return AXL_OK;
    }
    if (closed) return fail(AXL_E_CLOSED, "the node has been stopped");
    if (parts_.queue->take_wake()) return fail(AXL_E_TIMED_OUT, "woken");
    if (std::chrono::steady_clock::now() >= deadline) return fail(AXL_E_TIMED_OUT, "no event");
    wait(deadline);
  }
}

void axl_node::wait(Deadline deadline) {
  if (threaded() || stopping_) {
    parts_.queue->wait(deadline);
  } else if (!started_) {
    parts_.queue->wait(std::min(deadline, std::chrono::steady_clock::now() + 10ms));
  } else {
    turn(deadline - std::chrono::steady_clock::now());
  }
}

void axl_node::turn(axl::Duration wait) {
  const std::lock_guard lock{turn_};
  if (!started_ || stopping_) return;
  node().poll(kBudget, wait);
  turned_ = std::chrono::steady_clock::now();
}

void axl_node::hand_out(Item item) {
  current_ = std::move(item);
  event_ = {};
  event_.struct_size = sizeof event_;
  event_.kind = current_.kind;
  event_.status = current_.status;
  event_.user = current_.user;
  event_.text = current_.text.c_str();
  event_.session = current_.session.get();
  event_.message = current_.message.release();
  event_.request = current_.request.get();
  event_.subscription = current_.subscription;
  event_.key = current_.key;
  event_.uri = current_.uri.c_str();
  event_.id = current_.id.c_str();
  event_.delivery = current_.delivery;
  event_.port = current_.port;
  event_.round_trip_ns = current_.round_trip_ns;
  event_.missed = current_.missed;
  event_.topic = current_.topic;
  event_.question = current_.question.release();
  event_.outcome = current_.outcome.release();
  event_.merge = current_.merge.release();
  event_.peers = current_.peers;
}
