// Accepts TCP connections on one address and hands them out as streams, plain or TLS.
//
// An accepted stream has not done its TLS handshake yet: whoever takes it counts it against its limits at once, and the
// deadline runs from here. When the process is out of descriptors or memory the listener pauses and tries again;
// connections wait in the kernel meanwhile.
//
// Source: overlay links and sessions, sections 2.6 (socket options) and 3.3 (timing).
#pragma once

#include <asio/io_context.hpp>
#include <axl/result.hpp>
#include <axl/time.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/logger.hpp"
#include "core/stream.hpp"
#include "net/connection.hpp"
#include "net/endpoint.hpp"
#include "net/tls.hpp"

namespace axl::net {

struct Accepted {
  std::unique_ptr<Stream> stream;  ///< a TcpStream or a TlsStream
  Endpoint remote;                 ///< IPv4 even when it came to a dual-stack socket
  std::string remote_text;         ///< ip:port
  std::string local_text;          ///< ip:port of our end
};

class Listener {
 public:
  struct Options {
    std::optional<TlsContext> tls;  ///< set: streams are TLS
    Duration handshake_limit{std::chrono::seconds{6}};
    StreamOptions stream;
    Logger log;
  };
  using AcceptHandler = std::function<void(Accepted)>;

  /// `host` is an address, with or without brackets, or a name (looked up here and now). Empty and [::] mean both
  /// families, 0.0.0.0 IPv4 only. Port 0 takes any free one. `on_accept` may destroy the listener.
  [[nodiscard]] static Result<std::unique_ptr<Listener>> open(asio::io_context& context, const std::string& host,
                                                              std::uint16_t port, Options options,
                                                              AcceptHandler on_accept);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();  ///< stops accepting; streams handed out live on

  /// Where it is bound, with the real port.
  [[nodiscard]] const Endpoint& local() const noexcept;

 private:
  struct State;
  explicit Listener(std::shared_ptr<State> state) : state_{std::move(state)} {}
  std::shared_ptr<State> state_;
};

}  // namespace axl::net
