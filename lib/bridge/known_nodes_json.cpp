#include "bridge/known_nodes_json.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>

namespace axl::bridge {

std::string milliseconds_json(Duration duration) {
  return fmt::format("{:.3f}", std::chrono::duration<double, std::milli>{duration}.count());
}

std::string known_node_json(const KnownNode& node) {
  std::string session = "null";
  if (node.session) {
    session = fmt::format(R"({{"rx_bytes":{},"tx_bytes":{},"uptime_s":{}}})", node.session->rx_bytes,
                          node.session->tx_bytes,
                          std::chrono::duration_cast<std::chrono::seconds>(node.session->uptime).count());
  }
  return fmt::format(
      R"({{"public_key":"{}","address":"{}","link":{},"path":{},"coords":{},"session":{},"latency_ms":{},"old":{}}})",
      node.key.to_hex(), node.address.to_string(), node.link, node.path,
      node.coords ? fmt::format("[{}]", fmt::join(*node.coords, ",")) : "null", session,
      node.latency ? milliseconds_json(*node.latency) : "null", node.old);
}

std::string known_nodes_json(const std::vector<KnownNode>& nodes, const std::optional<PublicKey>& next) {
  auto text = fmt::format(R"({{"count":{},"next":{},"peers":[)", nodes.size(),
                          next ? '"' + next->to_hex() + '"' : std::string{"null"});
  for (std::size_t i = 0; i < nodes.size(); ++i) text += (i > 0 ? "," : "") + known_node_json(nodes[i]);
  return text + "]}\n";
}

}  // namespace axl::bridge
