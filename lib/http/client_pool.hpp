// Connections to one server, kept open between requests; each carries one request at a time.
//
// Source: bridge, section 8.4 (pools).
#pragma once

#include <axl/time.hpp>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "core/scheduler.hpp"
#include "core/stream.hpp"
#include "http/upstream.hpp"

namespace axl::http {

using StreamDialHandler = std::function<void(Result<std::unique_ptr<Stream>> stream)>;
/// Opens a connection; calls the handler once, never inside this call.
using StreamDialer = std::function<void(Duration timeout, StreamDialHandler handler)>;

struct PoolLimits {
  std::size_t connections = 1'024;  ///< at once; beyond: limit_reached
  Duration idle_timeout{std::chrono::seconds{60}};
  Duration dial_timeout{std::chrono::seconds{30}};
  ClientLimits client{.pipeline = 1, .waiting = 1};
};

class ClientPool;

/// A bound on the idle connections of all pools that share it. The longest idle one goes first.
class IdleConnections {
 public:
  explicit IdleConnections(std::size_t most = 64) noexcept : most_{most} {}
  IdleConnections(const IdleConnections&) = delete;
  IdleConnections& operator=(const IdleConnections&) = delete;
  ~IdleConnections() = default;

  [[nodiscard]] std::size_t size() const noexcept { return idle_.size(); }

 private:
  friend class ClientPool;
  struct Idle {
    ClientPool* pool;  // it removes its own before it goes
    std::unique_ptr<ClientConnection> connection;
    Time since;
  };
  std::size_t most_;
  std::list<Idle> idle_;  // the longest idle one first
};

/// Held by a shared_ptr. Leases may outlive it; their connections then go with them.
class ClientPool final : public Upstream, public std::enable_shared_from_this<ClientPool> {
 public:
  /// `idle`: shared with other pools; without one this pool has a bound of its own. `scheduler` must outlive the pool
  /// and its leases.
  ClientPool(StreamDialer dialer, const PoolLimits& limits, Scheduler& scheduler,
             std::shared_ptr<IdleConnections> idle = {});
  ClientPool(const ClientPool&) = delete;
  ClientPool& operator=(const ClientPool&) = delete;
  ~ClientPool();  ///< who waits fails with `closed`, but not inside this call

  [[nodiscard]] std::unique_ptr<Waiting> acquire(const Client& client, bool fresh, LeaseHandler handler) override;
  [[nodiscard]] std::unique_ptr<Lease> lease_idle(const Client& client) override;

  /// Leased, idle and being opened.
  [[nodiscard]] std::size_t connections() const noexcept { return leased_ + mine_.size() + dialing_; }
  [[nodiscard]] std::size_t idle() const noexcept { return mine_.size(); }

 private:
  class PooledLease;
  class PooledWaiting;
  struct Request;
  using IdleList = std::list<IdleConnections::Idle>;

  void serve(const std::shared_ptr<Request>& request);
  void on_dialed(Request& request, Result<std::unique_ptr<Stream>> stream);
  void fail(Request& request, const Error& error);
  [[nodiscard]] std::unique_ptr<ClientConnection> take_idle();
  [[nodiscard]] std::unique_ptr<Lease> lease(std::unique_ptr<ClientConnection> connection, bool reused);
  void hand_out(Request& request, std::unique_ptr<ClientConnection> connection, bool reused);
  void take_back(std::unique_ptr<ClientConnection> connection);
  void keep(std::unique_ptr<ClientConnection> connection);
  void on_unusable(const ClientConnection& connection);
  void retire(IdleList::iterator place);
  void arm();
  void on_timer();

  StreamDialer dialer_;
  PoolLimits limits_;
  Scheduler& scheduler_;
  std::shared_ptr<IdleConnections> idle_;
  std::vector<IdleList::iterator> mine_;  // of idle_, the longest idle one first
  std::vector<ClientConnection*> timed_;  // leased ones, if their silence is limited
  std::map<std::uint64_t, std::shared_ptr<Request>> waiting_;
  std::uint64_t next_ = 1;
  std::size_t leased_ = 0;
  std::size_t dialing_ = 0;
  std::unique_ptr<Timer> timer_;  // made when first needed
  std::optional<Time> armed_;     // set while the timer runs
};

}  // namespace axl::http
