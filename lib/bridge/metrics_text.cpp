// A node's counters in the text format of Prometheus.
//
// Every label value is a constant, or a name that the owner of this machine has chosen (services, topics that are read):
// a peer cannot make series.
//
// Source: bridge, section 9, rows 4 and 15; Prometheus exposition format 0.0.4.
#include <fmt/format.h>

#include <array>
#include <axl/statistics.hpp>
#include <axl/version.hpp>
#include <chrono>
#include <cmath>
#include <initializer_list>
#include <iterator>
#include <string_view>
#include <utility>

namespace axl {

namespace {

using Label = std::pair<std::string_view, std::string_view>;
using Labels = std::initializer_list<Label>;

class Text {
 public:
  /// One metric; its samples follow.
  void metric(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    fmt::format_to(std::back_inserter(text_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  void sample(Labels labels, std::uint64_t value) {
    begin(labels);
    fmt::format_to(std::back_inserter(text_), " {}\n", value);
  }
  void sample(Labels labels, double value) {
    begin(labels);
    fmt::format_to(std::back_inserter(text_), " {:.3f}\n", std::isfinite(value) ? value : 0.0);
  }
  template <class Value>
  void single(std::string_view name, std::string_view type, std::string_view help, Value value) {
    metric(name, type, help);
    sample({}, value);
  }
  [[nodiscard]] std::string take() && { return std::move(text_); }

 private:
  void begin(Labels labels) {
    text_ += name_;
    if (labels.size() == 0) return;
    char open = '{';
    for (const auto& [name, value] : labels) {
      text_ += std::exchange(open, ',');
      text_.append(name).append("=\"");
      for (const char c : value) {
        switch (c) {
          case '\\': text_ += "\\\\"; break;
          case '"': text_ += "\\\""; break;
          case '\n': text_ += "\\n"; break;
          default: text_ += c;
        }
      }
      text_ += '"';
    }
    text_ += '}';
  }

  std::string_view name_;
  std::string text_;
};

void add_links(Text& text, const Statistics& s) {
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help, auto value) {
    text.metric(name, type, help);
    text.sample({{"direction", "inbound"}}, std::uint64_t{value(s.inbound)});
    text.sample({{"direction", "outbound"}}, std::uint64_t{value(s.outbound)});
  };
  using Links = Statistics::Links;
  each("axl_links", "gauge", "Links that are up.", [](const Links& l) { return l.up; });
  each("axl_links_established_total", "counter", "Links that have come up.",
       [](const Links& l) { return l.established; });
  each("axl_link_received_bytes_total", "counter", "Bytes received on links, above TLS.",
       [](const Links& l) { return l.rx_bytes; });
  each("axl_link_sent_bytes_total", "counter", "Bytes sent on links, above TLS.",
       [](const Links& l) { return l.tx_bytes; });
  each("axl_link_dropped_packets_total", "counter", "Packets in transit that a link was too slow for.",
       [](const Links& l) { return l.dropped_packets; });
  text.single("axl_links_refused_total", "counter", "Incoming links refused before their handshake.", s.refused_links);
  text.single("axl_configured_peers", "gauge", "Peers to be dialled, whether their links are up or not.",
              std::uint64_t{s.configured_peers});
}

void add_overlay(Text& text, const Statistics& s) {
  const auto gauge = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    text.single(name, "gauge", help, value);
  };
  const auto counter = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    text.single(name, "counter", help, value);
  };
  gauge("axl_tree_nodes", "Nodes whose place in the tree is known.", s.tree_nodes);
  gauge("axl_paths", "Nodes that a path is known to.", s.paths);
  gauge("axl_lookups", "Keys that a path is being looked for.", s.lookups);
  gauge("axl_lookup_waiting_bytes", "Bytes of packets that wait for a path.", s.lookup_waiting_bytes);
  gauge("axl_sessions", "End-to-end sessions that are open.", s.sessions);
  counter("axl_session_received_packets_total", "Packets received through sessions.", s.session_rx_packets);
  counter("axl_session_received_bytes_total", "Bytes of these.", s.session_rx_bytes);
  counter("axl_session_sent_packets_total", "Packets sent through sessions.", s.session_tx_packets);
  counter("axl_session_sent_bytes_total", "Bytes of these.", s.session_tx_bytes);
  text.metric("axl_session_dropped_packets_total", "counter", "Packets of sessions that went nowhere.");
  text.sample({{"reason", "no_session"}}, s.expired_packets);
  text.sample({{"reason", "malformed"}}, s.filtered_packets);
  gauge("axl_tcp_connections", "TCP connections on the overlay.", s.tcp_connections);
}

void add_messages(Text& text, const Statistics& s) {
  const auto& queue = s.queue;
  text.single("axl_receive_queue_messages", "gauge", "Messages that wait to be read.", std::uint64_t{queue.messages});
  text.single("axl_receive_queue_bytes", "gauge", "Bytes of these.", std::uint64_t{queue.bytes});
  text.single("axl_receive_queue_leased_messages", "gauge", "Messages read and not confirmed yet.",
              std::uint64_t{queue.leased});
  text.metric("axl_receive_queue_topic_messages", "gauge",
              "Messages that wait, of topics that have been read from; an empty topic: without one.");
  for (const auto& topic : s.topics) text.sample({{"topic", topic.name}}, std::uint64_t{topic.messages});
  text.single("axl_messages_accepted_total", "counter", "Messages taken for this node.", queue.accepted);
  text.single("axl_messages_duplicate_total", "counter", "Messages that came again under a known id.",
              queue.duplicates);
  text.metric("axl_messages_refused_total", "counter", "Messages that found no room.");
  text.sample({{"reason", "full"}}, queue.refused_full);
  text.sample({{"reason", "share"}}, queue.refused_share);
  text.single("axl_messages_sending", "gauge", "Messages to peers that have no receipt so far.",
              std::uint64_t{s.messages_sending});
  text.single("axl_outbox_messages", "gauge", "Messages kept for peers that are away.",
              std::uint64_t{s.outbox_messages});
  text.single("axl_outbox_bytes", "gauge", "Bytes of these.", std::uint64_t{s.outbox_bytes});
}

void add_http(Text& text, const Statistics& s) {
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help, auto value) {
    text.metric(name, type, help);
    text.sample({{"port", "frames"}}, std::uint64_t{value(s.frames_port)});
    text.sample({{"port", "http"}}, std::uint64_t{value(s.http_port)});
  };
  using Port = Statistics::Port;
  each("axl_peer_connections", "gauge", "Connections of peers to overlay ports 7000 (frames) and 7001 (http).",
       [](const Port& p) { return p.connections; });
  each("axl_peer_connections_accepted_total", "counter", "Connections that peers have opened.",
       [](const Port& p) { return p.accepted; });
  each("axl_peer_connections_refused_total", "counter", "Of these, over a limit or not allowed.",
       [](const Port& p) { return p.refused; });
  text.single("axl_local_connections", "gauge", "Connections to the local API.", std::uint64_t{s.local_connections});
  text.metric("axl_http_requests_total", "counter", "HTTP requests that were answered.");
  constexpr std::array<std::string_view, 5> kClasses{"1xx", "2xx", "3xx", "4xx", "5xx"};
  for (const auto& requests : s.requests) {
    for (std::size_t i = 0; i < kClasses.size(); ++i) {
      text.sample({{"api", requests.api}, {"route", requests.route}, {"code", kClasses[i]}}, requests.by_class[i]);
    }
  }
}

void add_services(Text& text, const Statistics& s) {
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help, auto value) {
    text.metric(name, type, help);
    for (const auto& service : s.services) text.sample({{"service", service.name}}, std::uint64_t{value(service.use)});
  };
  each("axl_service_requests_total", "counter", "Requests for services of this node.",
       [](const ServiceUse& use) { return use.requests; });
  each("axl_service_failures_total", "counter", "Of these, without an answer or with a status of 5xx.",
       [](const ServiceUse& use) { return use.failures; });
  each("axl_service_in_flight", "gauge", "Requests for services under way.",
       [](const ServiceUse& use) { return use.in_flight; });
  text.metric("axl_service_healthy", "gauge", "1: the service answered the last request or probe.");
  for (const auto& service : s.services) {
    text.sample({{"service", service.name}}, std::uint64_t{service.healthy ? 1U : 0U});
  }
  const auto both = [&](std::string_view name, std::string_view type, std::string_view help, auto value) {
    text.metric(name, type, help);
    text.sample({{"kind", "agent"}}, std::uint64_t{value(s.agent)});
    text.sample({{"kind", "external_router"}}, std::uint64_t{value(s.external_router)});
  };
  both("axl_backend_requests_total", "counter", "Requests for the A2A agent, and for names of the external router.",
       [](const ServiceUse& use) { return use.requests; });
  both("axl_backend_failures_total", "counter", "Of these, without an answer or with a status of 5xx.",
       [](const ServiceUse& use) { return use.failures; });
  both("axl_backend_in_flight", "gauge", "Of these, under way.", [](const ServiceUse& use) { return use.in_flight; });
}

}  // namespace

std::string prometheus_text(const Statistics& s) {
  Text text;
  text.metric("axl_build_info", "gauge", "1, with the version of this node.");
  text.sample({{"version", kVersion}}, std::uint64_t{1});
  text.single("axl_uptime_seconds", "gauge", "Time since the node was made.",
              std::chrono::duration<double>{s.uptime}.count());
  add_links(text, s);
  add_overlay(text, s);
  add_messages(text, s);
  add_http(text, s);
  add_services(text, s);
  if (s.process) {
    text.single("process_cpu_seconds_total", "counter", "Processor time used.", s.process->cpu_seconds);
    text.single("process_resident_memory_bytes", "gauge", "Memory in use.", std::uint64_t{s.process->resident_bytes});
    text.single("process_open_fds", "gauge", "Open file descriptors.", std::uint64_t{s.process->open_files});
    text.single("process_max_fds", "gauge", "Largest number of these.", std::uint64_t{s.process->max_files});
  }
  return std::move(text).take();
}

}  // namespace axl
