#include "services/gateway.hpp"

#include <utility>

#include "http/target.hpp"
#include "mcp/json.hpp"

namespace axl::services {

namespace {

constexpr std::string_view kMcp = "/mcp/";
constexpr std::string_view kAgent = "/a2a";
constexpr std::string_view kList = "/services";
constexpr std::string_view kMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

// True when the method was answered here.
bool answer_method(http::Exchange& exchange) {
  const auto& request = exchange.request();
  if (request.is("OPTIONS")) {
    exchange.respond(204, {{"Allow", kMethods}}, {});
    return true;
  }
  if (request.is("TRACE") || request.is("CONNECT")) {
    exchange.respond_error(405, "Method not allowed", {{"Allow", kMethods}});
    return true;
  }
  return false;
}

// Connects on behalf of a caller that the exchange's own connection does not name: our own key, for requests from here.
class OnBehalf final : public http::Upstream {
 public:
  OnBehalf(std::shared_ptr<http::Upstream> upstream, const PublicKey& caller)
      : upstream_{std::move(upstream)}, client_{.key = caller} {}
  std::unique_ptr<Waiting> acquire(const http::Client&, bool fresh, LeaseHandler handler) override {
    return upstream_->acquire(client_, fresh, std::move(handler));
  }
  std::unique_ptr<http::Lease> lease_idle(const http::Client&) override { return upstream_->lease_idle(client_); }

 private:
  std::shared_ptr<http::Upstream> upstream_;
  http::Client client_;
};

}  // namespace

// One relayed request: notes how the service does, and answers when it does not.
class Gateway::Events final : public http::RelayEvents {
 public:
  Events(Gateway& gateway, std::string service, std::shared_ptr<const Service> entry, CountedCall counted)
      : gateway_{gateway}, service_{std::move(service)}, entry_{std::move(entry)}, counted_{std::move(counted)} {}

  std::optional<std::size_t> on_response(const http::ResponseHead& head, http::Headers&) override {
    note(true);
    if (head.status >= 500) counted_.failed();
    return {};
  }

  void on_failed(http::Exchange exchange, const Error& error, http::Delivery delivery, bool) override {
    counted_.failed();
    gateway_.logger_(LogLevel::warning, "services", "{}: {}", mcp::json::quote(service_), error.text());
    if (error.is(Errc::limit_reached)) {
      exchange.respond_error(503, "The service has too many requests under way", {{"Retry-After", "1"}});
      return;
    }
    note(false);
    if (error.is(Errc::timed_out) && delivery != http::Delivery::not_sent) {
      exchange.respond_error(504, "The service did not answer");
    } else if (delivery == http::Delivery::not_sent) {
      exchange.respond_error(502, "Failed to reach the service");
    } else {
      exchange.respond_error(502, "The service gave no answer");
    }
  }

 private:
  // Another service may have taken the name meanwhile.
  void note(bool healthy) {
    if (entry_ && gateway_.services_.find(service_) == entry_) gateway_.services_.set_healthy(service_, healthy);
  }

  Gateway& gateway_;
  std::string service_;
  std::shared_ptr<const Service> entry_;  // null for the agent and for names of another router
  CountedCall counted_;
};

Gateway::Gateway(Config config, ServiceTable& services, Scheduler& scheduler, Logger logger)
    : config_{config}, services_{services}, scheduler_{scheduler}, logger_{std::move(logger)}, relays_{scheduler} {}

Gateway::~Gateway() = default;

bool Gateway::serves(std::string_view path) {
  return path == kList || path.starts_with(kMcp) || path == kAgent ||
         (path.starts_with(kAgent) && path.substr(kAgent.size()).starts_with('/'));
}

void Gateway::serve(http::Exchange exchange, const PublicKey& caller) {
  const auto path = exchange.request().target.path();  // good as long as the exchange, wherever it is moved
  if (!serves(path)) {
    exchange.respond_error(404, "404 page not found");
  } else if (path == kList) {
    serve_list(std::move(exchange), caller);
  } else if (answer_method(exchange)) {
    return;
  } else if (path.starts_with(kMcp)) {
    serve_mcp(std::move(exchange), caller, path.substr(kMcp.size()));
  } else {
    serve_agent(std::move(exchange), caller, path.substr(kAgent.size()));
  }
}

std::shared_ptr<http::Upstream> Gateway::loopback() {
  if (!loopback_) {
    loopback_ = std::make_shared<InProcessServer>(
        in_process_limits(), scheduler_, [this](http::Exchange exchange) { serve(std::move(exchange), config_.own); });
  }
  return loopback_;
}

bool Gateway::allows(const ServiceAccess& access, const PublicKey& caller) const {
  return caller == config_.own || access_allows(access, caller);
}

std::optional<Backend> Gateway::agent() const { return agent_ ? std::optional{agent_->backend} : std::nullopt; }

bool Gateway::agent_allows(const PublicKey& caller) const { return agent_ && allows(agent_->access, caller); }

Result<Backend> Gateway::backend(std::string_view service, const PublicKey& caller) const {
  if (const auto entry = services_.find(service)) {
    if (!allows(entry->access, caller)) return Error{Errc::permission_denied, "not allowed"};
    return entry->backend;
  }
  if (fallback_) {
    if (!allows(fallback_access_, caller)) return Error{Errc::permission_denied, "not allowed"};
    if (auto other = fallback_(service)) return *std::move(other);
  }
  return Error{Errc::not_found, "Service not found: " + std::string{service}};
}

void Gateway::serve_mcp(http::Exchange exchange, const PublicKey& caller, std::string_view rest) {
  if (auto match = services_.match(rest)) {
    if (!allows(match->service->access, caller)) {
      exchange.respond_error(403, "Service not allowed");
      return;
    }
    const auto& entry = match->service;
    carry(std::move(exchange), caller, entry->backend, match->suffix, entry->info.name, entry, CountedCall{entry->use});
    return;
  }
  const auto name = http::percent_decode(rest);
  if (fallback_ && name && !name->empty() && name->size() <= ServiceTable::kMaxNameSize) {
    if (!allows(fallback_access_, caller)) {
      exchange.respond_error(403, "Service not allowed");
      return;
    }
    if (const auto other = fallback_(*name)) {
      carry(std::move(exchange), caller, *other, {}, *name, nullptr, CountedCall{fallback_use_});
      return;
    }
  }
  exchange.respond_error(404, "Service not found");
}

void Gateway::serve_agent(http::Exchange exchange, const PublicKey& caller, std::string_view suffix) {
  if (!agent_ || !may_follow_endpoint(suffix)) {
    exchange.respond_error(404, agent_ ? "404 page not found" : "This node has no agent");
  } else if (!allows(agent_->access, caller)) {
    exchange.respond_error(403, "Agent not allowed");
  } else {
    const auto backend = agent_->backend;
    carry(std::move(exchange), caller, backend, suffix, {}, nullptr, CountedCall{agent_use_});
  }
}

void Gateway::carry(http::Exchange exchange, const PublicKey& caller, const Backend& backend, std::string_view suffix,
                    std::string service, std::shared_ptr<const Service> entry, CountedCall counted) {
  const auto& head = exchange.request();
  http::RelayRequest request;
  request.method = head.method;
  request.target = backend_target(backend, suffix, head.target.query());
  request.headers = backend_headers(head.headers, backend, caller, service, callers_);
  auto events = std::make_unique<Events>(*this, std::move(service), std::move(entry), std::move(counted));
  auto upstream = backend.upstream;
  if (exchange.client().key != caller) upstream = std::make_shared<OnBehalf>(std::move(upstream), caller);
  relays_.carry(std::move(exchange), std::move(upstream), std::move(request),
                {.answer_timeout = config_.answer_timeout}, std::move(events));
}

void Gateway::serve_list(http::Exchange exchange, const PublicKey& caller) const {
  const auto& request = exchange.request();
  if (!request.is("GET") && !request.is("HEAD")) {
    exchange.respond_error(405, "Method not allowed", {{"Allow", "GET, HEAD"}});
    return;
  }
  std::string json = "{\"services\":[";
  bool first = true;
  for (const auto& info : caller == config_.own ? services_.list() : services_.list_for(caller)) {
    json += std::exchange(first, false) ? "{\"name\":" : ",{\"name\":";
    json += mcp::json::quote(info.name);
    json.append(",\"kind\":\"").append(kind_name(info.kind)).append("\",\"healthy\":");
    json += info.healthy ? "true}" : "false}";
  }
  json.append("],\"agent\":").append(agent_allows(caller) ? "true" : "false").append("}\n");
  exchange.respond(200, {{"Content-Type", "application/json"}}, Buffer::copy_of(as_bytes(json)));
}

}  // namespace axl::services
