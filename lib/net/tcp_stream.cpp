#include "net/tcp_stream.hpp"

#include <utility>

namespace axl::net {

TcpStream::TcpStream(Socket socket, const StreamOptions& options)
    : SocketStream{std::move(socket), make_plain_transport(), options} {
  connection().start(std::nullopt, nullptr);
}

}  // namespace axl::net
