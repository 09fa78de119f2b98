// The node's HTTP API for programs on this machine.
//
// Source: bridge, section 3; section 9, rows 9, 17 and 18.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bridge/api_config.hpp"
#include "bridge/health_api.hpp"
#include "bridge/host.hpp"
#include "bridge/inbox.hpp"
#include "bridge/known_nodes_api.hpp"
#include "bridge/mesh_proxy.hpp"
#include "bridge/outbox_api.hpp"
#include "bridge/receiver.hpp"
#include "bridge/sender.hpp"
#include "bridge/timed_server.hpp"
#include "bridge/ws_api.hpp"
#include "core/stream.hpp"
#include "http/local_access.hpp"
#include "http/routes.hpp"

namespace axl::bridge {

class LocalApi {
 public:
  /// `ourselves`: what this node serves to others, for requests to its own key; null: nothing. `statistics`: of the
  /// whole node.
  LocalApi(const ApiConfig& config, Messenger& messenger, Inbox& inbox, Host& host,
           std::shared_ptr<http::Upstream> ourselves, HealthApi::Count statistics);

  void add_route(std::string path, std::vector<std::string> methods, http::RequestHandler handler) {
    routes_.add(std::move(path), std::move(methods), std::move(handler));
  }

  /// The rule of this API, for the node's other local ports.
  [[nodiscard]] http::LocalAccess& access() noexcept { return access_; }

  void accept(std::unique_ptr<Stream> stream) { server_.accept(std::move(stream), http::Client{}); }
  [[nodiscard]] std::size_t connections() const noexcept { return server_.connections(); }
  void count(Statistics& out) const;
  /// No new connection or request; those who wait for a message are answered.
  void drain();
  [[nodiscard]] std::size_t under_way() const noexcept { return server_.answering() + sender_.under_way(); }

 private:
  void serve(http::Exchange exchange);
  void serve_topology(http::Exchange exchange);

  http::LocalAccess access_;
  Inbox& inbox_;
  Host& host_;
  std::uint16_t tcp_port_;
  Receiver receiver_;
  Sender sender_;
  WsApi ws_;
  OutboxApi outbox_;
  HealthApi health_;
  KnownNodesApi known_nodes_;
  http::Routes routes_;
  MeshProxy mesh_;
  TimedServer server_;
};

}  // namespace axl::bridge
