// What a node serves to other nodes over the mesh, on its overlay port 7001.
//
// The caller is the key of the end-to-end session that carries the connection; no header can claim it.
//
// Source: bridge, section 8.4.
#pragma once

#include <array>
#include <axl/statistics.hpp>
#include <functional>
#include <memory>

#include "bridge/body_gate.hpp"
#include "bridge/host.hpp"
#include "bridge/inbox.hpp"
#include "bridge/room_waits.hpp"
#include "bridge/timed_server.hpp"
#include "bridge/upload.hpp"
#include "http/routes.hpp"
#include "tcpip/stack.hpp"

namespace axl::services {
class Gateway;
}

namespace axl::bridge {

class PeerApi {
 public:
  using KeyRule = std::function<bool(const PublicKey& key)>;

  /// `allows`: may this key send messages. `trusts`: is its share reserved.
  PeerApi(std::size_t max_message_size, bool reserve, KeyRule allows, KeyRule trusts, Inbox& inbox, BodyGate& gate,
          Host& host);

  /// Services and agent are this one's from now on; it must outlive the server. Null, as in the beginning: none.
  void serve_services(services::Gateway* gateway) noexcept { gateway_ = gateway; }
  void accept(std::unique_ptr<tcpip::Connection> connection);
  void drain() {
    room_waits_.drain();
    server_.drain();
  }
  [[nodiscard]] std::size_t under_way() const noexcept { return server_.answering(); }
  [[nodiscard]] std::size_t connections() const noexcept { return server_.connections(); }
  [[nodiscard]] std::uint64_t refused() const noexcept { return server_.refused(); }
  void count(Statistics& out) const;

 private:
  /// Where a request for the gateway is counted.
  [[nodiscard]] http::StatusCounts& counts_of(std::string_view path) noexcept;
  void serve(http::Exchange exchange);
  void serve_message(http::Exchange exchange);
  void receive(http::Exchange exchange);
  void take(http::Exchange exchange, Uploaded upload);

  KeyRule allows_;
  KeyRule trusts_;
  services::Gateway* gateway_ = nullptr;
  Inbox& inbox_;
  Host& host_;
  const std::string own_host_;  // our address in brackets, as requests name it
  Uploads uploads_;
  RoomWaits room_waits_;
  http::Routes routes_;
  std::array<http::StatusCounts, 3> gateway_counts_ = {};  // /mcp/, /a2a, /services
  TimedServer server_;
};

}  // namespace axl::bridge
