#include "node/turning_executor.hpp"

#include <optional>
#include <utility>

namespace axl::node {

namespace {
constexpr int kBatchesPerVisit = 8;  // others on this loop want their turn too
}

void TurningExecutor::detach() {
  Tasks dropped;  // their ends may post, so they come after the lock
  const std::lock_guard lock{mutex_};
  loop_ = nullptr;
  dropped.swap(tasks_);
}

void TurningExecutor::post(std::function<void()> task) {
  const std::lock_guard lock{mutex_};
  if (loop_ == nullptr) return;
  tasks_.push_back(std::move(task));
  ask_for_visit();
}

void TurningExecutor::turn_soon() {
  const std::lock_guard lock{mutex_};
  if (loop_ == nullptr) return;
  turn_wanted_ = true;
  ask_for_visit();
}

void TurningExecutor::ask_for_visit() {
  if (std::exchange(posted_, true)) return;
  if (loop_->on_loop() && core_ != nullptr && core_->advances().ending()) {
    core_->advances().add(shared_from_this());
  } else {
    loop_->post([self = shared_from_this()] {
      std::optional<net::Advances::Hold> hold;  // what turns make ready leaves at the end of this visit
      if (self->core_ != nullptr) hold.emplace(self->core_->advances());
      self->run();
    });
  }
}

void TurningExecutor::visit_at_end() {
  if (core_ == nullptr || at_end_ || !core_->advances().held()) return;
  at_end_ = true;
  core_->advances().add(shared_from_this());
  const std::lock_guard lock{mutex_};
  posted_ = true;
}

void TurningExecutor::visit() {
  at_end_ = false;
  run();
}

bool TurningExecutor::on_loop() const noexcept {
  const std::lock_guard lock{mutex_};
  return loop_ != nullptr && loop_->on_loop();
}

// Of a node that is gone nobody waits in vain: what is posted is dropped, and whoever waits hears that.
Result<void> TurningExecutor::may_block() const {
  const std::lock_guard lock{mutex_};
  return loop_ == nullptr ? Result<void>{} : loop_->may_block();
}

// False: nothing waits, and the next post() asks for a new visit.
bool TurningExecutor::take() {
  const std::lock_guard lock{mutex_};
  if (core_ == nullptr || (tasks_.empty() && !turn_wanted_)) {
    posted_ = at_end_;
    return false;
  }
  turn_wanted_ = false;
  batch_.swap(tasks_);
  return true;
}

void TurningExecutor::run() {
  if (running_) return;  // a task turns the loop
  running_ = true;
  int batches = 0;
  while (batches < kBatchesPerVisit && take()) {
    ++batches;
    core_->turn_follows();
    for (auto& task : batch_) {
      std::exchange(task, nullptr)();
      if (core_ == nullptr) break;  // the task has stopped the node
    }
    batch_.clear();
    if (core_ != nullptr) core_->turn();
  }
  running_ = false;
  if (batches < kBatchesPerVisit) return;
  const std::lock_guard lock{mutex_};
  posted_ = false;
  if (loop_ != nullptr) ask_for_visit();
}

}  // namespace axl::node
