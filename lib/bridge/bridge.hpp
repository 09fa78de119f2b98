// The application side of a node, put together: what arrives on overlay ports goes to the router, what the local API
// and the library send goes out.
//
// Source: bridge, sections 2 to 4, 8.4 and 9.
#pragma once

#include <axl/config.hpp>
#include <axl/message.hpp>
#include <axl/result.hpp>
#include <axl/statistics.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bridge/api_config.hpp"
#include "bridge/host.hpp"
#include "bridge/outgoing.hpp"
#include "core/logger.hpp"
#include "core/stream.hpp"
#include "http/server.hpp"
#include "tcpip/stack.hpp"

namespace axl::http {
class LocalAccess;
}

namespace axl::router {
class Dispatcher;
class Leases;
class Services;
}  // namespace axl::router

namespace axl::bridge {

class Bridge {
 public:
  Bridge(const NodeConfig& config, ApiConfig api, Host& host, Logger logger);
  ~Bridge();

  [[nodiscard]] router::Dispatcher& dispatcher();
  [[nodiscard]] router::Leases& leases();
  [[nodiscard]] router::Services& services();

  /// Reserves this peer's share of every budget. The bridge itself does so for allow_peers, and for neighbours that
  /// were dialled (host's topology).
  void favour(const PublicKey& key);
  /// May this key use the node's overlay ports (allow_peers, deny)?
  [[nodiscard]] bool allows(const PublicKey& key) const;

  void accept_frames(std::unique_ptr<tcpip::Connection> connection);  ///< overlay port `tcp_port`
  void accept_http(std::unique_ptr<tcpip::Connection> connection);    ///< overlay port `http_port`
  void accept_local(std::unique_ptr<Stream> stream);                  ///< the local API
  void accept_router(std::unique_ptr<Stream> stream);                 ///< the router's API, for this machine

  /// One more route of the local API, for what stands above: under its rule of who may call, and counted as the others
  /// are. As http::Routes::add().
  void add_local_route(std::string path, std::vector<std::string> methods, http::RequestHandler handler);
  /// Called by drain(), before the bridge waits for what is under way: whoever waits for something is to be answered.
  void on_drain(std::function<void()> handler);

  /// The rule of the local API, for other local ports of this node. Lives as long as the bridge.
  [[nodiscard]] http::LocalAccess& local_access();

  /// Sends in the order of calls, per destination. `destination` may be partial.
  void send(const PublicKey& destination, MessageBody body, SendOptions options, SendHandler handler);

  /// Those that wait for peers that are away.
  [[nodiscard]] std::size_t outbox_messages() const;

  /// Everything that is counted, the host's numbers too.
  [[nodiscard]] Statistics statistics() const;
  /// As far as we have seen, this peer is of the older kind.
  [[nodiscard]] bool is_old(const PublicKey& key) const;

  /// Takes no new connection or request; calls `done` (once) when all that is under way has ended.
  void drain(std::function<void()> done);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace axl::bridge
