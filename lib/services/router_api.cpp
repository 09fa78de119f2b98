#include "services/router_api.hpp"

#include <axl/version.hpp>
#include <utility>

#include "http/target.hpp"
#include "http/text.hpp"
#include "mcp/json.hpp"
#include "services/backend_request.hpp"
#include "services/registry.hpp"

namespace axl::services {

namespace {

using mcp::json::quote;
using mcp::json::Type;

constexpr std::string_view kRegister = "/register";
constexpr std::string_view kUnknownCaller = "unknown";

http::ServerLimits limits() {
  http::ServerLimits out;
  out.connection.server = std::string{"axl/"} + kVersion;
  return out;
}

void respond_json(http::Exchange& exchange, int status, std::string_view json) {
  exchange.respond(status, {{"Content-Type", "application/json; charset=utf-8"}}, Buffer::copy_of(as_bytes(json)));
}

void respond_plain(http::Exchange& exchange, int status, std::string_view text, http::Headers headers = {}) {
  headers.set("Content-Type", "text/plain; charset=utf-8");
  headers.set("X-Content-Type-Options", "nosniff");
  exchange.respond(status, headers, Buffer::copy_of(as_bytes(text)));
}

void respond_problem(http::Exchange& exchange, int status, std::string_view text) {
  respond_json(exchange, status, "{\"error\": " + quote(text) + "}");
}

void respond_route(http::Exchange& exchange, int status, std::string_view error) {
  respond_json(exchange, status, "{\"response\": null, \"error\": " + quote(error) + "}");
}

/// The text of a member; empty when it is missing, `null` or no string.
std::string member(std::string_view object, std::string_view name) {
  const auto value = mcp::json::find(object, name);
  return value ? mcp::json::text_of(*value).value_or(std::string{}) : std::string{};
}

/// Why this is no JSON object; empty: it is one.
std::string_view no_object(std::string_view body) {
  if (!mcp::json::is_valid(body)) return "Invalid JSON: Expecting value";
  return mcp::json::type_of(mcp::json::trim(body)) == Type::object ? "" : "Invalid JSON: not an object";
}

bool is_json(const http::Headers& headers) {
  auto type = headers.get("Content-Type").value_or(std::string_view{});
  type = http::trim(type.substr(0, type.find(';')));
  return http::equal_ignoring_case(type, "application/json") ||
         (type.size() > 5 && http::equal_ignoring_case(type.substr(type.size() - 5), "+json"));
}

}  // namespace

// One /route under way: ends with the backend's answer, or when its client goes.
class RouterApi::Call final : public http::ExchangeEvents {
 public:
  Call(RouterApi& api, std::uint64_t number, http::Exchange exchange, std::shared_ptr<const Service> service)
      : api_{api}, number_{number}, exchange_{std::move(exchange)}, service_{std::move(service)} {}

  void begin(std::string_view request, std::string_view from, const PublicKey& caller) {
    exchange_.set_events(this);
    const auto& backend = service_->backend;
    FetchRequest out;
    out.method = "POST";
    out.target = backend_target(backend, {}, {});
    out.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json, text/event-stream"}};
    CallerText texts;
    add_identity(out.headers, backend, caller, service_->info.name, texts);
    out.headers.set("X-From-Peer-Id", from);
    out.body = Buffer::copy_of(as_bytes(request));
    fetch_ = std::make_unique<Fetch>(
        api_.scheduler_, backend.upstream, http::Client{.key = caller}, std::move(out),
        FetchLimits{.max_body = api_.config_.max_body, .timeout = api_.config_.timeout},
        [](const http::ResponseHead& head) { return head.status == 200 && is_json(head.headers); },
        [this](const Result<http::Response>& answer) { finish(answer); });
  }

 private:
  void on_aborted(const Error&) override { api_.calls_.erase(number_); }

  // Well is who answers with JSON; 204 says nothing of it. What else an answer may be, the reference counts as failure.
  void finish(const Result<http::Response>& answer) {
    const auto self = api_.calls_.extract(number_);
    if (!answer) {
      if (answer.error().is(Errc::timed_out)) return fail(504, "Service timeout");
      return fail(502, "Forward error: Cannot connect to host: " + answer.error().text());
    }
    const auto& [head, body] = *answer;
    if (head.status == 204) {
      return respond_json(exchange_, 200, "{\"response\": null, \"error\": null}");
    }
    if (head.status != 200) return fail(502, "Service error: " + std::to_string(head.status));
    if (!is_json(head.headers)) {
      const auto type = head.headers.get("Content-Type").value_or("application/octet-stream");
      return fail(502, "Forward error: 200, message='Attempt to decode JSON with unexpected mimetype: " +
                           std::string{type} + "'");
    }
    const auto text = as_text(body.span());
    if (!mcp::json::is_valid(text)) return fail(502, "Forward error: the answer is not JSON");
    note(true);
    respond_json(exchange_, 200, "{\"response\": " + std::string{text} + ", \"error\": null}");
  }

  void fail(int status, std::string_view error) {
    note(false);
    respond_route(exchange_, status, error);
  }

  // Nothing is known of a server that has taken the name over meanwhile.
  void note(bool healthy) {
    auto& table = api_.registry_.table();
    if (table.find(service_->info.name) == service_) table.set_healthy(service_->info.name, healthy);
  }

  RouterApi& api_;
  std::uint64_t number_;
  http::Exchange exchange_;
  std::shared_ptr<const Service> service_;
  std::unique_ptr<Fetch> fetch_;
};

RouterApi::RouterApi(const Config& config, Registry& registry, Scheduler& scheduler, Admission admit)
    : config_{config},
      registry_{registry},
      scheduler_{scheduler},
      admit_{std::move(admit)},
      server_{limits(), scheduler.executor(), [this](http::Exchange exchange) { serve(std::move(exchange)); }},
      timer_{scheduler.make_timer([this, alive = alive_] {
        server_.on_tick(scheduler_.now());
        if (*alive) arm();
      })} {}

RouterApi::~RouterApi() { *alive_ = false; }

void RouterApi::arm() {
  if (const auto next = server_.next_tick()) timer_->arm(*next);
}

void RouterApi::accept(std::unique_ptr<Stream> stream) {
  server_.accept(std::move(stream), http::Client{}, scheduler_.now());
  arm();
}

void RouterApi::serve(http::Exchange exchange) {
  if (!admit_(exchange)) return;
  const auto& request = exchange.request();
  const auto path = request.target.path();
  const bool get = request.is("GET") || request.is("HEAD");
  const auto not_allowed = [&exchange](std::string_view allow) {
    respond_plain(exchange, 405, "405: Method Not Allowed", {{"Allow", allow}});
  };
  const auto with_body = [&](void (RouterApi::*take)(http::Exchange, ByteSpan)) {
    std::move(exchange).collect(
        {.max_bytes = config_.max_body},
        [this, take](http::Exchange ready, const Buffer& body) { (this->*take)(std::move(ready), body.span()); });
  };
  if (path == "/route" || path == kRegister) {
    if (!request.is("POST")) return not_allowed("POST");
    with_body(path == kRegister ? &RouterApi::serve_registration : &RouterApi::serve_route);
  } else if (path == "/services" || path == "/health") {
    if (!get) return not_allowed("GET, HEAD");
    path == "/health" ? serve_health(std::move(exchange)) : serve_list(std::move(exchange));
  } else if (path.starts_with("/register/") && path.size() > 10 && path.find('/', 10) == std::string_view::npos) {
    if (!request.is("DELETE")) return not_allowed("DELETE");
    serve_removal(std::move(exchange));
  } else {
    respond_plain(exchange, 404, "404: Not Found");
  }
}

void RouterApi::serve_registration(http::Exchange exchange, ByteSpan bytes) {
  const auto body = as_text(bytes);
  if (const auto why = no_object(body); !why.empty()) return respond_problem(exchange, 400, why);
  const auto service = member(body, "service");
  const auto endpoint = member(body, "endpoint");
  if (service.empty() || endpoint.empty()) {
    return respond_problem(exchange, 400, "Both 'service' and 'endpoint' are required");
  }
  if (const auto added = registry_.register_endpoint(service, endpoint); !added) {
    return respond_problem(exchange, added.error().is(Errc::limit_reached) ? 503 : 400, added.error().text());
  }
  respond_json(exchange, 200, "{\"status\": \"registered\", \"service\": " + quote(service) + "}");
}

void RouterApi::serve_removal(http::Exchange exchange) {
  const auto written = exchange.request().target.path().substr(kRegister.size() + 1);
  const auto service = http::percent_decode(written).value_or(std::string{written});
  if (!registry_.remove(service)) return respond_problem(exchange, 404, "Service not found: " + service);
  respond_json(exchange, 200, "{\"status\": \"deregistered\", \"service\": " + quote(service) + "}");
}

void RouterApi::serve_list(http::Exchange exchange) {
  std::string json{'{'};
  for (const auto& info : registry_.list()) {
    if (json.size() > 1) json += ", ";
    json += quote(info.name);
    json.append(": {\"endpoint\": ").append(quote(info.endpoint));
    json.append(", \"registered_at\": ").append(quote(info.registered_at));
    json.append(", \"healthy\": ").append(info.healthy ? "true" : "false");
    json.append(", \"kind\": \"").append(kind_name(info.kind)).append("\"}");
  }
  respond_json(exchange, 200, json + '}');
}

void RouterApi::serve_health(http::Exchange exchange) {
  respond_json(exchange, 200,
               "{\"status\": \"ok\", \"service_count\": " + std::to_string(registry_.table().size()) + "}");
}

void RouterApi::serve_route(http::Exchange exchange, ByteSpan bytes) {
  const auto body = as_text(bytes);
  if (const auto why = no_object(body); !why.empty()) return respond_route(exchange, 400, why);
  const auto service = member(body, "service");
  if (service.empty()) return respond_route(exchange, 400, "Missing 'service' field");
  const auto entry = registry_.table().find(service);
  if (!entry) return respond_route(exchange, 404, "Service not found: " + service);
  auto from = member(body, "from_peer_id");
  if (from.empty() || !http::is_field_value(from)) from = kUnknownCaller;
  // Who asks here is a program of this machine; it may name a peer that it asks for.
  const auto named = PublicKey::from_hex(from);
  const auto caller = named ? *named : config_.own;
  if (caller != config_.own && !ServiceTable::allows(*entry, caller)) {
    return respond_route(exchange, 403, "Service not allowed: " + service);
  }
  const auto request = mcp::json::find(body, "request").value_or("null");
  const auto number = next_++;
  auto& call = calls_[number];
  call = std::make_unique<Call>(*this, number, std::move(exchange), entry);
  call->begin(request, from, caller);
}

}  // namespace axl::services
