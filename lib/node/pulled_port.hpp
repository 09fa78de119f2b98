// Sessions that peers have opened to a port, until they are taken.
#pragma once

#include <axl/pull.hpp>
#include <memory>

#include "core/executor.hpp"
#include "node/mailbox.hpp"

namespace axl::node {

class NodeState;

class PulledPort final : public pull::Port, public std::enable_shared_from_this<PulledPort> {
 public:
  PulledPort(NodeState& node, std::uint16_t port);
  Result<void> listen();  ///< once, after construction

  [[nodiscard]] pull::SourceOf<std::shared_ptr<pull::Flow>> accept() override;
  void shut() override;
  [[nodiscard]] Result<void> may_block() const override { return executor_->may_block(); }

 private:
  NodeState& node_;  // used where it is alive: in listen(), and on its loop
  const std::shared_ptr<Executor> executor_;
  const std::uint16_t port_;
  Mailbox<std::shared_ptr<pull::Flow>> sessions_;
};

}  // namespace axl::node
