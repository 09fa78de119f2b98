// What the tests of net/ share: a loop with a limit, connected pairs of streams, and a handler that keeps a record.
#pragma once

#include <asio/io_context.hpp>
#include <axl/key.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "core/stream.hpp"
#include "net/asio_types.hpp"
#include "net/socket_stream.hpp"
#include "net/tls.hpp"
#include "net/tls_stream.hpp"

namespace axl::test {

enum class Kind : std::uint8_t { tcp, tls };

/// Runs the loop until `done` says so; false when that takes longer than `limit`.
bool run_until(asio::io_context& loop, const std::function<bool()>& done,
               std::chrono::seconds limit = std::chrono::seconds{60});
/// Runs the loop for a while, for checks that nothing happens.
void run_for(asio::io_context& loop, std::chrono::milliseconds time);

/// Raises this process's soft limit if it must.
bool allow_descriptors(std::size_t count);

/// Two ends of one TCP connection over loopback; the loops may differ.
std::pair<net::Socket, net::Socket> connected_sockets(asio::io_context& first, asio::io_context& second);

PrivateKey test_key(unsigned number);
net::TlsContext test_listener_context();
net::TlsContext test_dialler_context();

struct StreamPair {
  std::unique_ptr<net::SocketStream> dialled;
  std::unique_ptr<net::SocketStream> accepted;
};
StreamPair make_pair(Kind kind, asio::io_context& dialling, asio::io_context& accepting,
                     const net::StreamOptions& options = {});
inline StreamPair make_pair(Kind kind, asio::io_context& loop, const net::StreamOptions& options = {}) {
  return make_pair(kind, loop, loop, options);
}

/// Bytes that depend on their position and the seed.
Bytes pattern(std::size_t size, std::uint64_t seed);

/// Records what a stream tells; compares received bytes with `expected` as they come.
class Recorder : public StreamHandler {
 public:
  explicit Recorder(ByteSpan expect = {}) : expected{expect} {}
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  virtual ~Recorder() = default;

  void on_data(Buffer data) override;
  void on_end() override { ended = true; }
  void on_writable() override { ++writable; }
  void on_drained() override { ++drained; }
  void on_closed(const Error* error) override;

  ByteSpan expected;
  std::function<void(ByteSpan)> hook;  // after the record is made
  std::size_t received = 0;
  std::size_t largest_piece = 0;
  bool differs = false;
  bool ended = false;
  int writable = 0;
  int drained = 0;
  int closed = 0;
  std::optional<Error> failure;
};

}  // namespace axl::test
