// What a node counts, for those who watch it. Counters run from the making of the node and never fall.
#pragma once

#include <array>
#include <axl/api.hpp>
#include <axl/router.hpp>
#include <axl/service.hpp>
#include <axl/time.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace axl {

struct Statistics {
  /// Links of one direction.
  struct Links {
    std::size_t up = 0;
    std::uint64_t established = 0;
    std::uint64_t rx_bytes = 0;  ///< above TLS; of links that have ended too
    std::uint64_t tx_bytes = 0;
    std::uint64_t dropped_packets = 0;  ///< transit that the link was too slow for
  };
  /// Connections of peers to one of our two overlay ports.
  struct Port {
    std::size_t connections = 0;
    std::uint64_t accepted = 0;
    std::uint64_t refused = 0;  ///< over a limit, or not on the list of allowed keys
  };
  /// Requests that were answered.
  struct Requests {
    std::string api;    ///< "local": of programs on this machine; "peer": of peers, on port 7001
    std::string route;  ///< one of a fixed list; "other" for what is no route, and for who was turned away
    std::array<std::uint64_t, 5> by_class{};  ///< 1xx to 5xx
  };
  /// Messages that wait to be read, of a topic that programs on this machine have read from.
  struct Topic {
    std::string name;  ///< empty: those without a topic
    std::size_t messages = 0;
  };
  /// Of the process that the node lives in.
  struct Process {
    double cpu_seconds = 0;
    std::size_t resident_bytes = 0;
    std::size_t open_files = 0;
    std::size_t max_files = 0;
  };

  Duration uptime{};

  std::size_t configured_peers = 0;  ///< to be dialled, up or not
  Links inbound;
  Links outbound;
  std::uint64_t refused_links = 0;  ///< incoming ones, before their handshake

  std::size_t tree_nodes = 0;
  std::size_t paths = 0;
  std::size_t lookups = 0;               ///< keys that a path is being looked for
  std::size_t lookup_waiting_bytes = 0;  ///< of packets that wait for a path

  std::size_t sessions = 0;  ///< end to end
  std::uint64_t session_rx_packets = 0;
  std::uint64_t session_rx_bytes = 0;
  std::uint64_t session_tx_packets = 0;
  std::uint64_t session_tx_bytes = 0;
  std::uint64_t expired_packets = 0;   ///< waited for a session that never came up
  std::uint64_t filtered_packets = 0;  ///< of peers, not well-formed
  std::size_t tcp_connections = 0;     ///< on the overlay, of any port

  Router::QueueStats queue;
  std::vector<Topic> topics;         ///< at most 65
  std::size_t messages_sending = 0;  ///< of ours, without a receipt so far
  std::size_t outbox_messages = 0;
  std::size_t outbox_bytes = 0;

  Port frames_port;  ///< 7000
  Port http_port;    ///< 7001
  std::size_t local_connections = 0;
  std::vector<Requests> requests;

  std::vector<ServiceInfo> services;
  ServiceUse agent;            ///< of the A2A agent
  ServiceUse external_router;  ///< names that `router_addr` serves

  std::optional<Process> process;  ///< where the system tells
};

/// Prometheus' text format, version 0.0.4. The number of series depends on this node's configuration and programs, not
/// on what peers do.
[[nodiscard]] AXL_API std::string prometheus_text(const Statistics& statistics);

}  // namespace axl
