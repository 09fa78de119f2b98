// One attempt to reach a host and port: look up, filter, try each address in turn.
//
// Each address gets its time for connecting and, with TLS, the handshake together; the first that works wins.
//
// Source: overlay links and sessions, section 2.1 (host resolution).
#pragma once

#include <asio/io_context.hpp>
#include <axl/key.hpp>
#include <axl/result.hpp>
#include <axl/time.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/stream.hpp"
#include "net/connection.hpp"
#include "net/endpoint.hpp"
#include "net/tls.hpp"

namespace axl::net {

struct Dialed {
  std::unique_ptr<Stream> stream;  ///< a TcpStream, or a TlsStream whose handshake is done
  Endpoint remote;
  std::string remote_text;  ///< ip:port
  std::string local_text;   ///< ip:port of our end
  /// TLS: the key in the other end's certificate, if that is one which a node made for itself.
  std::optional<PublicKey> certificate_key;
};

class Dialer {
 public:
  struct Options {
    std::optional<TlsContext> tls;
    std::string server_name;  ///< sent with TLS; empty sends none
    Duration limit_per_address{std::chrono::seconds{5}};
    std::string source_interface;  ///< empty: the system chooses
    bool overlay_too = false;      ///< also dial 200::/7
    StreamOptions stream;
  };
  using Done = std::function<void(Result<Dialed>)>;

  /// `host` is an address, with or without brackets, or a name. `done` is called once, on the loop, never inside this
  /// constructor. It may destroy the dialler.
  Dialer(asio::io_context& context, std::string host, std::uint16_t port, Options options, Done done);
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;
  ~Dialer();  ///< gives up; no call comes any more

 private:
  class Attempt;
  std::shared_ptr<Attempt> attempt_;
};

}  // namespace axl::net
