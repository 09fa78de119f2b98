// TCP inside the process: IPv6 packets on one side, connections on the other. One lwIP context per stack, so any
// number of stacks run in one process, each on whatever thread calls it, one at a time.
//
// Source: lwIP 2.2.1, rewritten at build time to reach its variables through a context.
#pragma once

#include <axl/key.hpp>
#include <axl/random.hpp>
#include <axl/result.hpp>
#include <axl/time.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "core/buffer.hpp"
#include "core/logger.hpp"
#include "core/stream.hpp"

namespace axl::tcpip {

/// A TCP connection with one overlay peer.
class Connection : public Stream {
 public:
  [[nodiscard]] virtual const PublicKey& peer() const = 0;  ///< the full key that the session proved
  [[nodiscard]] virtual std::uint16_t local_port() const = 0;
  [[nodiscard]] virtual std::uint16_t remote_port() const = 0;
};

/// What the stack asks of the node that owns it.
class StackHost {
 public:
  /// Takes an IPv6 packet for `dest` on its way. False: no room now; the packet stays with the stack, which offers it
  /// again after on_output_ready(). `packet` is taken only when true is returned.
  virtual bool send_packet(const PublicKey& dest, Buffer& packet) = 0;
  /// Asks for a session with `key`; the answer is on_session_up().
  virtual void open_session(const PublicKey& key) = 0;
  [[nodiscard]] virtual bool session_is_up(const PublicKey& key) = 0;

 protected:
  ~StackHost() = default;
};

class Stack {
 public:
  struct Config {
    std::size_t mtu = 16'200;
    std::size_t initial_window = 128 * 1024;
    std::size_t max_window = 8 * 1024 * 1024;
    std::size_t max_connections = 8'192;
    std::size_t max_half_open_per_peer = 16;
    Duration rto_floor{std::chrono::milliseconds{300}};
    Duration half_open_timeout{std::chrono::seconds{3}};
    Duration linger{std::chrono::seconds{30}};  ///< how long close() tries to deliver what is queued
  };
  using AcceptHandler = std::function<void(std::unique_ptr<Connection>)>;
  /// Called once: a connection that is up, or why there is none (refused, timed_out, key_mismatch, limit_reached).
  using ConnectHandler = std::function<void(Result<std::unique_ptr<Connection>>)>;

  Stack(const Config& config, const PublicKey& own_key, Rng& rng, StackHost& host, Logger logger, Time now);
  ~Stack();

  /// A packet from the session with `source`. Filtered first: what lwIP should not see is counted and dropped.
  void input(const PublicKey& source, Buffer packet, Time now);
  void on_tick(Time now);
  /// There may be room again for packets (all, or those to one peer).
  void on_output_ready(Time now);
  void on_session_up(const PublicKey& key, Time now);
  [[nodiscard]] std::optional<Time> next_tick() const;
  /// Runs handlers that are due (accepts, data, writability). Never called from inside input() or on_tick().
  void run_handlers();

  Result<void> listen(std::uint16_t port, AcceptHandler handler);
  void stop_listening(std::uint16_t port);
  void connect(const PublicKey& key, std::uint16_t port, Duration timeout, ConnectHandler handler);

  struct Stats {
    std::uint64_t filtered = 0;  ///< packets that the filter refused
    std::uint64_t asserts = 0;   ///< lwIP assertions that failed (logged, never fatal)
    std::size_t connections = 0;
  };
  [[nodiscard]] Stats stats() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace axl::tcpip
