#include "services/service_host.hpp"

#include <axl/version.hpp>
#include <utility>

#include "mcp/json.hpp"

namespace axl::services {

namespace {

Registry::Config registry_config(const NodeConfig& config) {
  return {.max_message_size = config.max_message_size,
          .deny_by_default = config.deny_services,
          .allow_remote_endpoints = config.allow_remote_endpoints,
          .legacy_peer_id = config.legacy_peer_id,
          .dial_timeout = config.dial_timeout};
}

Gateway::Config gateway_config(const NodeConfig& config, const PublicKey& own) {
  return {.own = own, .answer_timeout = config.service_timeout};
}

}  // namespace

ServiceHost::ServiceHost(const NodeConfig& config, const PublicKey& own, System& system, Scheduler& scheduler,
                         const Logger& logger)
    : scheduler_{scheduler},
      logger_{logger},
      registry_{registry_config(config), system, scheduler, logger},
      gateway_{gateway_config(config, own), registry_.table(), scheduler, logger},
      responder_{registry_.table(), [this] { return gateway_.agent(); }, scheduler, logger},
      router_api_{
          {.own = own, .max_body = config.max_message_size}, registry_, scheduler, [this](http::Exchange& exchange) {
            return admit_ && admit_(exchange);
          }} {
  responder_.count_in(gateway_.agent_use(), gateway_.fallback_use());
  responder_.limit_agent([this](const PublicKey& caller) { return gateway_.agent_allows(caller); });
  add_configured(config);
  set_router(config);
  set_agent(config, own);
}

ServiceHost::~ServiceHost() = default;

void ServiceHost::add_configured(const NodeConfig& config) {
  for (const auto& service : config.services) {
    const auto access = service.access.value_or(ServiceAccess{.everyone = !config.deny_services});
    registry_.fix_access(service.name, access);
    const auto added = service.url.empty() ? registry_.add_command(service.name, service.command, access)
                                           : registry_.add_url(service.name, service.url, access, service.probe);
    if (!added) {
      logger_(LogLevel::error, "services", "{}: {}", mcp::json::quote(service.name), added.error().text());
    }
  }
}

void ServiceHost::set_router(const NodeConfig& config) {
  if (config.router_addr.empty()) return;
  const auto url = join_address(config.router_addr, config.router_port);
  const auto router = url ? registry_.url_backend(*url) : Result<Backend>{url.error()};
  if (!router) {
    logger_(LogLevel::error, "services", "router_addr: {}", router.error().text());
    return;
  }
  external_ = std::make_unique<ExternalRouter>(
      ExternalRouter::Config{.max_body = config.max_message_size}, *router, registry_.budget(), scheduler_);
  const ServiceAccess access{.everyone = !config.deny_services};  // a name has an allow list in the table only
  gateway_.set_fallback([this](std::string_view service) { return std::optional{external_->backend(service)}; },
                        access);
  responder_.use_router(*router, access);
}

void ServiceHost::set_agent(const NodeConfig& config, const PublicKey& own) {
  const auto access = config.a2a_access.value_or(ServiceAccess{.everyone = !config.deny_services});
  if (config.a2a_skills) {
    A2aAgentConfig agent;
    agent.identity.version = kVersion;
    agent.identity.url = "http://[" + Address::of(own).to_string() + "]:" + std::to_string(config.http_port) + "/a2a";
    agent.own_key = own;
    agent.max_request = config.max_message_size;
    agent_ = std::make_unique<A2aAgent>(std::move(agent), registry_.table(), registry_.budget(), scheduler_);
    gateway_.set_agent(Gateway::Agent{agent_->backend(), access});
  } else if (!config.a2a_addr.empty()) {
    const auto url = join_address(config.a2a_addr, config.a2a_port);
    const auto backend = url ? registry_.url_backend(*url) : Result<Backend>{url.error()};
    if (!backend) {
      logger_(LogLevel::error, "services", "a2a_addr: {}", backend.error().text());
      return;
    }
    gateway_.set_agent(Gateway::Agent{*backend, access});
  }
}

}  // namespace axl::services
