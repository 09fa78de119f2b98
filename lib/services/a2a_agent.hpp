// The node's own A2A agent: the registered MCP services as skills, live with registrations.
//
// A message holds `{"service":S,"request":JSONRPC}`; it becomes a task that calls the service with the caller's own
// key, and whose artifact is the answer. Cancelling the task cuts the call. A caller uses only services that it may
// use, and sees only its own tasks. Clients of A2A 1.0 and 0.3 are served alike.
//
// Source: bridge, section 6; A2A 1.0 and 0.3. Lives on the loop.
#pragma once

#include <axl/key.hpp>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "a2a/agent_params.hpp"
#include "a2a/agent_rpc.hpp"
#include "a2a/agent_skills.hpp"
#include "a2a/task_store.hpp"
#include "core/scheduler.hpp"
#include "services/a2a_listener.hpp"
#include "services/caller_budget.hpp"
#include "services/in_process_server.hpp"
#include "services/mcp_caller.hpp"
#include "services/service_table.hpp"

namespace axl::services {

struct A2aAgentConfig {
  a2a::AgentIdentity identity;
  PublicKey own_key;  ///< who a caller without a key is
  a2a::TaskStore::Limits tasks = {};
  Duration task_timeout{std::chrono::minutes{10}};
  Duration keep_alive{std::chrono::seconds{15}};  ///< between comments on silent streams
  std::size_t max_request = 16UL * 1024 * 1024;
  std::size_t listeners_per_task = 32;
  std::size_t kept_message = 64UL * 1024;          ///< longer parts of messages are not kept in the history
  std::function<a2a::WallTime()> wall_clock = {};  ///< empty: the system's
};

class A2aAgent {
 public:
  /// `services`, `budget` and `scheduler` must outlive it.
  A2aAgent(A2aAgentConfig config, const ServiceTable& services, CallerBudget& budget, Scheduler& scheduler);
  A2aAgent(const A2aAgent&) = delete;
  A2aAgent& operator=(const A2aAgent&) = delete;
  ~A2aAgent();  ///< cuts what is under way

  /// Where its requests go; may outlive the agent, and answers 503 then.
  [[nodiscard]] const Backend& backend() const noexcept { return backend_; }
  [[nodiscard]] std::size_t running() const noexcept { return runs_.size(); }

 private:
  // A task under way.
  struct Run {
    HeldBytes held;  // what the service is sent
    std::unique_ptr<McpCaller::Call> call;
    std::list<A2aListener> listeners;
  };

  void serve(http::Exchange exchange);
  void serve_card(http::Exchange exchange);
  void serve_rpc(http::Exchange exchange, ByteSpan body);
  void dispatch(http::Exchange exchange, const a2a::RpcCall& call);

  void send(http::Exchange exchange, const a2a::RpcCall& call);
  void get(http::Exchange exchange, const a2a::RpcCall& call);
  void list(http::Exchange exchange, const a2a::RpcCall& call);
  void cancel(http::Exchange exchange, const a2a::RpcCall& call);
  void subscribe(http::Exchange exchange, const a2a::RpcCall& call);

  [[nodiscard]] std::optional<a2a::RpcError> refuse_reply(const PublicKey& caller, const a2a::Message& message,
                                                          a2a::Dialect dialect) const;
  Result<std::string> create(const PublicKey& caller, const a2a::Message& message);
  void listen(const std::string& id, http::Exchange exchange, const a2a::RpcCall& call, a2a::TaskView view);
  void begin(const std::string& id, const PublicKey& caller, const a2a::Message& message);
  [[nodiscard]] Result<std::shared_ptr<const Service>> service_for(const PublicKey& caller,
                                                                   const std::string& name) const;
  void on_event(const std::string& id, const PublicKey& caller, std::string_view notification);
  void on_answer(const std::string& id, const PublicKey& caller, Result<Bytes> answer);
  void finish(const std::string& id, const PublicKey& caller, a2a::TaskState state, std::string text);
  void forget(const std::string& id, A2aListener& listener);
  void keep_alive();

  [[nodiscard]] PublicKey caller_of(const http::Exchange& exchange) const;
  [[nodiscard]] std::string random_id();

  A2aAgentConfig config_;
  const ServiceTable& services_;
  CallerBudget& budget_;
  Scheduler& scheduler_;
  McpCaller caller_;
  a2a::TaskStore store_;
  std::map<std::string, Run, std::less<>> runs_;
  std::unique_ptr<Timer> timer_;  // for keep-alives
  bool armed_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Backend backend_;
};

}  // namespace axl::services
