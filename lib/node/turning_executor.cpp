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
  if (std::exchange(posted_, true)) return;
  loop_->post([self = shared_from_this()] { self->run(); });
}

bool TurningExecutor::on_loop() const noexcept {
  const std::lock_guard lock{mutex_};
  return loop_ != nullptr && loop_->on_loop();
}

// False: nothing waits, and the next post() asks for a new visit.
bool TurningExecutor::take(Tasks& batch) {
  const std::lock_guard lock{mutex_};
  batch.clear();
  if (core_ == nullptr || tasks_.empty()) {
    posted_ = false;
    return false;
  }
  batch.swap(tasks_);
  return true;
}

void TurningExecutor::run() {
  // What turns make ready leaves at the end of this visit.
  std::optional<net::Advances::Hold> hold;
  if (core_ != nullptr) hold.emplace(core_->advances());
  Tasks batch;
  for (int count = 0; count < kBatchesPerVisit; ++count) {
    if (!take(batch)) return;
    core_->turn_follows();
    for (auto& task : batch) {
      std::exchange(task, nullptr)();
      if (core_ == nullptr) return;  // the task has stopped the node
    }
    core_->turn();
    if (core_ == nullptr) return;
  }
  const std::lock_guard lock{mutex_};
  if (loop_ != nullptr) loop_->post([self = shared_from_this()] { self->run(); });
}

}  // namespace axl::node
