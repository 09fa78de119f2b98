// One message from the router's queue: leased when it comes, confirmed when it is taken, given back when nobody wants it
// any more. So it is lost neither between the loop and the thread that waits, nor with a wait that ends.
#pragma once

#include <axl/pull.hpp>
#include <axl/router.hpp>
#include <chrono>
#include <memory>
#include <optional>

#include "core/executor.hpp"
#include "node/answer.hpp"

namespace axl::node {

class NodeState;

class QueueReading final : public pull::Source<Message> {
 public:
  /// From the loop to whoever waits; a program that is stopped in a debugger for longer gets the message again.
  static constexpr Duration kLeaseTime{std::chrono::hours{1}};

  QueueReading(NodeState& node, const Router::Selection& wanted);

  void wait(pull::Ready ready) override { leased_->wait(std::move(ready)); }
  [[nodiscard]] Result<Message> take() override;
  void give_up() override;

 private:
  class Lease;

  NodeState& node_;  // used on its loop only, where it is alive
  const std::shared_ptr<Executor> executor_;
  const std::shared_ptr<Answer<std::shared_ptr<Lease>>> leased_;
  const std::shared_ptr<std::optional<Router::WaitId>> waiting_;  // on the loop only
};

}  // namespace axl::node
