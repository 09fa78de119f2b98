// A stream over TLS over TCP.
//
// Usable from the start: what is written before the handshake is done leaves right after it. A handshake that fails or
// is not done by the deadline ends in on_closed.
#pragma once

#include <axl/key.hpp>
#include <axl/time.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "net/socket_stream.hpp"
#include "net/tls.hpp"

namespace axl::net {

class TlsTransport;

class TlsStream final : public SocketStream {
 public:
  struct Setup {
    std::string server_name;  ///< sent when dialling, and verified if `context` verifies; empty sends none
    std::optional<Time> handshake_deadline;
    std::function<void()> on_open;  ///< the handshake is done
    std::uint64_t records_per_key = std::uint64_t{1} << 23U;
    StreamOptions stream;
  };

  /// `socket` is connected; which side of the handshake this is follows from `context`.
  TlsStream(Socket socket, TlsContext context, Setup setup);

  /// The handshake is done.
  [[nodiscard]] bool opened() const noexcept { return connection().opened(); }
  /// The Ed25519 key in the other end's certificate, if that is one which a node made for itself (its CN is the key).
  /// For the optional check of overlay links and sessions, section 8.2.
  [[nodiscard]] const std::optional<PublicKey>& peer_key() const noexcept;

 private:
  TlsStream(Socket socket, std::unique_ptr<TlsTransport> transport, Setup setup);
  TlsStream(Socket socket, const TlsTransport* view, std::unique_ptr<Transport> transport, Setup setup);
  const TlsTransport* transport_;  // owned by the connection
};

}  // namespace axl::net
