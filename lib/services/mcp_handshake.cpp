#include "services/mcp_handshake.hpp"

#include <axl/version.hpp>
#include <utility>

#include "mcp/json.hpp"
#include "services/mcp_headers.hpp"

namespace axl::services {

namespace {

constexpr std::string_view kVersion = "2025-11-25";
constexpr std::string_view kInitialized = R"({"jsonrpc":"2.0","method":"notifications/initialized"})";

std::string initialize() {
  return R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":)" + mcp::json::quote(kVersion) +
         R"(,"capabilities":{},"clientInfo":{"name":"axl","version":)" +
         mcp::json::quote(std::to_string(AXL_VERSION_MAJOR) + "." + std::to_string(AXL_VERSION_MINOR) + "." +
                          std::to_string(AXL_VERSION_PATCH)) +
         "}}}";
}

}  // namespace

McpHandshake::McpHandshake(std::shared_ptr<const Service> service, const PublicKey& caller, DoneHandler done)
    : service_{std::move(service)}, caller_{caller}, done_{std::move(done)} {}

void McpHandshake::begin() {
  post_ = std::make_unique<McpPost>(
      McpPost::Request{.service = service_, .caller = caller_, .body = to_bytes(initialize()), .awaited = "0"},
      [this](Result<McpPost::Answer> answer) {
        auto opened = answer ? session_of(*answer) : Result<McpSession>{answer.error()};
        if (opened) {
          conclude(std::move(*opened));
        } else {
          const auto done = std::exchange(done_, {});
          done(std::move(opened));
        }
      });
}

void McpHandshake::conclude(McpSession opened) {
  session_ = std::move(opened);
  session_.caller = caller_;
  session_.service = service_;
  post_ = std::make_unique<McpPost>(
      McpPost::Request{
          .service = service_, .caller = caller_, .headers = mcp_headers_of(session_), .body = to_bytes(kInitialized)},
      [this](Result<McpPost::Answer> answer) { on_initialized(std::move(answer)); });
}

// A server that dislikes the notification may well serve requests.
void McpHandshake::on_initialized(Result<McpPost::Answer> answer) {
  const auto done = std::exchange(done_, {});
  if (answer) {
    done(std::move(session_));
  } else {
    done(answer.error());
  }
}

Result<McpSession> McpHandshake::session_of(const McpPost::Answer& answer) {
  const auto body = as_text(answer.body);
  const bool is_json = answer.status == 200 && answer.json && mcp::json::is_valid(body);
  const auto result = is_json ? mcp::json::find(body, "result") : std::nullopt;
  if (!result) return Error{Errc::refused, "the service opens no session"};
  McpSession session;
  session.id = answer.session_id.value_or(std::string{});
  if (const auto version = mcp::json::find(*result, "protocolVersion")) {
    session.version = mcp::json::text_of(*version).value_or(std::string{});
  }
  return session;
}

}  // namespace axl::services
