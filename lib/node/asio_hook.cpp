#include <axl/asio.hpp>
#include <utility>

#include "node/node_state.hpp"

namespace axl {

Result<std::unique_ptr<Node>> create_node(asio::io_context& context, NodeConfig config) {
  return node::create_node(std::move(config), &context);
}

asio::io_context::executor_type executor_of(Node& node) { return node.state().loop().context().get_executor(); }

}  // namespace axl
