// An HTTP server inside the node, reached through pipes: handlers, processes and the built-in agent are to whoever
// forwards requests what a server elsewhere is.
//
// Every request gets a connection of its own, which carries its caller's key; the caller that goes is a connection cut.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "core/scheduler.hpp"
#include "http/server.hpp"
#include "http/upstream.hpp"

namespace axl::services {

class InProcessServer final : public http::Upstream {
 public:
  /// `scheduler` must outlive it. Limits beyond it: limit_reached, or the server's own 503 for one caller's share.
  InProcessServer(http::ServerLimits limits, Scheduler& scheduler, http::RequestHandler handler);
  InProcessServer(const InProcessServer&) = delete;
  InProcessServer& operator=(const InProcessServer&) = delete;
  ~InProcessServer();  ///< cuts what is under way; calls no handler

  [[nodiscard]] std::unique_ptr<Waiting> acquire(const http::Client& client, bool fresh, LeaseHandler handler) override;

  [[nodiscard]] std::size_t answering() const noexcept { return server_.answering(); }
  void drain() { server_.drain(); }

 private:
  class PipeLease;
  class Call;

  void connect(const http::Client& client, const LeaseHandler& handler);
  void arm();

  Scheduler& scheduler_;
  std::size_t max_connections_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  http::Server server_;
  std::unique_ptr<Timer> timer_;
};

/// Limits for servers that only this node reaches: no second guess about slow callers, who are bounded further out. But
/// answers come whole from here, and wait in full for those who are slow to read them: those are bounded.
[[nodiscard]] http::ServerLimits in_process_limits();

}  // namespace axl::services
