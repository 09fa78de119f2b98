#include "services/in_process_server.hpp"

#include <utility>

#include "http/pipe.hpp"

namespace axl::services {

class InProcessServer::PipeLease final : public http::Lease {
 public:
  PipeLease(std::unique_ptr<Stream> stream, Scheduler& scheduler)
      : connection_{std::move(stream), {.pipeline = 1, .waiting = 1}, scheduler.executor(), scheduler.now()} {}
  http::ClientConnection& connection() noexcept override { return connection_; }
  bool reused() const noexcept override { return false; }

 private:
  http::ClientConnection connection_;
};

// Its end takes back the wish for a connection.
class InProcessServer::Call final : public http::Upstream::Waiting {
 public:
  explicit Call(std::shared_ptr<bool> wanted) noexcept : wanted_{std::move(wanted)} {}
  ~Call() override { *wanted_ = false; }

 private:
  std::shared_ptr<bool> wanted_;
};

http::ServerLimits in_process_limits() {
  http::ServerLimits limits;
  limits.connection.head.head_bytes = 128UL * 1024;
  limits.unsent_per_key = 128UL * 1024 * 1024;
  limits.unsent = 512UL * 1024 * 1024;
  limits.connection.idle_timeout = std::chrono::hours{1};
  limits.connection.body_timeout = std::chrono::minutes{10};
  limits.connection.write_timeout = std::chrono::minutes{10};
  return limits;
}

InProcessServer::InProcessServer(http::ServerLimits limits, Scheduler& scheduler, http::RequestHandler handler)
    : scheduler_{scheduler},
      max_connections_{limits.connections},
      server_{std::move(limits), scheduler.executor(), std::move(handler)},
      timer_{scheduler.make_timer([this, alive = alive_] {
        server_.on_tick(scheduler_.now());
        if (*alive) arm();
      })} {}

InProcessServer::~InProcessServer() { *alive_ = false; }

void InProcessServer::arm() {
  if (const auto next = server_.next_tick()) timer_->arm(*next);
}

std::unique_ptr<http::Upstream::Waiting> InProcessServer::acquire(const http::Client& client, bool,
                                                                  LeaseHandler handler) {
  auto wanted = std::make_shared<bool>(true);
  scheduler_.executor().post([this, alive = alive_, wanted, client, handler = std::move(handler)] {
    if (*alive && *wanted) connect(client, handler);
  });
  return std::make_unique<Call>(std::move(wanted));
}

void InProcessServer::connect(const http::Client& client, const LeaseHandler& handler) {
  if (server_.connections() >= max_connections_) {
    handler(Error{Errc::limit_reached, "too many requests under way"});
    return;
  }
  auto [near, far] = http::make_pipe(scheduler_.executor());
  server_.accept(std::move(far), client, scheduler_.now());
  arm();
  handler(std::unique_ptr<http::Lease>{std::make_unique<PipeLease>(std::move(near), scheduler_)});
}

}  // namespace axl::services
