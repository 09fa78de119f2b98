// Answers MCP and A2A envelopes of older peers out of this node's services.
//
// Source: bridge, sections 4, 5, 6 and 8.4 (our role: responder).
#pragma once

#include <axl/bytes.hpp>
#include <axl/key.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "core/scheduler.hpp"
#include "services/service_table.hpp"

namespace axl::services {

class EnvelopeResponder {
 public:
  /// Called once, never inside the call that took it: the body of the answer frame.
  using AnswerHandler = std::function<void(Bytes answer)>;

  /// `agent`: the A2A agent, when there is one at the time of a call.
  EnvelopeResponder(ServiceTable& services, std::function<std::optional<Backend>()> agent, Scheduler& scheduler);
  EnvelopeResponder(const EnvelopeResponder&) = delete;
  EnvelopeResponder& operator=(const EnvelopeResponder&) = delete;
  ~EnvelopeResponder();  ///< cuts what is under way; calls no handler

  /// Empty and untouched when `frame` is a plain message; else the answer comes within 29 s. Destroying the returned
  /// object cancels.
  class Call;
  [[nodiscard]] std::unique_ptr<Call> answer(const PublicKey& caller, ByteSpan frame, AnswerHandler handler);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class EnvelopeResponder::Call {
 public:
  Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  virtual ~Call() = default;
};

}  // namespace axl::services
