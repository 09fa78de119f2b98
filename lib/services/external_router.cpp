#include "services/external_router.hpp"

#include <axl/mcp.hpp>
#include <utility>

#include "http/target.hpp"
#include "mcp/json.hpp"
#include "services/backend_request.hpp"

namespace axl::services {

namespace {

constexpr std::string_view kStateless = "2026-07-28";

Bytes bytes_of(std::string_view text) {
  const auto bytes = as_bytes(text);
  return Bytes{bytes.begin(), bytes.end()};
}

void respond_text(ServiceReply& reply, int status, std::string_view text, HeaderList headers = {}) {
  headers.emplace_back("Content-Type", "text/plain; charset=utf-8");
  reply.respond(status, std::move(headers), bytes_of(std::string{text} + "\n"));
}

// Answers the caller with what the router said.
void pass_on(ServiceReply& reply, const Result<http::Response>& answer, bool notification) {
  if (!answer) {
    if (answer.error().is(Errc::timed_out)) return respond_text(reply, 504, "The router did not answer");
    return respond_text(reply, 502, "Failed to contact the router");
  }
  const auto body = as_text(answer->body.span());
  if (!mcp::json::is_valid(body)) return respond_text(reply, 502, "Failed to parse the router's answer");
  const auto error = mcp::json::find(body, "error");
  const auto text = error ? mcp::json::text_of(*error).value_or(std::string{}) : std::string{};
  if (!text.empty()) {
    // The reference's router takes a 202, its backend's word for "noted", for a failure.
    if (notification && text == "Service error: 202") return reply.respond(202, {}, {});
    if (text.starts_with("Service not found")) return respond_text(reply, 404, "Service not found");
    if (text == "Service timeout") return respond_text(reply, 504, "The service did not answer");
    return respond_text(reply, 502, "router error: " + text);
  }
  const auto response = mcp::json::find(body, "response");
  if (!response || mcp::json::type_of(*response) == mcp::json::Type::null) return reply.respond(202, {}, {});
  reply.respond_json(*response);
}

}  // namespace

ExternalRouter::ExternalRouter(const Config& config, Backend router, CallerBudget& budget, Scheduler& scheduler)
    : config_{config},
      router_{std::move(router)},
      scheduler_{scheduler},
      own_{make_handler_backend(
          "router", [this](ServiceRequest request, ServiceReply reply) { serve(std::move(request), std::move(reply)); },
          {.max_body = config.max_body}, budget, scheduler)} {}

Backend ExternalRouter::backend(std::string_view service) const {
  auto out = own_;
  out.path += '/';
  out.path += http::percent_encode(service);
  return out;
}

void ExternalRouter::serve(ServiceRequest request, ServiceReply reply) {
  const auto service = http::percent_decode(std::string_view{request.path}.substr(request.path.empty() ? 0 : 1));
  if (!service || service->empty()) return respond_text(reply, 404, "Service not found");
  if (request.method == "DELETE") return reply.respond(200, {}, {});
  if (request.method != "POST") return respond_text(reply, 405, "Method not allowed", {{"Allow", "POST, DELETE"}});
  const auto rpc = mcp::peek(request.body);
  using Kind = mcp::JsonRpc::Kind;
  if (!rpc || rpc->kind == Kind::batch || rpc->kind == Kind::other) return respond_text(reply, 400, "Invalid JSON-RPC");
  if (rpc->method == "server/discover" || rpc->meta_version || request.header("MCP-Protocol-Version") == kStateless) {
    // Not one of that revision's errors, so that a client which knows both begins with `initialize`.
    return respond_text(reply, 400, "This service is reached through a router that knows no such request");
  }
  forward(request, *service, rpc->kind != Kind::request, std::move(reply));
}

void ExternalRouter::forward(const ServiceRequest& request, std::string_view service, bool notification,
                             ServiceReply reply) {
  const auto json = "{\"service\":" + mcp::json::quote(service) + ",\"request\":" + std::string{as_text(request.body)} +
                    ",\"from_peer_id\":\"" + shown_id(request.caller, router_) + "\"}";
  FetchRequest out;
  out.method = "POST";
  out.target = backend_target(router_, "/route", {});
  out.headers = {{"Host", router_.host}, {"Content-Type", "application/json"}, {"Accept", "application/json"}};
  out.body = Buffer::copy_of(as_bytes(json));
  const auto number = next_++;
  // Shared, because the handler of the cancellation belongs to the reply itself.
  auto kept = std::make_shared<ServiceReply>(std::move(reply));
  kept->on_cancel([this, alive = std::weak_ptr{alive_}, number] {
    if (!alive.expired()) under_way_.erase(number);
  });
  under_way_[number] =
      std::make_unique<Fetch>(scheduler_, router_.upstream, http::Client{.key = request.caller}, std::move(out),
                              FetchLimits{.max_body = config_.max_body, .timeout = config_.timeout}, nullptr,
                              [this, number, kept, notification](const Result<http::Response>& answer) {
                                const auto gone = under_way_.extract(number);
                                pass_on(*kept, answer, notification);
                              });
}

}  // namespace axl::services
