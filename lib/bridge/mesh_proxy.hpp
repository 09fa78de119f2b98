// Serves `/mcp/{peer}/{service}` and `/a2a/{peer}` of the local API: one HTTP proxy to every peer's services.
//
// Requests are streamed to the peer's port 7001 and answers back, with nothing of HTTP lost on the way. A peer of the
// older kind gets envelopes on port 7000 instead. Our own key leads to this node's own services, without the overlay.
//
// Of our own: 204 to OPTIONS, 400 and 405 as in section 3.4, 502 the peer cannot be reached or broke off, 503 +
// Retry-After limits, 504 no answer. Never a JSON-RPC error of ours.
//
// Source: bridge, sections 3.4, 3.5, 8.3 and 8.4.
#pragma once

#include <axl/config.hpp>
#include <axl/key.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "bridge/host.hpp"
#include "bridge/old_peer_requests.hpp"
#include "bridge/old_peers.hpp"
#include "bridge/peer_http.hpp"
#include "http/exchange.hpp"
#include "http/relay.hpp"
#include "http/upstream.hpp"

namespace axl::bridge {

class MeshProxy {
 public:
  struct Config {
    PeerPools::Config pools = {};
    OldPeerConfig old_peers = {};
    /// For the head of an answer, while nothing moves. The far side's own limit is shorter, and says more.
    Duration answer_timeout{std::chrono::seconds{330}};
  };
  [[nodiscard]] static Config config_of(const NodeConfig& config);

  /// `ourselves`: what port 7001 of this node serves, for requests to our own key; null: nothing.
  MeshProxy(const Config& config, Host& host, std::shared_ptr<OldPeers> old_peers,
            std::shared_ptr<http::Upstream> ourselves);
  MeshProxy(const MeshProxy&) = delete;
  MeshProxy& operator=(const MeshProxy&) = delete;
  ~MeshProxy();  ///< cuts what is under way

  void serve_mcp(http::Exchange exchange);  ///< of a path that begins with `/mcp/`
  void serve_a2a(http::Exchange exchange);  ///< of a path that begins with `/a2a/`

  [[nodiscard]] std::size_t under_way() const noexcept;

 private:
  enum class Kind : std::uint8_t { mcp, a2a };
  struct Call;
  class Events;

  void serve(http::Exchange exchange, Kind kind);
  void carry(http::Exchange exchange, Call call);
  [[nodiscard]] const std::string& host_of(const PublicKey& peer);
  void serve_old(http::Exchange exchange, const Call& call);
  void fail(http::Exchange exchange, const Call& call, const Error& error, http::Delivery delivery);

  Config config_;
  Host& host_;
  std::shared_ptr<OldPeers> old_peers_;
  std::shared_ptr<http::Upstream> ourselves_;
  PeerPools pools_;
  OldPeerRequests old_requests_;
  PublicKey hosted_;       // the last peer that was asked
  std::string host_text_;  // its address in brackets
  http::Relays relays_;
};

}  // namespace axl::bridge
