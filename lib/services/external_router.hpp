// Another process routes MCP calls of peers: the router of the reference, unchanged, behind `router_addr`.
//
// It takes one JSON-RPC message with the service's name and the caller's id, and gives one answer. So every name is a
// service to it, and each has the backend made here, which speaks as much of Streamable HTTP as fits: POST with a JSON
// answer, no stream of the server's own (405), no sessions (DELETE does nothing).
//
// Source: bridge, sections 4, 5 and 8.4 (requester).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/scheduler.hpp"
#include "services/caller_budget.hpp"
#include "services/fetch.hpp"
#include "services/handler_server.hpp"

namespace axl::services {

class ExternalRouter {
 public:
  struct Config {
    std::size_t max_body = 16'777'216;
    Duration timeout{std::chrono::seconds{30}};
  };

  /// `router`: its server; requests go to `{router.path}/route`.
  ExternalRouter(const Config& config, Backend router, CallerBudget& budget, Scheduler& scheduler);
  ExternalRouter(const ExternalRouter&) = delete;
  ExternalRouter& operator=(const ExternalRouter&) = delete;

  [[nodiscard]] Backend backend(std::string_view service) const;

 private:
  void serve(ServiceRequest request, ServiceReply reply);
  void forward(const ServiceRequest& request, std::string_view service, bool notification, ServiceReply reply);

  Config config_;
  Backend router_;
  Scheduler& scheduler_;
  std::map<std::uint64_t, std::unique_ptr<Fetch>> under_way_;
  std::uint64_t next_ = 1;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Backend own_;
};

}  // namespace axl::services
