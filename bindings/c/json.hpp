// What a node knows, as JSON texts with the names that the local HTTP API uses.
#pragma once

#include <axl/pubsub.hpp>
#include <axl/service.hpp>
#include <axl/topology.hpp>
#include <string>
#include <vector>

namespace axl::c {

[[nodiscard]] std::string peers_json(const std::vector<Topology::Peer>& peers);
[[nodiscard]] std::string topology_json(const Topology& topology);
[[nodiscard]] std::string known_node_json(const KnownNode& node);
[[nodiscard]] std::string known_nodes_json(const std::vector<KnownNode>& nodes);
/// NULL: it has none.
[[nodiscard]] std::string pubsub_json(const PubSub* pubsub);
[[nodiscard]] std::string services_json(const std::vector<ServiceInfo>& services);

}  // namespace axl::c
