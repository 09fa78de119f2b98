// Runs a node on a loop that you own, and has its operations take Asio's completion tokens: coroutines, futures, handlers.
// The only public header that needs Asio: the version that the library was built with.
//
//   axl::AsyncNode node{*owned};
//   auto session = co_await node.connect(peer, 4000, axl::use_awaitable);  // axl::Result<axl::AsyncSession>
//
// With the static library only (axl::asio in CMake): whoever runs a loop and whoever uses it share variables of Asio.
#pragma once

#include <asio/io_context.hpp>
#include <axl/asio/node.hpp>
#include <axl/asio/session.hpp>
#include <axl/config.hpp>
#include <axl/node.hpp>
#include <axl/result.hpp>
#include <memory>

namespace axl {

/// Like Node::create, but everything of the node runs on `context`, which you run on one thread, always the same, and
/// which must outlive the node. NodeConfig::run is ignored, Node::poll does nothing, and stop() may be called on that
/// thread only while nothing of the node is on the call stack.
[[nodiscard]] Result<std::unique_ptr<Node>> create_node(asio::io_context& context, NodeConfig config);

}  // namespace axl
