// All that a node serves of services, put together as its configuration says: the registry, the gateway for peers, the
// answers to envelopes of older peers, the agent, and the router's API for this machine.
//
// Source: bridge, sections 4 to 6 and 8.4.
#pragma once

#include <axl/config.hpp>
#include <cstddef>
#include <memory>

#include "core/logger.hpp"
#include "core/scheduler.hpp"
#include "core/stream.hpp"
#include "core/system.hpp"
#include "services/a2a_agent.hpp"
#include "services/envelope_responder.hpp"
#include "services/external_router.hpp"
#include "services/gateway.hpp"
#include "services/registry.hpp"
#include "services/router_api.hpp"

namespace axl::services {

class ServiceHost {
 public:
  /// `config` has been validated. `own`: the node's key. `system` and `scheduler` must outlive it.
  ServiceHost(const NodeConfig& config, const PublicKey& own, System& system, Scheduler& scheduler,
              const Logger& logger);
  ServiceHost(const ServiceHost&) = delete;
  ServiceHost& operator=(const ServiceHost&) = delete;
  ~ServiceHost();  ///< cuts what is under way, ends all processes

  [[nodiscard]] Registry& registry() noexcept { return registry_; }
  [[nodiscard]] Gateway& gateway() noexcept { return gateway_; }
  [[nodiscard]] EnvelopeResponder& responder() noexcept { return responder_; }

  /// Who may use the router's API: to be set before accept_router(). Answers what must not go on, and says false then.
  void admit_router(RouterApi::Admission admit) { admit_ = std::move(admit); }
  /// A connection to port 9003.
  void accept_router(std::unique_ptr<Stream> stream) { router_api_.accept(std::move(stream)); }

  void drain() { router_api_.drain(); }
  [[nodiscard]] std::size_t under_way() const noexcept { return gateway_.under_way() + router_api_.under_way(); }

 private:
  void add_configured(const NodeConfig& config);
  void set_router(const NodeConfig& config);
  void set_agent(const NodeConfig& config, const PublicKey& own);

  Scheduler& scheduler_;
  Logger logger_;
  Registry registry_;
  std::unique_ptr<ExternalRouter> external_;  // with router_addr
  std::unique_ptr<A2aAgent> agent_;           // with a2a_skills
  Gateway gateway_;
  EnvelopeResponder responder_;
  RouterApi::Admission admit_;
  RouterApi router_api_;
};

}  // namespace axl::services
