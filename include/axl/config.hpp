// Everything a node is started with. Plain values; defaults are the daemon's.
#pragma once

#include <axl/api.hpp>
#include <axl/key.hpp>
#include <axl/log.hpp>
#include <axl/result.hpp>
#include <axl/service.hpp>
#include <axl/time.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace axl {

/// Who turns the node's loop.
enum class RunMode : std::uint8_t {
  own_thread,  ///< start() makes a thread, stop() joins it
  poll,        ///< nobody: the owner calls Node::poll()
};

/// Whether TLS of bulk runs on a thread of its own beside the node's loop. Small messages never do.
enum class BulkThread : std::uint8_t {
  automatic,  ///< as long as the loop is busy and a core has time to spare; never with RunMode::poll or a loop of yours
  never,
  always,  ///< whatever else the machine does: for measuring
};

struct NodeConfig {
  struct Peer {
    std::string uri;                    ///< tcp://host:port or tls://host:port, with the options of links, section 2.2
    std::string source_interface = {};  ///< network interface to dial from; empty: any
  };

  /// Empty: a fresh identity at each start.
  std::optional<PrivateKey> identity;
  std::vector<Peer> peers;
  std::vector<std::string> listen;
  /// Keys that may link to our listeners; empty: everyone.
  std::vector<PublicKey> allowed_public_keys;
  /// Keys that may connect to our overlay ports 7000, 7001, 7003 and 7004; empty: everyone. Full keys only.
  std::vector<PublicKey> allow_peers;
  /// Keys that may not, whatever else allows them: neither messages nor services. Full keys only.
  std::vector<PublicKey> deny;
  std::string node_info = "{}";    ///< a JSON object of at most 16384 bytes, told to whoever asks
  bool node_info_privacy = false;  ///< leave out name and version of this build

  std::uint16_t tcp_port = 7000;   ///< overlay port of length-prefixed frames
  std::uint16_t http_port = 7001;  ///< overlay port of HTTP between nodes
  /// Accept messages of peers on the two ports above. Off: the node only dials out and listens where told.
  bool accept_messages = true;

  std::size_t mtu = 16'200;  ///< largest IPv6 packet inside, bytes, 1280 to 65535
  std::size_t max_links = 1'024;
  std::size_t max_handshakes = 64;
  std::size_t max_handshakes_per_address = 8;  ///< loopback is exempt

  std::size_t max_message_size = 16'777'216;
  std::size_t max_concurrent_conns = 128;                 ///< inbound connections on tcp_port
  Duration conn_read_timeout{std::chrono::seconds{60}};   ///< a frame's body must arrive within this
  Duration conn_idle_timeout{std::chrono::seconds{300}};  ///< silence before or inside a frame's length
  Duration dial_timeout{std::chrono::seconds{30}};
  Duration send_timeout{std::chrono::seconds{30}};
  std::size_t recv_queue_messages = 10'000;
  std::size_t recv_queue_bytes = 256UL * 1024 * 1024;

  std::size_t outbox_messages = 1'000;  ///< kept for peers that are away (SendOptions::retry_for)
  std::size_t outbox_bytes = 64UL * 1024 * 1024;

  /// `Host` values that the local API accepts besides loopback's, lower case, without port.
  std::vector<std::string> api_allowed_hosts;
  std::vector<std::string> api_allowed_origins;  ///< `Origin` values that may call the local API
  /// What every request to the local API must carry in X-Axl-Token; empty: none is asked for. Needed for an address
  /// that is not loopback. Printable ASCII, 16 to 512 bytes.
  std::string api_token;
  /// X-From-Peer-Id as the reference writes it: only the key bits that an address carries.
  bool legacy_peer_id = false;

  /// A service of this node: a server at `url`, or a program that it starts.
  struct Service {
    std::string name;
    std::string url = {};                      ///< or `command`
    ServiceCommand command = {};               ///< or `url`
    std::optional<ServiceAccess> access = {};  ///< none: everyone, or with `deny_services` nobody; commands need one
    std::optional<ServiceProbe> probe = {};    ///< of a url
  };
  std::vector<Service> services;
  bool deny_services = false;                           ///< what has no allow list is closed
  bool allow_remote_endpoints = false;                  ///< what registers over HTTP may be on other machines
  Duration service_timeout{std::chrono::seconds{300}};  ///< until a service begins to answer
  /// `http://host` of a router process that MCP calls of peers go to, at `router_port`; empty: the node is the router.
  std::string router_addr;
  std::uint16_t router_port = 9003;
  /// `http://host` of an A2A agent that peers reach, at `a2a_port`; empty: none.
  std::string a2a_addr;
  std::uint16_t a2a_port = 9004;
  bool a2a_skills = false;                  ///< the node's own agent, which offers the services as skills
  std::optional<ServiceAccess> a2a_access;  ///< who may use the agent; none: as for services
  /// Peers of the older kind carry no streams: a streaming call becomes a plain one, and its result the only event.
  bool a2a_stream_downgrade = false;

  RunMode run = RunMode::own_thread;
  BulkThread bulk_thread = BulkThread::automatic;
  LogHook log;
  LogLevel log_level = LogLevel::info;

  /// Checks ranges and combinations; the error names the member as the config file spells it.
  [[nodiscard]] AXL_API Result<void> validate() const;
};

}  // namespace axl
