// Peer and listener URIs: where to connect or listen, and the options in the query.
//
// Source: overlay links and sessions, sections 2.1 and 2.2.
#pragma once

#include <axl/key.hpp>
#include <axl/result.hpp>
#include <axl/time.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace axl::link {

/// The transports built here. `ws wss unix quic socks sockstls` are known and give Errc::not_supported.
enum class Scheme : std::uint8_t { tcp, tls };

struct Uri {
  Scheme scheme = Scheme::tcp;
  std::string host{};      ///< name or IP literal, without brackets and zone; empty (listeners only) for every address
  std::uint16_t port = 0;  ///< 0 (listeners only) for any free one
  std::uint8_t priority = 0;
  std::string password{};                 ///< 0 to 64 bytes; a secret
  std::vector<PublicKey> pinned_keys{};   ///< `key`; dial only
  std::string sni{};                      ///< `sni`; dial only
  std::optional<Duration> max_backoff{};  ///< `maxbackoff`; dial only
  std::string identity{};                 ///< the URI without its query: what a peer entry is known by; holds no secret

  /// The name to send in a TLS handshake: `sni` or the host, unless that is an IP literal; empty for none.
  [[nodiscard]] std::string server_name() const;
};

struct UriRules {
  /// Yggdrasil 0.5.12 asks for 30 s, 0.5.14 for 5.
  Duration smallest_max_backoff{std::chrono::seconds{5}};
};

/// For dialling: host and port are needed.
[[nodiscard]] Result<Uri> parse_peer_uri(std::string_view text, const UriRules& rules = {});
/// For listening: `key`, `sni` and `maxbackoff` are ignored.
[[nodiscard]] Result<Uri> parse_listener_uri(std::string_view text);

[[nodiscard]] bool is_ip_literal(std::string_view host) noexcept;
[[nodiscard]] const char* scheme_name(Scheme scheme) noexcept;

}  // namespace axl::link
