// A program that speaks the Model Context Protocol over its standard input and output, as an HTTP server.
//
// POST, GET and DELETE as in Streamable HTTP. Each session is a process of its own, bound to the key of the caller that
// began it: 404 to anybody else. Requests of the stateless revisions (MCP-Protocol-Version 2026-07-28 and later, no
// session) share one process per caller. A program that keeps ending right after its start is started more and more
// seldom: 503 and Retry-After meanwhile, as when all processes, or a caller's share of them, are in use.
//
// Source: bridge, sections 8.1 and 8.3.
#pragma once

#include <axl/key.hpp>
#include <map>
#include <memory>
#include <string>

#include "core/logger.hpp"
#include "core/scheduler.hpp"
#include "core/system.hpp"
#include "services/caller_budget.hpp"
#include "services/in_process_server.hpp"
#include "services/service_table.hpp"
#include "services/stdio_session.hpp"

namespace axl::services {

class StdioServer final : public http::Upstream, private StdioSession::Owner {
 public:
  /// `system`, `scheduler` and `budget` must outlive it. `name` is for the log.
  StdioServer(std::string name, ProcessOptions command, const StdioLimits& limits, System& system, Scheduler& scheduler,
              CallerBudget& budget, Logger log);
  StdioServer(const StdioServer&) = delete;
  StdioServer& operator=(const StdioServer&) = delete;
  ~StdioServer();  ///< kills all processes and cuts what is open

  [[nodiscard]] std::unique_ptr<Waiting> acquire(const http::Client& client, bool fresh, LeaseHandler handler) override;

  /// Those on their way out too.
  [[nodiscard]] std::size_t processes() const noexcept { return sessions_.size() + shared_.size() + ending_.size(); }

 private:
  using Form = StdioStream::Form;
  struct Ending {
    PublicKey caller;
    std::unique_ptr<Process> process;
  };

  void on_session_over(StdioSession& session) override;
  void on_session_useful() override { failures_ = 0; }
  void on_not_modern() override;

  void serve(http::Exchange exchange);
  void serve_post(http::Exchange exchange);
  void take_post(http::Exchange exchange, Form form, Buffer body);
  void take_stateless(http::Exchange exchange, Form form, const std::vector<StdioMessage>& messages, Buffer body);
  void serve_get(http::Exchange exchange);
  void serve_delete(http::Exchange exchange);

  /// The session that this request names; null: it has been answered.
  [[nodiscard]] StdioSession* session_of(http::Exchange& exchange);
  /// Null: the request has been answered.
  [[nodiscard]] std::unique_ptr<StdioSession> start(http::Exchange& exchange, std::string id);
  [[nodiscard]] std::size_t processes_of(const PublicKey& caller) const;
  void note_failure();
  void retire(std::unique_ptr<StdioSession> session);
  void sweep();
  void on_tick();
  void log_errors_of(Process& process);

  const std::string name_;
  const ProcessOptions command_;
  const StdioLimits limits_;
  System& system_;
  Scheduler& scheduler_;
  CallerBudget& budget_;
  const Logger log_;
  std::map<std::string, std::unique_ptr<StdioSession>> sessions_;  // by id
  std::map<PublicKey, std::unique_ptr<StdioSession>> shared_;      // by caller
  std::map<std::uint64_t, Ending> ending_;                         // told to end
  std::uint64_t next_ending_ = 0;
  unsigned failures_ = 0;  // ends right after the start, in a row
  Time start_after_{};
  Time not_modern_until_{};
  bool sweeping_ = false;
  std::unique_ptr<Timer> timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  InProcessServer server_;  // the first to go: it calls nobody then
};

/// A command service as the table wants it.
[[nodiscard]] Backend make_stdio_backend(std::string name, ProcessOptions command, const StdioLimits& limits,
                                         System& system, Scheduler& scheduler, CallerBudget& budget, Logger log);

}  // namespace axl::services
