#include "views.hpp"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "values.hpp"

namespace axl::python {

namespace {

nb::object milliseconds(const std::optional<Duration>& latency) {
  if (!latency) return nb::none();
  return nb::cast(seconds_of(*latency) * 1e3);
}

std::string hex_or_empty(const std::optional<PublicKey>& key) { return key ? key->to_hex() : std::string{}; }

nb::dict dict_of(const Router::QueueStats& queue) {
  nb::dict out;
  out["messages"] = queue.messages;
  out["bytes"] = queue.bytes;
  out["leased"] = queue.leased;
  out["accepted"] = queue.accepted;
  out["refused_full"] = queue.refused_full;
  out["refused_share"] = queue.refused_share;
  out["duplicates"] = queue.duplicates;
  return out;
}

nb::dict dict_of(const Statistics::Links& links) {
  nb::dict out;
  out["up"] = links.up;
  out["established"] = links.established;
  out["rx_bytes"] = links.rx_bytes;
  out["tx_bytes"] = links.tx_bytes;
  out["dropped_packets"] = links.dropped_packets;
  return out;
}

nb::dict dict_of(const Topology::Peer& peer) {
  nb::dict out;
  out["uri"] = text_of(peer.uri);
  out["up"] = peer.up;
  out["inbound"] = peer.inbound;
  out["public_key"] = hex_or_empty(peer.key);
  out["root"] = hex_or_empty(peer.root);
  out["port"] = peer.port;
  out["coords"] = peer.coords;
  out["priority"] = peer.priority;
  out["cost"] = peer.cost;
  out["latency_ms"] = milliseconds(peer.latency);
  out["rx_bytes"] = peer.rx_bytes;
  out["tx_bytes"] = peer.tx_bytes;
  out["uptime_s"] = seconds_of(peer.uptime);
  out["last_error"] = text_of(peer.last_error);
  return out;
}

}  // namespace

nb::object dict_of(const Topology& topology) {
  nb::list peers;
  for (const auto& peer : topology.peers) peers.append(dict_of(peer));
  nb::list tree;
  for (const auto& entry : topology.tree) {
    nb::dict one;
    one["public_key"] = entry.key.to_hex();
    one["parent"] = entry.parent.to_hex();
    one["sequence"] = entry.sequence;
    tree.append(one);
  }
  nb::dict out;
  out["our_ipv6"] = topology.our_address.to_string();
  out["our_public_key"] = topology.our_key.to_hex();
  out["our_coords"] = topology.our_coords;
  out["peers"] = peers;
  out["tree"] = tree;
  out["sessions"] = topology.sessions;
  return nb::object{out};
}

nb::object dict_of(const KnownNode& known) {
  nb::dict out;
  out["public_key"] = known.key.to_hex();
  out["address"] = known.address.to_string();
  out["link"] = known.link;
  out["path"] = known.path;
  out["coords"] = known.coords ? nb::cast(*known.coords) : nb::none();
  out["session"] = nb::none();
  if (known.session) {
    nb::dict session;
    session["rx_bytes"] = known.session->rx_bytes;
    session["tx_bytes"] = known.session->tx_bytes;
    session["uptime_s"] = seconds_of(known.session->uptime);
    out["session"] = session;
  }
  out["latency_ms"] = milliseconds(known.latency);
  out["old"] = known.old;
  return nb::object{out};
}

nb::object dict_of(const ServiceInfo& service) {
  constexpr const char* kKinds[] = {"url", "command", "handler"};
  nb::dict out;
  out["name"] = text_of(service.name);
  out["kind"] = kKinds[static_cast<std::size_t>(service.kind)];
  out["endpoint"] = text_of(service.endpoint);
  out["registered_at"] = service.registered_at;
  out["healthy"] = service.healthy;
  out["requests"] = service.use.requests;
  out["failures"] = service.use.failures;
  out["in_flight"] = service.use.in_flight;
  return nb::object{out};
}

nb::object dict_of(const Statistics& statistics) {
  nb::dict out;
  out["uptime_s"] = seconds_of(statistics.uptime);
  out["configured_peers"] = statistics.configured_peers;
  out["inbound"] = dict_of(statistics.inbound);
  out["outbound"] = dict_of(statistics.outbound);
  out["refused_links"] = statistics.refused_links;
  out["tree_nodes"] = statistics.tree_nodes;
  out["paths"] = statistics.paths;
  out["lookups"] = statistics.lookups;
  out["sessions"] = statistics.sessions;
  out["session_rx_packets"] = statistics.session_rx_packets;
  out["session_rx_bytes"] = statistics.session_rx_bytes;
  out["session_tx_packets"] = statistics.session_tx_packets;
  out["session_tx_bytes"] = statistics.session_tx_bytes;
  out["expired_packets"] = statistics.expired_packets;
  out["filtered_packets"] = statistics.filtered_packets;
  out["tcp_connections"] = statistics.tcp_connections;
  out["queue"] = dict_of(statistics.queue);
  nb::dict topics;
  for (const auto& topic : statistics.topics) topics[text_of(topic.name)] = topic.messages;
  out["topics"] = topics;
  out["messages_sending"] = statistics.messages_sending;
  out["outbox_messages"] = statistics.outbox_messages;
  out["outbox_bytes"] = statistics.outbox_bytes;
  nb::list services;
  for (const auto& service : statistics.services) services.append(dict_of(service));
  out["services"] = services;
  out["prometheus"] = text_of(prometheus_text(statistics));
  return nb::object{out};
}

nb::object dict_of(const NodeEvent& event) {
  constexpr const char* kKinds[] = {"peer_up", "peer_down", "session_up"};
  nb::dict out;
  out["kind"] = kKinds[static_cast<std::size_t>(event.kind)];
  out["key"] = event.key.to_hex();
  out["uri"] = text_of(event.uri);
  out["text"] = text_of(event.text);
  return nb::object{out};
}

}  // namespace axl::python
