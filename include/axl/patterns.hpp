// Publish/subscribe and aggregation for programs beside the node, over its local HTTP API.
//
//   POST   /pubsub/{topic}       publishes the body
//   GET    /pubsub/{topic}       messages as server-sent events, for as long as the client listens
//   GET    /pubsub               topics, mesh and peers
//   POST   /aggregate/{session}  asks every node of the tree
//   PUT    /aggregate/{session}  what this node says when it is asked; GET shows it, DELETE takes it back
//
// They share the node's PubSub and Convergecast with the program itself. Publish/subscribe begins with its first use;
// questions of others are handed on, and answered, from the start.
#pragma once

#include <axl/api.hpp>
#include <axl/pubsub.hpp>
#include <axl/result.hpp>

namespace axl {

class Node;

struct PatternsOptions {
  /// Those of the program's own PubSub, if it has one.
  PubSubOptions pubsub = {};
  /// Off: there is no `/aggregate`, and the node answers what the program's own Convergecast answers, if anything.
  bool aggregation = true;
  /// Programs of the older kind take part in both: as PubSubOptions::legacy and Convergecast::Options::legacy.
  bool legacy = false;
};

/// Adds the routes to the local API (Node::serve_api), until the node is stopped. already_exists: they are there.
[[nodiscard]] AXL_API Result<void> serve_patterns(Node& node, const PatternsOptions& options = {});

}  // namespace axl
