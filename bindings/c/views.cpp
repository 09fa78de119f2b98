// Peers and listeners, and what a node shows of itself.
#include <algorithm>

#include "json.hpp"
#include "node.hpp"
#include "status.hpp"

using namespace axl::c;

namespace {

// A text that is made on the loop.
template <class Write>
axl_status text_of(axl_node* node, char** text, Write write) {
  if (node == nullptr || text == nullptr) return missing("no node or no place for a text");
  *text = nullptr;
  return guarded([&] {
    return node->on_loop([&](axl::Node& on) {
      *text = new_text(write(on));
      return AXL_OK;
    });
  });
}

template <class Serve>
axl_status serve(axl_node* node, const char* host, std::uint16_t* bound, Serve serve_on) {
  if (node == nullptr || host == nullptr) return missing("no node or no host");
  return guarded([&] {
    return node->on_loop([&](axl::Node& on) {
      const auto port = serve_on(on);
      if (port && bound != nullptr) *bound = *port;
      return done(port);
    });
  });
}

axl_statistics to_statistics(const axl::Statistics& from) {
  axl_statistics to{};
  to.uptime_ns = static_cast<std::uint64_t>(from.uptime.count());
  to.links_up = from.inbound.up + from.outbound.up;
  to.link_rx_bytes = from.inbound.rx_bytes + from.outbound.rx_bytes;
  to.link_tx_bytes = from.inbound.tx_bytes + from.outbound.tx_bytes;
  to.tree_nodes = from.tree_nodes;
  to.e2e_sessions = from.sessions;
  to.e2e_rx_bytes = from.session_rx_bytes;
  to.e2e_tx_bytes = from.session_tx_bytes;
  to.tcp_connections = from.tcp_connections;
  to.queue_messages = from.queue.messages;
  to.queue_bytes = from.queue.bytes;
  to.queue_leased = from.queue.leased;
  to.queue_accepted = from.queue.accepted;
  to.queue_refused = from.queue.refused_full + from.queue.refused_share;
  to.queue_duplicates = from.queue.duplicates;
  to.messages_sending = from.messages_sending;
  to.outbox_messages = from.outbox_messages;
  to.outbox_bytes = from.outbox_bytes;
  return to;
}

}  // namespace

extern "C" {

axl_status axl_peer_add(axl_node* node, const char* uri) {
  if (node == nullptr || uri == nullptr) return missing("no node or no URI");
  return guarded([&] { return node->on_loop([&](axl::Node& on) { return done(on.add_peer(uri)); }); });
}

axl_status axl_peer_remove(axl_node* node, const char* uri) {
  if (node == nullptr || uri == nullptr) return missing("no node or no URI");
  return guarded([&] { return node->on_loop([&](axl::Node& on) { return done(on.remove_peer(uri)); }); });
}

axl_status axl_listener_add(axl_node* node, const char* uri, char** bound) {
  if (node == nullptr || uri == nullptr) return missing("no node or no URI");
  if (bound != nullptr) *bound = nullptr;
  return guarded([&] {
    return node->on_loop([&](axl::Node& on) {
      const auto listening = on.add_listener(uri);
      if (listening && bound != nullptr) *bound = new_text(*listening);
      return done(listening);
    });
  });
}

axl_status axl_listener(axl_node* node, size_t index, char** uri) {
  if (node == nullptr || uri == nullptr) return missing("no node or no place for a text");
  *uri = nullptr;
  return guarded([&] {
    return node->on_loop([&](axl::Node& on) {
      const auto uris = on.listeners();
      if (index >= uris.size()) return fail(AXL_E_NOT_FOUND, "there are no more listeners");
      *uri = new_text(uris[index]);
      return AXL_OK;
    });
  });
}

axl_status axl_ping(axl_node* node, const axl_key* key, uint32_t timeout_ms, void* user) {
  if (node == nullptr || key == nullptr) return missing("no node or no key");
  return guarded([&] {
    const auto begun = node->operations().begin({.kind = AXL_EVENT_PONG, .user = user, .key = *key});
    if (!begun) return fail(begun.error());
    node->node().ping(to_key(*key), std::chrono::milliseconds{timeout_ms},
                      [operations = node->shared_operations(), operation = *begun](const auto& round_trip) {
                        if (!operations->end(operation)) return;
                        auto item = operations->event_of(*operation);
                        if (round_trip) {
                          item.round_trip_ns = static_cast<std::uint64_t>(round_trip->count());
                        } else {
                          item.status = status_of(round_trip.error());
                          item.text = round_trip.error().text();
                        }
                        operations->report(*operation, std::move(item));
                      });
    return AXL_OK;
  });
}

axl_status axl_peers(axl_node* node, char** json) {
  return text_of(node, json, [](const axl::Node& on) { return peers_json(on.topology().peers); });
}

axl_status axl_topology(axl_node* node, char** json) {
  return text_of(node, json, [](const axl::Node& on) { return topology_json(on.topology()); });
}

axl_status axl_known_nodes(axl_node* node, const axl_key* after, size_t limit, char** json) {
  return text_of(node, json, [&](const axl::Node& on) {
    const auto key = after == nullptr ? axl::PublicKey{} : to_key(*after);
    return known_nodes_json(on.known_nodes(limit, after == nullptr ? nullptr : &key));
  });
}

axl_status axl_known_node(axl_node* node, const axl_key* key, char** json) {
  if (node == nullptr || key == nullptr || json == nullptr) return missing("no node, key or place for a text");
  *json = nullptr;
  return guarded([&] {
    return node->on_loop([&](axl::Node& on) {
      const auto known = on.known_node(to_key(*key));
      if (known) *json = new_text(known_node_json(*known));
      return done(known);
    });
  });
}

axl_status axl_statistics_text(axl_node* node, char** text) {
  return text_of(node, text, [](const axl::Node& on) { return axl::prometheus_text(on.statistics()); });
}

axl_status axl_statistics_get(axl_node* node, axl_statistics* statistics) {
  if (node == nullptr || statistics == nullptr) return missing("no node or no statistics");
  return guarded([&] {
    const auto size = statistics->struct_size;
    if (size < AXL_SIZE_UP_TO(axl_statistics, outbox_bytes)) {
      return fail(AXL_E_INVALID_ARGUMENT, "struct_size is " + std::to_string(size) + ": use AXL_INIT");
    }
    return node->on_loop([&](axl::Node& on) {
      auto filled = to_statistics(on.statistics());
      filled.struct_size = size;
      std::memcpy(statistics, &filled, std::min(size, sizeof filled));
      return AXL_OK;
    });
  });
}

axl_status axl_serve_api(axl_node* node, const char* host, uint16_t port, uint16_t* bound) {
  return serve(node, host, bound, [&](axl::Node& on) { return on.serve_api(host, port); });
}

axl_status axl_serve_router(axl_node* node, const char* host, uint16_t port, uint16_t* bound) {
  return serve(node, host, bound, [&](axl::Node& on) { return on.serve_router(host, port); });
}

}  // extern "C"
