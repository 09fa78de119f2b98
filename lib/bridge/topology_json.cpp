#include "bridge/topology_json.hpp"

#include <fmt/format.h>

#include <axl/version.hpp>
#include <chrono>

#include "mcp/json.hpp"

namespace axl::bridge {

namespace {

std::string hex_or_empty(const std::optional<PublicKey>& key) { return key ? key->to_hex() : std::string{}; }

std::string list(const std::vector<std::uint64_t>& numbers) {
  std::string out{'['};
  for (const auto number : numbers) out += (out.size() > 1 ? "," : "") + std::to_string(number);
  return out + ']';
}

std::string peer_json(const Topology::Peer& peer) {
  std::string latency = "null";
  if (peer.latency) {
    latency = fmt::format("{:.3f}", std::chrono::duration<double, std::milli>{*peer.latency}.count());
  }
  return fmt::format(
      R"({{"uri":{},"up":{},"inbound":{},"public_key":"{}","root":"{}","port":{},"coords":{},"priority":{},"cost":{},)"
      R"("latency_ms":{},"rx_bytes":{},"tx_bytes":{},"uptime_s":{},"last_error":{}}})",
      mcp::json::quote(peer.uri), peer.up, peer.inbound, hex_or_empty(peer.key), hex_or_empty(peer.root), peer.port,
      list(peer.coords), peer.priority, peer.cost, latency, peer.rx_bytes, peer.tx_bytes,
      std::chrono::duration_cast<std::chrono::seconds>(peer.uptime).count(), mcp::json::quote(peer.last_error));
}

}  // namespace

std::string topology_json(const Topology& topology, const Router::QueueStats& queue, std::uint16_t tcp_port) {
  std::string out = fmt::format(R"({{"our_ipv6":"{}","our_public_key":"{}","peers":[)",
                                topology.our_address.to_string(), topology.our_key.to_hex());
  for (std::size_t i = 0; i < topology.peers.size(); ++i) out += (i > 0 ? "," : "") + peer_json(topology.peers[i]);
  out += R"(],"tree":[)";
  for (std::size_t i = 0; i < topology.tree.size(); ++i) {
    const auto& entry = topology.tree[i];
    out += fmt::format(R"({}{{"public_key":"{}","parent":"{}","sequence":{}}})", i > 0 ? "," : "", entry.key.to_hex(),
                       entry.parent.to_hex(), entry.sequence);
  }
  out += fmt::format(
      R"(],"our_coords":{},"version":"{}","tcp_port":{},"sessions":{},"queue":{{"messages":{},"bytes":{},"accepted":{},)"
      R"("refused_full":{},"refused_share":{},"duplicates":{}}}}})",
      list(topology.our_coords), kVersion, tcp_port, topology.sessions, queue.messages, queue.bytes, queue.accepted,
      queue.refused_full, queue.refused_share, queue.duplicates);
  return out + '\n';
}

}  // namespace axl::bridge
