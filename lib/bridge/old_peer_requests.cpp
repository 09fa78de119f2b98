#include "bridge/old_peer_requests.hpp"

#include <axl/mcp.hpp>
#include <utility>

#include "bridge/old_peer_state.hpp"
#include "http/text.hpp"
#include "mcp/json.hpp"

namespace axl::bridge {

namespace {

constexpr std::string_view kSessionHeader = "Mcp-Session-Id";
constexpr std::string_view kStateless = "2026-07-28";
constexpr int kInternalError = -32603;

using Kind = mcp::JsonRpc::Kind;

// A client that sees none of that revision's errors here begins with `initialize`.
void refuse_stateless(http::Exchange& exchange) {
  exchange.respond_error(400, "This peer is of an older kind: begin with initialize");
}

bool is_stateless(std::string_view version) noexcept { return version >= kStateless; }

// The reference takes any object whose `method` is a string or absent, and `null`.
bool may_be_message(std::string_view body, const mcp::JsonRpc& message) {
  if (mcp::json::type_of(body) == mcp::json::Type::null) return true;
  if (mcp::json::type_of(body) != mcp::json::Type::object) return false;
  if (message.kind != Kind::other && message.kind != Kind::response) return true;
  const auto method = mcp::json::find(body, "method");
  return !method || mcp::json::type_of(*method) == mcp::json::Type::null;
}

/// What is remembered of a POST until its answer comes.
struct Asked {
  PublicKey peer;
  std::string service;
  std::optional<std::string> session;  ///< as the client gave it
  Kind kind = Kind::other;
  std::string id;  ///< as JSON
  bool initialize = false;
};

}  // namespace

OldPeerRequests::OldPeerRequests(const OldPeerConfig& config, Host& host)
    : state_{std::make_unique<State>(config, host)} {}

OldPeerRequests::~OldPeerRequests() = default;

std::size_t OldPeerRequests::under_way() const noexcept { return state_->under_way(); }

namespace {

void answer_mcp(OldPeerRequests::State& state, http::Exchange exchange, const Asked& asked, const MessageBody& answer) {
  if (asked.kind == Kind::notification || asked.kind == Kind::response) {
    exchange.respond(202, {}, {});  // the reference's router takes a backend's 202 for a failure
    return;
  }
  const auto envelope = mcp::read_answer(answer);
  if (!envelope) return exchange.respond_error(502, "Invalid response from peer");
  http::Headers headers;
  if (asked.session) headers.set(kSessionHeader, *asked.session);
  if (envelope->error) {
    const auto error = mcp::encode_rpc_error(asked.id, kInternalError, *envelope->error);
    return respond_json(exchange, error, std::move(headers));
  }
  if (asked.initialize && mcp::json::find(envelope->response, "result")) {
    headers.set(kSessionHeader, state.sessions.mint(asked.peer, asked.service, state.host.rng(), state.host.now()));
  }
  respond_json(exchange, envelope->response, std::move(headers));
}

void post_mcp(OldPeerRequests::State& state, http::Exchange exchange, Asked asked, const MessageBody& bytes,
              BodyGate::Ticket ticket) {
  const auto body = mcp::json::trim(as_text(bytes));
  const auto message = mcp::peek(as_bytes(body));
  if (!message || !may_be_message(body, *message)) return exchange.respond_error(400, "Invalid JSON-RPC");
  if (message->method == "server/discover" || is_stateless(message->meta_version.value_or(std::string{}))) {
    return refuse_stateless(exchange);
  }
  asked.initialize = message->method == "initialize";
  if (asked.initialize) asked.session.reset();
  if (asked.session && !state.sessions.use(*asked.session, asked.peer, asked.service, state.host.now())) {
    return exchange.respond_error(404, "Invalid or expired session");
  }
  if (message->method == "notifications/initialized") {
    // Not sent: behind an old peer there is no session that it could open, and its router would take the server's 202
    // for a failure.
    exchange.respond(202, {}, {});
    return;
  }
  asked.kind = message->kind;
  asked.id = message->id;
  const auto peer = asked.peer;
  auto envelope = mcp::encode_request(asked.service, body);
  state.call(std::move(exchange), peer, std::move(envelope), std::move(ticket),
             [&state, asked = std::move(asked)](http::Exchange ready, const MessageBody& answer) {
               answer_mcp(state, std::move(ready), asked, answer);
             });
}

}  // namespace

void OldPeerRequests::serve_mcp(http::Exchange exchange, const PublicKey& peer, std::string_view service) {
  const auto& head = exchange.request();
  const auto session = head.headers.get(kSessionHeader);
  if (head.is("DELETE")) {
    if (session) state_->sessions.end(*session, peer, service);
    exchange.respond(200, {}, {});
    return;
  }
  if (!head.is("POST")) {
    return exchange.respond_error(405, "Method not allowed", {{"Allow", "POST, DELETE"}});
  }
  if (is_stateless(http::trim(head.headers.get("MCP-Protocol-Version").value_or(std::string_view{})))) {
    return refuse_stateless(exchange);
  }
  Asked asked;
  asked.peer = peer;
  asked.service = service;
  if (session) asked.session = std::string{*session};
  state_->receive(std::move(exchange),
                  [state = state_.get(), asked = std::move(asked)](http::Exchange ready, Uploaded upload) {
                    post_mcp(*state, std::move(ready), asked, upload.body, std::move(upload.ticket));
                  });
}

}  // namespace axl::bridge
