// What the built-in agent can do: its card, and the MCP request that a message to it holds.
//
// Source: bridge, section 6; A2A 1.0 and 0.3, agent card.
#pragma once

#include <axl/result.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "a2a/agent_task.hpp"

namespace axl::a2a {

struct AgentIdentity {
  std::string name = "AXL A2A Agent";
  std::string description = "The MCP services of this node, as skills";
  std::string version;
  std::string url;  ///< absolute; of the JSON-RPC interface
};

/// For clients of both versions. One skill for each service; `mcp_proxy` when there is none.
[[nodiscard]] std::string encode_agent_card(const AgentIdentity& agent, const std::vector<std::string>& services);

struct SkillRequest {
  std::string service;  ///< empty: not named
  std::string request;  ///< JSON-RPC, one object
};

/// The first part that holds `{"service":S,"request":JSONRPC}`, as text or data; or JSON-RPC alone. Error: malformed,
/// with a text for the task's owner.
[[nodiscard]] Result<SkillRequest> read_skill_request(const Message& message);

/// The request with a progress token, so that the service reports progress; unchanged when it has one, or takes none.
[[nodiscard]] std::string with_progress_token(std::string_view request, std::string_view token);

/// What a `notifications/progress` says, for people; empty when the message is none.
[[nodiscard]] std::optional<std::string> progress_text(std::string_view notification);

}  // namespace axl::a2a
