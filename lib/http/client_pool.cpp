#include "http/client_pool.hpp"

#include <algorithm>
#include <utility>

namespace axl::http {

namespace {
constexpr int kTicksPerSilence = 8;
}

// Someone who waits for a connection; without a handler once served or gone.
struct ClientPool::Request {
  std::uint64_t id = 0;
  bool fresh = false;
  LeaseHandler handler;
};

class ClientPool::PooledWaiting final : public Waiting {
 public:
  PooledWaiting(std::weak_ptr<ClientPool> pool, std::shared_ptr<Request> request)
      : pool_{std::move(pool)}, request_{std::move(request)} {}
  ~PooledWaiting() override {
    request_->handler = nullptr;
    if (const auto pool = pool_.lock()) pool->waiting_.erase(request_->id);
  }

 private:
  std::weak_ptr<ClientPool> pool_;
  std::shared_ptr<Request> request_;
};

class ClientPool::PooledLease final : public Lease {
 public:
  PooledLease(std::weak_ptr<ClientPool> pool, std::unique_ptr<ClientConnection> connection, bool reused)
      : pool_{std::move(pool)}, connection_{std::move(connection)}, reused_{reused} {}
  ~PooledLease() override {
    if (const auto pool = pool_.lock()) pool->take_back(std::move(connection_));
  }
  [[nodiscard]] ClientConnection& connection() noexcept override { return *connection_; }
  [[nodiscard]] bool reused() const noexcept override { return reused_; }

 private:
  std::weak_ptr<ClientPool> pool_;
  std::unique_ptr<ClientConnection> connection_;
  bool reused_;
};

ClientPool::ClientPool(StreamDialer dialer, const PoolLimits& limits, Scheduler& scheduler,
                       std::shared_ptr<IdleConnections> idle)
    : dialer_{std::move(dialer)},
      limits_{limits},
      scheduler_{scheduler},
      idle_{idle ? std::move(idle) : std::make_shared<IdleConnections>()} {}

ClientPool::~ClientPool() {
  while (!mine_.empty()) retire(mine_.back());
  for (const auto& [id, request] : waiting_) {
    scheduler_.executor().post([waits = request] {
      if (const auto handler = std::exchange(waits->handler, nullptr)) {
        handler(Error{Errc::closed, "the pool of connections was closed"});
      }
    });
  }
}

std::unique_ptr<Upstream::Waiting> ClientPool::acquire(const Client& /*client*/, bool fresh, LeaseHandler handler) {
  auto request = std::make_shared<Request>(Request{next_++, fresh, std::move(handler)});
  waiting_.emplace(request->id, request);
  scheduler_.executor().post([weak = weak_from_this(), request] {
    if (const auto pool = weak.lock(); pool && request->handler) pool->serve(request);
  });
  return std::make_unique<PooledWaiting>(weak_from_this(), std::move(request));
}

void ClientPool::serve(const std::shared_ptr<Request>& request) {
  if (auto connection = request->fresh ? nullptr : take_idle()) {
    hand_out(*request, std::move(connection), true);
    return;
  }
  if (connections() >= limits_.connections && !mine_.empty()) retire(mine_.front());
  if (connections() >= limits_.connections) {
    fail(*request, Error{Errc::limit_reached, "too many connections to one server"});
    return;
  }
  ++dialing_;
  dialer_(limits_.dial_timeout, [weak = weak_from_this(), request](Result<std::unique_ptr<Stream>> stream) {
    if (const auto pool = weak.lock()) pool->on_dialed(*request, std::move(stream));
  });
}

void ClientPool::on_dialed(Request& request, Result<std::unique_ptr<Stream>> stream) {
  --dialing_;
  if (!stream) {
    fail(request, stream.error());
    return;
  }
  auto connection =
      std::make_unique<ClientConnection>(*std::move(stream), limits_.client, scheduler_.executor(), scheduler_.now());
  connection->on_change([weak = weak_from_this(), opened = connection.get()] {
    if (opened->usable()) return;
    if (const auto pool = weak.lock()) pool->on_unusable(*opened);
  });
  if (request.handler) {
    hand_out(request, std::move(connection), false);
  } else {
    keep(std::move(connection));  // who wanted it has gone
  }
}

void ClientPool::fail(Request& request, const Error& error) {
  waiting_.erase(request.id);
  if (const auto handler = std::exchange(request.handler, nullptr)) handler(error);
}

std::unique_ptr<Lease> ClientPool::lease_idle(const Client& /*client*/) {
  auto connection = take_idle();
  return connection ? lease(std::move(connection), true) : nullptr;
}

std::unique_ptr<Lease> ClientPool::lease(std::unique_ptr<ClientConnection> connection, bool reused) {
  ++leased_;
  if (limits_.client.silence_timeout) {
    connection->on_tick(scheduler_.now());
    timed_.push_back(connection.get());
    arm();
  }
  return std::make_unique<PooledLease>(weak_from_this(), std::move(connection), reused);
}

void ClientPool::hand_out(Request& request, std::unique_ptr<ClientConnection> connection, bool reused) {
  waiting_.erase(request.id);
  const auto handler = std::exchange(request.handler, nullptr);
  handler(lease(std::move(connection), reused));
}

void ClientPool::take_back(std::unique_ptr<ClientConnection> connection) {
  --leased_;
  if (limits_.client.silence_timeout) std::erase(timed_, connection.get());
  if (connection->in_flight() == 0 && connection->usable()) keep(std::move(connection));
}

void ClientPool::keep(std::unique_ptr<ClientConnection> connection) {
  idle_->idle_.push_back({this, std::move(connection), scheduler_.now()});
  mine_.push_back(std::prev(idle_->idle_.end()));
  arm();
  const auto shared = idle_;
  while (shared->idle_.size() > shared->most_) shared->idle_.front().pool->retire(shared->idle_.begin());
}

// The one used last: the others may then grow old and go.
std::unique_ptr<ClientConnection> ClientPool::take_idle() {
  while (!mine_.empty()) {
    const auto place = mine_.back();
    mine_.pop_back();
    auto connection = std::move(place->connection);
    idle_->idle_.erase(place);
    if (connection->usable()) return connection;
  }
  return nullptr;
}

void ClientPool::on_unusable(const ClientConnection& connection) {
  const auto found = std::find_if(mine_.begin(), mine_.end(),
                                  [&](const auto place) { return place->connection.get() == &connection; });
  if (found != mine_.end()) retire(*found);
}

// Closes it in order, which takes the stream until the end of this turn.
void ClientPool::retire(IdleList::iterator place) {
  std::shared_ptr<ClientConnection> connection = std::move(place->connection);
  std::erase(mine_, place);
  idle_->idle_.erase(place);
  connection->close();
  scheduler_.executor().post([connection] {});
}

void ClientPool::arm() {
  std::optional<Time> next;
  if (!mine_.empty()) next = mine_.front()->since + limits_.idle_timeout;
  if (!timed_.empty()) {
    const auto tick = scheduler_.now() + *limits_.client.silence_timeout / kTicksPerSilence;
    next = next ? std::min(*next, tick) : tick;
  }
  if (!next || (armed_ && *armed_ <= *next)) return;
  if (!timer_) timer_ = scheduler_.make_timer([this] { on_timer(); });
  armed_ = next;
  timer_->arm(*next);
}

void ClientPool::on_timer() {
  const auto self = shared_from_this();
  armed_.reset();
  const auto now = scheduler_.now();
  while (!mine_.empty() && now - mine_.front()->since >= limits_.idle_timeout) retire(mine_.front());
  for (auto* connection : std::vector<ClientConnection*>{timed_}) {
    if (std::find(timed_.begin(), timed_.end(), connection) != timed_.end()) connection->on_tick(now);
  }
  arm();
}

}  // namespace axl::http
