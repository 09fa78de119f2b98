// Answers MCP and A2A envelopes of older peers out of this node's services.
//
// Where there is a service, or an agent, a frame is an envelope as loosely as the reference reads it; where there is
// none, only a frame of exactly an envelope's shape is, and is answered with an error; the rest are plain messages.
//
// Each envelope that a service or the agent leaves without a response is a line in the log, `Stream mcp forward error:` or
// `Stream a2a forward error:`; what is refused here is not.
//
// Source: bridge, sections 1.3, 4, 5, 6 and 8.4 (our role: responder).
#pragma once

#include <axl/bytes.hpp>
#include <axl/key.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "core/logger.hpp"
#include "core/scheduler.hpp"
#include "services/service_table.hpp"

namespace axl::services {

class EnvelopeResponder {
 public:
  /// Called once, never inside the call that took it: the body of the answer frame.
  using AnswerHandler = std::function<void(Bytes answer)>;

  /// `agent`: the A2A agent, when there is one at the time of a call.
  /// `services` and `scheduler` must outlive it.
  EnvelopeResponder(ServiceTable& services, std::function<std::optional<Backend>()> agent, Scheduler& scheduler,
                    Logger logger);
  EnvelopeResponder(const EnvelopeResponder&) = delete;
  EnvelopeResponder& operator=(const EnvelopeResponder&) = delete;
  ~EnvelopeResponder();  ///< cuts what is under way; calls no handler

  /// MCP envelopes for names that the table does not have go to this external router (`/route` below its path), if
  /// `access` lets their caller.
  void use_router(Backend router, ServiceAccess access = {});
  /// Calls of the agent and of the router are counted there; those of services in the table.
  void count_in(std::shared_ptr<ServiceUse> agent, std::shared_ptr<ServiceUse> router);
  /// Who may call the agent; nothing said: everyone.
  void limit_agent(std::function<bool(const PublicKey& caller)> allows);

  /// Empty and untouched when `frame` is a plain message; else the answer comes within 29 s. Destroying the returned
  /// object cancels.
  class Call;
  [[nodiscard]] std::unique_ptr<Call> answer(const PublicKey& caller, ByteSpan frame, AnswerHandler handler);

 private:
  struct State;
  class Answering;
  std::shared_ptr<State> state_;
};

class EnvelopeResponder::Call {
 public:
  Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  virtual ~Call() = default;
};

}  // namespace axl::services
