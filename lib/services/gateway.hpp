// What this node serves of its services and its agent, to peers on overlay port 7001 and to itself.
//
//   ANY /mcp/{service}[/suffix][?query]    the service of that name, as a stream both ways
//   ANY /a2a[/suffix][?query]              the agent
//   GET /services                          names and kinds of what this caller may use
//
// Statuses and headers of a backend pass as they are, redirects too. Of our own: 204 to OPTIONS, 403 not allowed, 404
// unknown, 405 for TRACE and CONNECT, 502 backend down, 503 + Retry-After limits, 504 no answer.
//
// Source: bridge, sections 8.3 and 8.4.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/logger.hpp"
#include "core/scheduler.hpp"
#include "http/relay.hpp"
#include "services/backend_request.hpp"
#include "services/in_process_server.hpp"
#include "services/service_table.hpp"
#include "services/use_counter.hpp"

namespace axl::services {

class Gateway {
 public:
  struct Config {
    PublicKey own;                                       ///< may use everything
    Duration answer_timeout{std::chrono::seconds{300}};  ///< for the head of an answer
  };
  struct Agent {
    Backend backend;
    ServiceAccess access;
  };
  /// Who serves a name that the table does not know; empty: nobody.
  using Fallback = std::function<std::optional<Backend>(std::string_view service)>;

  /// `services` and `scheduler` must outlive it.
  Gateway(Config config, ServiceTable& services, Scheduler& scheduler, Logger logger);
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;
  ~Gateway();  ///< cuts what is under way

  void set_agent(std::optional<Agent> agent) { agent_ = std::move(agent); }
  /// `access`: who may use all those names.
  void set_fallback(Fallback fallback, ServiceAccess access) {
    fallback_ = std::move(fallback);
    fallback_access_ = std::move(access);
  }

  /// Is this path one of those above?
  [[nodiscard]] static bool serves(std::string_view path);
  /// Answers any request; 404 beyond the paths above.
  void serve(http::Exchange exchange, const PublicKey& caller);
  /// The same, as a server that a caller of this machine may be relayed to: requests are our own key's.
  [[nodiscard]] std::shared_ptr<http::Upstream> loopback();

  /// The backend of the A2A agent, when there is one.
  [[nodiscard]] std::optional<Backend> agent() const;
  /// May that caller use the agent?
  [[nodiscard]] bool agent_allows(const PublicKey& caller) const;
  /// A service's backend as its caller may use it; not_found or permission_denied.
  [[nodiscard]] Result<Backend> backend(std::string_view service, const PublicKey& caller) const;

  /// How the agent is used, and the names of the fallback.
  [[nodiscard]] const std::shared_ptr<ServiceUse>& agent_use() const noexcept { return agent_use_; }
  [[nodiscard]] const std::shared_ptr<ServiceUse>& fallback_use() const noexcept { return fallback_use_; }

  [[nodiscard]] std::size_t under_way() const noexcept { return relays_.under_way(); }

 private:
  class Events;

  void serve_mcp(http::Exchange exchange, const PublicKey& caller, std::string_view rest);
  void serve_agent(http::Exchange exchange, const PublicKey& caller, std::string_view suffix);
  void serve_list(http::Exchange exchange, const PublicKey& caller) const;
  void carry(http::Exchange exchange, const PublicKey& caller, const Backend& backend, std::string_view suffix,
             std::string service, std::shared_ptr<const Service> entry, CountedCall counted);
  [[nodiscard]] bool allows(const ServiceAccess& access, const PublicKey& caller) const;

  Config config_;
  ServiceTable& services_;
  Scheduler& scheduler_;
  Logger logger_;
  std::optional<Agent> agent_;
  Fallback fallback_;
  ServiceAccess fallback_access_;
  std::shared_ptr<ServiceUse> agent_use_ = std::make_shared<ServiceUse>();
  std::shared_ptr<ServiceUse> fallback_use_ = std::make_shared<ServiceUse>();
  CallerText callers_;
  http::Relays relays_;
  std::shared_ptr<http::Upstream> loopback_;
};

}  // namespace axl::services
