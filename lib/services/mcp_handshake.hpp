// Opens a session with an MCP server on a caller's behalf: `initialize`, then `notifications/initialized`.
//
// Source: bridge, section 8.4 (our role: responder, b). MCP, lifecycle. Lives on the loop.
#pragma once

#include <functional>
#include <memory>

#include "services/mcp_post.hpp"
#include "services/mcp_sessions.hpp"

namespace axl::services {

class McpHandshake {
 public:
  /// Called once, never inside a call of this class. May destroy the handshake. Errors: refused, and McpPost's.
  using DoneHandler = std::function<void(Result<McpSession> session)>;

  McpHandshake(std::shared_ptr<const Service> service, const PublicKey& caller, DoneHandler done);
  McpHandshake(const McpHandshake&) = delete;
  McpHandshake& operator=(const McpHandshake&) = delete;

  void begin();                      ///< with an `initialize` of our own
  void conclude(McpSession opened);  ///< behind the caller's: only `notifications/initialized`

  /// What an answer to `initialize` opens; refused when it is an error.
  [[nodiscard]] static Result<McpSession> session_of(const McpPost::Answer& answer);

 private:
  void on_initialized(Result<McpPost::Answer> answer);

  std::shared_ptr<const Service> service_;
  PublicKey caller_;
  DoneHandler done_;
  McpSession session_;
  std::unique_ptr<McpPost> post_;
};

}  // namespace axl::services
