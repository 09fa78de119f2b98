// An HTTP server with the timer it needs.
#pragma once

#include <memory>

#include "bridge/host.hpp"
#include "http/server.hpp"

namespace axl::bridge {

class TimedServer {
 public:
  TimedServer(http::ServerLimits limits, Host& host, http::RequestHandler handler)
      : host_{host}, server_{std::move(limits), host.executor(), std::move(handler)}, timer_{host.make_timer([this] {
          server_.on_tick(host_.now());
          arm();
        })} {}

  void accept(std::unique_ptr<Stream> stream, http::Client client) {
    server_.accept(std::move(stream), std::move(client), host_.now());
    arm();
  }
  void drain() { server_.drain(); }
  [[nodiscard]] std::size_t connections() const noexcept { return server_.connections(); }
  [[nodiscard]] std::uint64_t refused() const noexcept { return server_.refused(); }
  [[nodiscard]] std::size_t answering() const noexcept { return server_.answering(); }

 private:
  void arm() {
    const auto next = server_.next_tick();
    if (next) timer_->arm(*next);
  }

  Host& host_;
  http::Server server_;
  std::unique_ptr<Timer> timer_;
};

}  // namespace axl::bridge
