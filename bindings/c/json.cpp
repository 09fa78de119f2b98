#include "json.hpp"

#include <chrono>
#include <string_view>

#include "core/json_text.hpp"

namespace axl::c {

namespace {

/// One JSON object, member by member.
class Object {
 public:
  Object& raw(std::string_view name, std::string_view json) {
    text_ += text_.size() > 1 ? ",\"" : "\"";
    text_ += name;
    text_ += "\":";
    text_ += json;
    return *this;
  }
  Object& text(std::string_view name, std::string_view value) { return raw(name, json::quote(value)); }
  Object& truth(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }
  Object& number(std::string_view name, std::uint64_t value) { return raw(name, std::to_string(value)); }
  [[nodiscard]] std::string done() const { return text_ + '}'; }

 private:
  std::string text_{'{'};
};

template <class List, class Write>
std::string array(const List& list, Write write) {
  std::string out{'['};
  for (const auto& item : list) {
    if (out.size() > 1) out += ',';
    out += write(item);
  }
  return out + ']';
}

std::string numbers(const std::vector<std::uint64_t>& list) {
  return array(list, [](std::uint64_t number) { return std::to_string(number); });
}

std::string hex_or_empty(const std::optional<PublicKey>& key) { return key ? key->to_hex() : std::string{}; }

// Thousandths of a millisecond, without a locale.
std::string milliseconds(const std::optional<Duration>& duration) {
  if (!duration) return "null";
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(*duration).count();
  auto part = std::to_string(1'000 + micros % 1'000);
  part[0] = '.';
  return std::to_string(micros / 1'000) + part;
}

std::uint64_t seconds(Duration duration) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(duration).count());
}

std::string peer_json(const Topology::Peer& peer) {
  return Object{}
      .text("uri", peer.uri)
      .truth("up", peer.up)
      .truth("inbound", peer.inbound)
      .text("public_key", hex_or_empty(peer.key))
      .text("root", hex_or_empty(peer.root))
      .number("port", peer.port)
      .raw("coords", numbers(peer.coords))
      .number("priority", peer.priority)
      .number("cost", peer.cost)
      .raw("latency_ms", milliseconds(peer.latency))
      .number("rx_bytes", peer.rx_bytes)
      .number("tx_bytes", peer.tx_bytes)
      .number("uptime_s", seconds(peer.uptime))
      .text("last_error", peer.last_error)
      .done();
}

}  // namespace

std::string peers_json(const std::vector<Topology::Peer>& peers) { return array(peers, peer_json); }

std::string topology_json(const Topology& topology) {
  const auto tree = array(topology.tree, [](const Topology::TreeEntry& entry) {
    return Object{}
        .text("public_key", entry.key.to_hex())
        .text("parent", entry.parent.to_hex())
        .number("sequence", entry.sequence)
        .done();
  });
  return Object{}
      .text("our_ipv6", topology.our_address.to_string())
      .text("our_public_key", topology.our_key.to_hex())
      .raw("peers", peers_json(topology.peers))
      .raw("tree", tree)
      .raw("our_coords", numbers(topology.our_coords))
      .number("sessions", topology.sessions)
      .number("queued_messages", topology.queued_messages)
      .number("queued_bytes", topology.queued_bytes)
      .number("refused_messages", topology.refused_messages)
      .number("outbox_messages", topology.outbox_messages)
      .done();
}

std::string known_node_json(const KnownNode& node) {
  std::string session = "null";
  if (node.session) {
    session = Object{}
                  .number("rx_bytes", node.session->rx_bytes)
                  .number("tx_bytes", node.session->tx_bytes)
                  .number("uptime_s", seconds(node.session->uptime))
                  .done();
  }
  return Object{}
      .text("public_key", node.key.to_hex())
      .text("address", node.address.to_string())
      .truth("link", node.link)
      .truth("path", node.path)
      .raw("coords", node.coords ? numbers(*node.coords) : "null")
      .raw("session", session)
      .raw("latency_ms", milliseconds(node.latency))
      .truth("old", node.old)
      .done();
}

std::string known_nodes_json(const std::vector<KnownNode>& nodes) { return array(nodes, known_node_json); }

std::string pubsub_json(const PubSub* pubsub) {
  const auto keys = [](const std::vector<PublicKey>& list) {
    return array(list, [](const PublicKey& key) { return json::quote(key.to_hex()); });
  };
  if (pubsub == nullptr) return Object{}.truth("running", false).raw("peers", "[]").raw("topics", "[]").done();
  const auto topics = array(pubsub->topics(), [&](const PubSub::TopicView& topic) {
    return Object{}.text("topic", topic.name).raw("mesh", keys(topic.mesh)).number("peers", topic.peers).done();
  });
  const auto counted = pubsub->statistics();
  return Object{}
      .truth("running", true)
      .raw("peers", keys(pubsub->peers()))
      .raw("topics", topics)
      .number("published", counted.published)
      .number("delivered", counted.delivered)
      .number("received", counted.received)
      .number("duplicates", counted.duplicates)
      .number("refused", counted.refused)
      .number("sent", counted.sent)
      .number("kept_messages", counted.kept_messages)
      .number("kept_bytes", counted.kept_bytes)
      .done();
}

std::string services_json(const std::vector<ServiceInfo>& services) {
  return array(services, [](const ServiceInfo& service) {
    constexpr std::string_view kKinds[] = {"url", "command", "handler"};
    return Object{}
        .text("name", service.name)
        .text("kind", kKinds[static_cast<std::size_t>(service.kind)])
        .text("endpoint", service.endpoint)
        .text("registered_at", service.registered_at)
        .truth("healthy", service.healthy)
        .number("requests", service.use.requests)
        .number("failures", service.use.failures)
        .number("in_flight", service.use.in_flight)
        .done();
  });
}

}  // namespace axl::c
