#include "node/pulled_port.hpp"

#include <utility>

#include "node/answer.hpp"
#include "node/node_state.hpp"

namespace axl::node {

PulledPort::PulledPort(NodeState& node, std::uint16_t port)
    : node_{node}, executor_{node.shared_executor()}, port_{port} {}

// The stack drops the handler when it listens no more. Sessions become flows on the loop, where they can have missed nothing.
Result<void> PulledPort::listen() {
  auto dropped = at_last_copy([self = shared_from_this()] { self->sessions_.end(node_stopped()); });
  return node_.listen(port_, [this, dropped = std::move(dropped)](Session session) {
    const auto flow = pull::make_flow(std::move(session));
    if (!sessions_.put(flow, kBacklog)) flow->abort();
  });
}

pull::SourceOf<std::shared_ptr<pull::Flow>> PulledPort::accept() {
  return take_from(std::shared_ptr<Mailbox<std::shared_ptr<pull::Flow>>>{shared_from_this(), &sessions_}, [](auto& flows) {
    auto flow = std::move(flows.front());
    flows.pop_front();
    return flow;
  });
}

void PulledPort::shut() {
  sessions_.close({Errc::closed, "the acceptor has been destroyed"});
  executor_->post([self = shared_from_this()] { self->node_.stop_listening(self->port_); });
}

}  // namespace axl::node
