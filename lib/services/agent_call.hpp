// Answers one A2A envelope out of this node's agent: its card, or a request.
//
// Source: bridge, sections 4, 6 and 8.4 (responder, e to g).
#pragma once

#include <axl/a2a.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "services/envelope_call.hpp"
#include "services/fetch.hpp"

namespace axl::services {

class AgentCall final : public EnvelopeCall {
 public:
  AgentCall(Scheduler& scheduler, const PublicKey& caller, Backend agent, const a2a::RequestEnvelope& envelope);

  void begin(Done done) override;
  [[nodiscard]] std::string timed_out() override;
  [[nodiscard]] std::string_view kind() const noexcept override { return "a2a"; }
  /// The answer that needs no agent: streams cannot be carried. Empty: ask the agent.
  [[nodiscard]] static std::optional<std::string> refusal(const a2a::RequestEnvelope& envelope);

 private:
  /// The answer that says so.
  [[nodiscard]] std::string fail(std::string why);
  void settle(const Result<http::Response>& answer);

  Scheduler& scheduler_;
  const PublicKey caller_;
  const Backend agent_;
  const bool card_;
  const Bytes request_;
  Done done_;
  std::unique_ptr<Fetch> fetch_;
};

}  // namespace axl::services
