// A stream over plain TCP.
#pragma once

#include "net/socket_stream.hpp"

namespace axl::net {

class TcpStream final : public SocketStream {
 public:
  /// `socket` is connected. Its options are set here (overlay links and sessions, section 2.6).
  explicit TcpStream(Socket socket, const StreamOptions& options = {});
};

}  // namespace axl::net
