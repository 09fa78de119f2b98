#include "net/tls_stream.hpp"

#include <utility>

#include "net/tls_transport.hpp"

namespace axl::net {

TlsStream::TlsStream(Socket socket, TlsContext context, Setup setup)
    : TlsStream{std::move(socket),
                std::make_unique<TlsTransport>(std::move(context), setup.server_name, setup.records_per_key),
                std::move(setup)} {}

TlsStream::TlsStream(Socket socket, std::unique_ptr<TlsTransport> transport, Setup setup)
    : TlsStream{std::move(socket), transport.get(), std::move(transport), std::move(setup)} {}

TlsStream::TlsStream(Socket socket, const TlsTransport* view, std::unique_ptr<Transport> transport, Setup setup)
    : SocketStream{std::move(socket), std::move(transport), setup.stream}, transport_{view} {
  connection().start(setup.handshake_deadline, std::move(setup.on_open));
}

const std::optional<PublicKey>& TlsStream::peer_key() const noexcept { return transport_->peer_key(); }

}  // namespace axl::net
