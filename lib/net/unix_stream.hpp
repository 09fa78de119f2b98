// A stream over a Unix socket: the same as over TCP, without the network.
#pragma once

#include <asio/io_context.hpp>
#include <axl/result.hpp>
#include <axl/time.hpp>
#include <functional>
#include <memory>
#include <string>

#include "net/socket_stream.hpp"

namespace axl::net {

class UnixStream final : public SocketStream {
 public:
  /// Takes the connected socket `descriptor`, and closes it if it cannot be used.
  [[nodiscard]] static Result<std::unique_ptr<Stream>> adopt(asio::io_context& context, int descriptor,
                                                             const StreamOptions& options = {});

 private:
  UnixStream(Socket socket, const StreamOptions& options);
};

/// One attempt to reach the server that listens on `path`.
class UnixDialer {
 public:
  using Done = std::function<void(Result<std::unique_ptr<Stream>> stream)>;

  /// `done` is called once, never inside this constructor; it may destroy the dialler. A server whose queue of
  /// connections is full is tried again until `timeout`.
  UnixDialer(asio::io_context& context, const std::string& path, Duration timeout, Done done);
  UnixDialer(const UnixDialer&) = delete;
  UnixDialer& operator=(const UnixDialer&) = delete;
  ~UnixDialer();  ///< no call comes any more

 private:
  class Attempt;
  std::shared_ptr<Attempt> attempt_;
};

}  // namespace axl::net
