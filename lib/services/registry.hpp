// The services of a node, put in and taken out: by the program, by the configuration, and over HTTP on port 9003.
//
// Who may use a service that the configuration names stays as configured, however often something registers under that
// name at run time.
//
// Source: bridge, sections 5 and 8.3.
#pragma once

#include <axl/service.hpp>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/logger.hpp"
#include "core/scheduler.hpp"
#include "core/system.hpp"
#include "router/services.hpp"
#include "services/caller_budget.hpp"
#include "services/handler_server.hpp"
#include "services/health_probes.hpp"
#include "services/service_table.hpp"
#include "services/url_backends.hpp"

namespace axl::services {

class Registry final : public router::Services {
 public:
  struct Config {
    std::size_t max_message_size = 16'777'216;
    bool deny_by_default = false;         ///< what registers at run time without an allow list is closed
    bool allow_remote_endpoints = false;  ///< what registers over HTTP may name other hosts
    bool legacy_peer_id = false;          ///< services are told who calls as the reference tells it
    Duration dial_timeout{std::chrono::seconds{30}};
  };

  /// `system` and `scheduler` must outlive it, and the backends that it makes.
  Registry(const Config& config, System& system, Scheduler& scheduler, Logger logger);
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  Result<void> add_handler(std::string name, ServiceAccess access, ServiceHandler handler) override;
  Result<void> add_url(std::string name, const std::string& url, ServiceAccess access,
                       std::optional<ServiceProbe> probe) override;
  Result<void> add_command(std::string name, ServiceCommand command, ServiceAccess access) override;
  bool remove(std::string_view name) override;
  [[nodiscard]] std::vector<ServiceInfo> list() const override { return table_.list(); }

  /// From now on, that name is only for those, whoever registers under it.
  void fix_access(const std::string& name, ServiceAccess access) { fixed_access_[name] = std::move(access); }
  /// What port 9003 takes: this machine's TCP servers, unless remote ones are allowed. A Unix socket is for whom its
  /// file says; this node's right to it is not for everyone who reaches the port.
  Result<void> register_endpoint(const std::string& name, const std::string& url);

  /// A server that is no service of its own: the agent's, an external router's.
  [[nodiscard]] Result<Backend> url_backend(const std::string& url);
  [[nodiscard]] ServiceTable& table() noexcept { return table_; }
  [[nodiscard]] CallerBudget& budget() noexcept { return budget_; }

  /// Called after each change of the table.
  void on_change(std::function<void()> handler) { changed_ = std::move(handler); }

 private:
  Result<void> add(std::string name, ServiceInfo::Kind kind, std::string endpoint, ServiceAccess access,
                   Backend backend);

  Config config_;
  System& system_;
  Scheduler& scheduler_;
  Logger logger_;
  CallerBudget budget_;  // outlives what is in the table
  UrlBackends urls_;
  ServiceTable table_;
  std::map<std::string, ServiceAccess, std::less<>> fixed_access_;
  HealthProbes probes_;
  std::function<void()> changed_;
};

}  // namespace axl::services
