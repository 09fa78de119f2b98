// Answers one MCP envelope out of a service of this node.
//
// Source: bridge, sections 4, 5 and 8.4 (responder, a to d).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "services/envelope_call.hpp"

namespace axl::services {

class McpEnvelopeCall final : public EnvelopeCall {
 public:
  /// `request`: one JSON value.
  McpEnvelopeCall(McpCaller& caller, ServiceTable& services, McpCaller::Message message);

  void begin(Done done) override;
  [[nodiscard]] std::string timed_out() override;
  [[nodiscard]] std::string_view kind() const noexcept override { return "mcp"; }

 private:
  /// The answer that says so.
  [[nodiscard]] std::string fail(std::string why);
  void settle(const Result<Bytes>& answer);

  McpCaller& caller_;
  ServiceTable& services_;
  const std::string service_;
  McpCaller::Message message_;
  Done done_;
  std::unique_ptr<McpCaller::Call> call_;
};

}  // namespace axl::services
