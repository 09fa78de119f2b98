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

class Core;

/// A TCP connection with one overlay peer. Destroying it aborts it, unless close() was called: then the stack finishes
/// the closing, without a handler.
class Connection : public Stream {
 public:
  [[nodiscard]] virtual const PublicKey& peer() const = 0;  ///< the full key that the session proved
  [[nodiscard]] virtual std::uint16_t local_port() const = 0;
  [[nodiscard]] virtual std::uint16_t remote_port() const = 0;
  /// False: what is written is dropped, for the connection is over, though its handler may not have been told yet.
  [[nodiscard]] virtual bool takes_writes() const { return true; }
};

/// What the stack asks of the node that owns it.
///
/// These may be called from any method of Stack and of Connection, and may call back into the stack: what they bring is
/// worked off when lwIP is done. Packets to our own key are handed back with input().
class StackHost {
 public:
  /// Takes an IPv6 packet for `dest` on its way. False: no room now; the packet stays with the stack, which offers it
  /// again after on_output_ready(), and once a second besides. `packet` is taken only when true is returned.
  virtual bool send_packet(const PublicKey& dest, Buffer& packet) = 0;
  /// Asks for a session with `key`; the answer is on_session_up().
  /// Repeated every second while a connect waits.
  virtual void open_session(const PublicKey& key) = 0;
  [[nodiscard]] virtual bool session_is_up(const PublicKey& key) = 0;
  /// A connection was used from outside: next_tick() is now. For hosts whose users do not run in their turns.
  virtual void on_work() {}

 protected:
  ~StackHost() = default;
};

class Stack {
 public:
  struct Config {
    std::size_t mtu = 16'200;
    std::size_t initial_window = 80 * 1024;
    std::size_t max_window = 8 * 1024 * 1024;
    std::size_t max_connections = 8'192;
    std::size_t max_half_open = 1'024;          ///< SYNs of peers under way; more are dropped
    std::size_t max_half_open_per_peer = 64;
    std::size_t max_opening_per_peer = 32;      ///< own SYNs under way to one peer; other connects wait for their turn
    /// Receive windows beyond the usual, for connections whose readers expect() much, all together and of one peer.
    std::size_t max_lent = 32 * 1024 * 1024;
    std::size_t max_lent_per_peer = 8 * 1024 * 1024;
    Duration rto_floor{std::chrono::milliseconds{300}};
    /// The first packet of a slow peer may take its time, and whoever sends SYNs without end has others at hand: of those
    /// the numbers above are the bound, not this.
    Duration half_open_timeout{std::chrono::seconds{20}};
    Duration linger{std::chrono::seconds{30}};  ///< how long close() tries to deliver what is queued
  };
  using AcceptHandler = std::function<void(std::unique_ptr<Connection>)>;
  /// Called once: a connection that is up, or why there is none (refused, timed_out, key_mismatch, limit_reached).
  using ConnectHandler = std::function<void(Result<std::unique_ptr<Connection>>)>;

  Stack(const Config& config, const PublicKey& own_key, Rng& rng, StackHost& host, Logger logger, Time now);
  /// Connections that are left become closed, without a packet and without a call to any handler.
  ~Stack();
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  /// A packet from the session with `source`. Filtered first: what lwIP should not see is counted and dropped.
  void input(const PublicKey& source, Buffer packet, Time now);
  void on_tick(Time now);
  /// There may be room again for packets (all, or those to one peer).
  void on_output_ready(Time now);
  void on_session_up(const PublicKey& key, Time now);
  /// The host knows why there will be no session with `key` (another key answers, say): its connects end with `error`.
  void on_connect_failed(const PublicKey& key, const Error& error);
  [[nodiscard]] std::optional<Time> next_tick() const;
  /// Runs handlers that are due (accepts, data, writability), then sends what they wrote. To be called after every turn
  /// of the loop in which anything above, or a method of a Connection, was called; next_tick() is due until then.
  void run_handlers();
  /// The same, and tells the time: saves the tick that would otherwise be due to learn it.
  void run_handlers(Time now);

  Result<void> listen(std::uint16_t port, AcceptHandler handler);
  void stop_listening(std::uint16_t port);
  void connect(const PublicKey& key, std::uint16_t port, Duration timeout, ConnectHandler handler);

  struct Stats {
    std::uint64_t filtered = 0;   ///< packets that the filter refused
    std::uint64_t asserts = 0;    ///< lwIP assertions that failed (logged, never fatal)
    std::size_t connections = 0;  ///< half open and waiting ones too
    std::size_t time_wait = 0;    ///< closed, and kept for a second to answer late packets
  };
  [[nodiscard]] Stats stats() const;

 private:
  std::unique_ptr<Core> core_;
};

}  // namespace axl::tcpip
