// Accepts connections on a Unix socket that only this user can reach.
//
// The socket's file has mode 0600 from its first moment. A file that a dead server left behind is replaced; one whose
// server lives, and a file that is no socket, are not. Destroying the listener removes the file if it is still its own.
#pragma once

#include <asio/io_context.hpp>
#include <axl/result.hpp>
#include <functional>
#include <memory>
#include <string>

#include "core/logger.hpp"
#include "core/stream.hpp"
#include "net/connection.hpp"

namespace axl::net {

class UnixListener {
 public:
  struct Options {
    StreamOptions stream;
    Logger log;
  };
  using AcceptHandler = std::function<void(std::unique_ptr<Stream> stream)>;

  /// Errors: already_exists (a server lives there, or a file that is no socket), invalid_argument (path too long), and
  /// the system's. `on_accept` may destroy the listener.
  [[nodiscard]] static Result<std::unique_ptr<UnixListener>> open(asio::io_context& context, const std::string& path,
                                                                  Options options, AcceptHandler on_accept);
  UnixListener(const UnixListener&) = delete;
  UnixListener& operator=(const UnixListener&) = delete;
  ~UnixListener();  ///< stops accepting; streams handed out live on

  [[nodiscard]] const std::string& path() const noexcept;

 private:
  struct State;
  explicit UnixListener(std::shared_ptr<State> state) : state_{std::move(state)} {}
  std::shared_ptr<State> state_;
};

}  // namespace axl::net
