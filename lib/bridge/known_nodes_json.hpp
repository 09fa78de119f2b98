// What `/peers` says of nodes.
//
// Source: bridge, section 9, rows 12 and 16.
#pragma once

#include <axl/time.hpp>
#include <axl/topology.hpp>
#include <optional>
#include <string>
#include <vector>

namespace axl::bridge {

/// One JSON object.
[[nodiscard]] std::string known_node_json(const KnownNode& node);
/// One JSON object and a newline. `next`: where the list goes on.
[[nodiscard]] std::string known_nodes_json(const std::vector<KnownNode>& nodes, const std::optional<PublicKey>& next);
/// Milliseconds, as JSON.
[[nodiscard]] std::string milliseconds_json(Duration duration);

}  // namespace axl::bridge
