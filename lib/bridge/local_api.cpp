#include "bridge/local_api.hpp"

#include <axl/version.hpp>
#include <utility>

#include "bridge/messenger.hpp"
#include "bridge/topology_json.hpp"

namespace axl::bridge {

namespace {

http::ServerLimits limits() {
  http::ServerLimits out;
  out.connection.server = std::string{"axl/"} + kVersion;
  out.connections = 4'096;
  return out;
}

}  // namespace

LocalApi::LocalApi(const ApiConfig& config, Messenger& messenger, Inbox& inbox, Host& host,
                   std::shared_ptr<http::Upstream> ourselves, HealthApi::Count statistics)
    : access_{{.hosts = config.allowed_hosts, .origins = config.allowed_origins, .token = config.token}},
      inbox_{inbox},
      host_{host},
      tcp_port_{messenger.config().tcp_port},
      receiver_{inbox, host, config.legacy_peer_id},
      sender_{messenger, host, messenger.config().max_message_size},
      ws_{{.messenger = messenger, .inbox = inbox, .host = host, .gate = sender_.gate(),
           .legacy_peer_id = config.legacy_peer_id}},
      outbox_{messenger.outbox(), host},
      health_{host, std::move(statistics)},
      known_nodes_{host, messenger.config().dial_timeout},
      mesh_{MeshProxy::config_of(messenger.config()), host, messenger.old_peers(), std::move(ourselves)},
      server_{limits(), host, [this](http::Exchange exchange) { serve(std::move(exchange)); }} {
  routes_.add("/topology", {"GET", "HEAD"}, [this](http::Exchange exchange) { serve_topology(std::move(exchange)); });
  routes_.add("/health", {"GET", "HEAD"},
              [this](http::Exchange exchange) { health_.serve_health(std::move(exchange)); });
  routes_.add("/metrics", {"GET", "HEAD"},
              [this](http::Exchange exchange) { health_.serve_metrics(std::move(exchange)); });
  routes_.add("/peers", {"GET", "HEAD", "POST", "DELETE"},
              [this](http::Exchange exchange) { known_nodes_.serve(std::move(exchange)); });
  routes_.add("/peers/", {}, [this](http::Exchange exchange) { known_nodes_.serve_one(std::move(exchange)); });
  routes_.add("/send", {}, [this](http::Exchange exchange) { sender_.serve(std::move(exchange)); });
  routes_.add("/outbox", {"GET", "HEAD", "DELETE"},
              [this](http::Exchange exchange) { outbox_.serve(std::move(exchange)); });
  routes_.add("/outbox/", {"GET", "HEAD", "DELETE"},
              [this](http::Exchange exchange) { outbox_.serve_item(std::move(exchange)); });
  routes_.add("/recv", {"GET", "HEAD", "DELETE"},
              [this](http::Exchange exchange) { receiver_.serve(std::move(exchange)); });
  routes_.add("/recv/stream", {"GET", "DELETE"},
              [this](http::Exchange exchange) { receiver_.serve_stream(std::move(exchange)); });
  routes_.add("/recv/", {"DELETE"}, [this](http::Exchange exchange) { receiver_.serve_confirm(std::move(exchange)); });
  routes_.add("/ws", {"GET"}, [this](http::Exchange exchange) { ws_.serve(std::move(exchange)); });
  routes_.add("/mcp/", {}, [this](http::Exchange exchange) { mesh_.serve_mcp(std::move(exchange)); });
  routes_.add("/a2a/", {}, [this](http::Exchange exchange) { mesh_.serve_a2a(std::move(exchange)); });
}

void LocalApi::serve(http::Exchange exchange) {
  exchange.count_answer(&routes_.other());
  exchange.add_header("X-Axl-Version", kVersion);
  if (!access_.admit(exchange)) return;
  routes_.serve(std::move(exchange));
}

void LocalApi::serve_topology(http::Exchange exchange) {
  const auto text = topology_json(host_.topology(), inbox_.dispatcher().stats(), tcp_port_);
  exchange.respond(200, {{"Content-Type", "application/json"}}, Buffer::copy_of(as_bytes(text)));
}

void LocalApi::count(Statistics& out) const {
  routes_.each_count([&out](std::string_view route, const http::StatusCounts& counts) {
    out.requests.push_back({"local", std::string{route}, counts.by_class});
  });
}

void LocalApi::drain() {
  receiver_.drain();
  ws_.drain();
  sender_.drain();
  server_.drain();
}

}  // namespace axl::bridge
