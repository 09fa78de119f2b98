// Runs what the node's parts put off, and then a turn of the core: one turn for all that waits, not one for each.
//
// Tasks run in order. Those that tasks and turns put off run in the same visit of the loop, up to a bound, so that a
// message which is handed from part to part does not ask the sockets in between whether they have something new.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "core/executor.hpp"
#include "node/core.hpp"
#include "node/loop.hpp"

namespace axl::node {

class TurningExecutor final : public Executor,
                              public net::Advances::Visitor,
                              public std::enable_shared_from_this<TurningExecutor> {
 public:
  explicit TurningExecutor(Loop& loop) noexcept : loop_{&loop} {}

  /// What turns; called before the first post().
  void attach(Core& core) noexcept { core_ = &core; }
  /// On the loop: no task runs any more.
  void stop() noexcept { core_ = nullptr; }
  /// The loop is going: whatever still waits is dropped.
  void detach();

  void post(std::function<void()> task) override;
  /// A turn without a task.
  void turn_soon();
  /// On the loop: what is posted from now on comes at the end of what runs, instead of behind another look at every
  /// socket. For whoever has brought many things at once; of those that bring one each, several may be ready.
  void visit_at_end();
  [[nodiscard]] bool on_loop() const noexcept override;
  [[nodiscard]] Result<void> may_block() const override;

 private:
  using Tasks = std::vector<std::function<void()>>;
  void visit() override;
  void run();
  void ask_for_visit();
  bool take();

  mutable std::mutex mutex_;
  Loop* loop_;            // null once the node is gone
  Core* core_ = nullptr;  // used on the loop only; null once the node has stopped
  Tasks tasks_;
  bool turn_wanted_ = false;
  bool posted_ = false;  // a visit of the loop is on its way, or under way
  Tasks batch_;          // on the loop only, as the others: what runs now
  bool running_ = false;
  bool at_end_ = false;  // a visit comes at the end of what runs
};

}  // namespace axl::node
