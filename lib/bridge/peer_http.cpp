#include "bridge/peer_http.hpp"

#include <utility>

namespace axl::bridge {

namespace {
constexpr Duration kFallback{std::chrono::seconds{3}};
}  // namespace

// Waits for port 7001, and after a while for 7000 too.
class PeerPools::Attempt final : public http::Upstream::Waiting {
 public:
  Attempt(Host& host, const Config& config, std::shared_ptr<OldPeers> old_peers, const PublicKey& peer,
          http::Upstream::LeaseHandler handler)
      : host_{host},
        config_{config},
        old_peers_{std::move(old_peers)},
        peer_{peer},
        handler_{std::move(handler)},
        timer_{host.make_timer([this] { try_frames(); })} {}

  void begin(http::Upstream& pool, const http::Client& client, bool fresh) {
    timer_->arm(host_.now() + kFallback);
    waiting_ =
        pool.acquire(client, fresh, [this](Result<std::unique_ptr<http::Lease>> lease) { finish(std::move(lease)); });
  }

 private:
  void try_frames() {
    host_.connect(peer_, config_.tcp_port, config_.dial_timeout,
                  [this, alive = std::weak_ptr<bool>{alive_}](Result<std::unique_ptr<tcpip::Connection>> connection) {
                    if (!alive.lock() || !connection) return;  // 7001 may still answer
                    old_peers_->remember(peer_, OldPeers::kSilent, host_.now());
                    finish(Error{Errc::refused, "the peer answers on port 7000 only"});
                  });
  }

  void finish(Result<std::unique_ptr<http::Lease>> lease) {
    timer_->cancel();
    alive_.reset();
    const auto handler = std::move(handler_);
    handler_ = nullptr;
    if (handler) handler(std::move(lease));  // may destroy this
  }

  Host& host_;
  Config config_;
  std::shared_ptr<OldPeers> old_peers_;
  PublicKey peer_;
  http::Upstream::LeaseHandler handler_;  // null once called
  std::unique_ptr<Timer> timer_;
  std::unique_ptr<Waiting> waiting_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

class PeerPools::Probing final : public http::Upstream {
 public:
  Probing(Host& host, const Config& config, std::shared_ptr<OldPeers> old_peers, const PublicKey& peer,
          std::shared_ptr<http::ClientPool> pool)
      : host_{host}, config_{config}, old_peers_{std::move(old_peers)}, peer_{peer}, pool_{std::move(pool)} {}

  std::unique_ptr<Waiting> acquire(const http::Client& client, bool fresh, LeaseHandler handler) override {
    auto attempt = std::make_unique<Attempt>(host_, config_, old_peers_, peer_, std::move(handler));
    attempt->begin(*pool_, client, fresh);
    return attempt;
  }

 private:
  Host& host_;
  Config config_;
  std::shared_ptr<OldPeers> old_peers_;
  PublicKey peer_;
  std::shared_ptr<http::ClientPool> pool_;
};

PeerPools::PeerPools(const Config& config, Host& host, std::shared_ptr<OldPeers> old_peers)
    : config_{config},
      host_{host},
      old_peers_{std::move(old_peers)},
      idle_{std::make_shared<http::IdleConnections>(config.idle_connections)},
      timer_{host.make_timer([this] { sweep(); })} {}

PeerPools::~PeerPools() = default;

std::shared_ptr<http::Upstream> PeerPools::reach(const PublicKey& peer, bool envelope) {
  auto found = peers_.find(peer);
  if (found == peers_.end()) {
    if (peers_.size() >= config_.pools && !make_place()) return {};
    found = peers_.emplace(peer, Peer{.pool = make_pool(peer)}).first;
  }
  auto& entry = found->second;
  entry.used = host_.now();
  if (!armed_) {
    armed_ = true;
    timer_->arm(host_.now() + config_.idle_timeout);
  }
  if (entry.reached || !envelope) return entry.pool;
  return std::make_shared<Probing>(host_, config_, old_peers_, peer, entry.pool);
}

std::shared_ptr<http::ClientPool> PeerPools::make_pool(const PublicKey& peer) {
  auto dial = [this, peer, alive = std::weak_ptr<bool>{alive_}](Duration timeout, http::StreamDialHandler handler) {
    host_.connect(
        peer, config_.http_port, timeout,
        [this, peer, alive, handler = std::move(handler)](Result<std::unique_ptr<tcpip::Connection>> connection) {
          if (alive.lock()) on_connected(peer, connection ? nullptr : &connection.error());
          if (!connection) return handler(connection.error());
          handler(std::unique_ptr<Stream>{std::move(connection).value()});
        });
  };
  const http::PoolLimits limits{.idle_timeout = config_.idle_timeout, .dial_timeout = config_.dial_timeout};
  return std::make_shared<http::ClientPool>(std::move(dial), limits, host_, idle_);
}

void PeerPools::on_connected(const PublicKey& peer, const Error* error) {
  if (error == nullptr) {
    old_peers_->forget(peer);
  } else if (error->is(Errc::refused)) {
    old_peers_->remember(peer, OldPeers::kRefused, host_.now());
  }
  if (const auto found = peers_.find(peer); found != peers_.end()) found->second.reached = error == nullptr;
}

// A pool that nobody holds carries nothing; the one that was wanted longest ago goes.
bool PeerPools::make_place() {
  auto oldest = peers_.end();
  for (auto entry = peers_.begin(); entry != peers_.end(); ++entry) {
    if (entry->second.pool.use_count() > 1) continue;
    if (oldest == peers_.end() || entry->second.used < oldest->second.used) oldest = entry;
  }
  if (oldest == peers_.end()) return false;
  peers_.erase(oldest);
  return true;
}

void PeerPools::sweep() {
  const auto now = host_.now();
  for (auto& [key, peer] : peers_) {
    if (peer.pool.use_count() > 1 || peer.pool->connections() > 0) peer.used = now;
  }
  std::erase_if(peers_, [&](const auto& entry) { return entry.second.used + config_.idle_timeout <= now; });
  armed_ = !peers_.empty();
  if (armed_) timer_->arm(now + config_.idle_timeout);
}

}  // namespace axl::bridge
