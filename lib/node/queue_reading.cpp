#include "node/queue_reading.hpp"

#include <utility>

#include "node/node_state.hpp"

namespace axl::node {

/// Gives the message back in the end, unless it is taken.
class QueueReading::Lease {
 public:
  Lease(NodeState& node, Router::Leased leased)
      : node_{node}, executor_{node.shared_executor()}, leased_{std::move(leased)} {}
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() {
    executor_->post([&node = node_, id = leased_.id, taken = taken_] {
      if (taken) {
        node.router().confirm(id);
      } else {
        node.router().give_back(id);
      }
    });
  }

  [[nodiscard]] Message take() {
    taken_ = true;
    return std::move(leased_.message);
  }

 private:
  NodeState& node_;
  const std::shared_ptr<Executor> executor_;
  Router::Leased leased_;
  bool taken_ = false;
};

QueueReading::QueueReading(NodeState& node, const Router::Selection& wanted)
    : node_{node},
      executor_{node.shared_executor()},
      leased_{std::make_shared<Answer<std::shared_ptr<Lease>>>()},
      waiting_{std::make_shared<std::optional<Router::WaitId>>()} {
  executor_->post([&node, wanted, waiting = waiting_, done = leased_->handler(leased_)] {
    *waiting = node.router().lease_next(
        wanted, [&node, done](Router::Leased leased) { done(std::make_shared<Lease>(node, std::move(leased))); }, kLeaseTime);
  });
}

Result<Message> QueueReading::take() {
  const auto leased = leased_->take();
  if (!leased) return leased.error();
  return (*leased)->take();
}

void QueueReading::give_up() {
  leased_->give_up();
  executor_->post([&node = node_, waiting = waiting_] {
    if (*waiting) node.router().stop_waiting(**waiting);
  });
}

}  // namespace axl::node
