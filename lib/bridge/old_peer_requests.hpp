// MCP and A2A requests to peers of the older kind: envelopes on their port 7000.
//
// Source: bridge, sections 3.4, 3.5, 4 and 8.4 (our role: requester).
#pragma once

#include <axl/key.hpp>
#include <memory>
#include <string_view>

#include "bridge/host.hpp"
#include "http/exchange.hpp"

namespace axl::bridge {

struct OldPeerConfig {
  std::uint16_t tcp_port = 7000;
  std::size_t max_message_size = 16'777'216;
  Duration dial_timeout{std::chrono::seconds{30}};
  Duration answer_timeout{std::chrono::seconds{30}};
  bool a2a_stream_downgrade = false;
};

class OldPeerRequests {
 public:
  OldPeerRequests(const OldPeerConfig& config, Host& host);
  OldPeerRequests(const OldPeerRequests&) = delete;
  OldPeerRequests& operator=(const OldPeerRequests&) = delete;
  ~OldPeerRequests();

  /// Answers `exchange`, whose body has not been read, as section 3.4 does with the FIXes and the rules of 8.4.
  /// `service`: percent-decoded.
  void serve_mcp(http::Exchange exchange, const PublicKey& peer, std::string_view service);
  /// `suffix`: of the path behind the peer, as written, empty or beginning with `/`.
  void serve_a2a(http::Exchange exchange, const PublicKey& peer, std::string_view suffix);
  [[nodiscard]] std::size_t under_way() const noexcept;

  struct State;  ///< for its parts

 private:
  std::unique_ptr<State> state_;
};

}  // namespace axl::bridge
