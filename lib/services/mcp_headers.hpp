// The headers that repeat what a message of revision 2026-07-28 or later says of itself, and those of a session.
//
// Source: bridge, section 8.4 (our role: responder, b and c). MCP 2026-07-28, Streamable HTTP, standard headers.
#pragma once

#include <axl/mcp.hpp>
#include <string>
#include <string_view>

#include "http/headers.hpp"
#include "services/mcp_sessions.hpp"

namespace axl::services {

/// MCP-Protocol-Version, Mcp-Method and Mcp-Name; none when the message names no version.
[[nodiscard]] http::Headers mcp_headers_of(const mcp::JsonRpc& message);

/// Mcp-Session-Id and MCP-Protocol-Version, as far as there are any.
[[nodiscard]] http::Headers mcp_headers_of(const McpSession& session);

/// Text that a header cannot carry as it is becomes `=?base64?...?=`.
[[nodiscard]] std::string encode_mcp_header(std::string_view text);

}  // namespace axl::services
