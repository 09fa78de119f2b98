// Backends that are HTTP servers at a URL: a pool of connections each, one bound on the idle ones of all.
#pragma once

#include <axl/result.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/scheduler.hpp"
#include "core/system.hpp"
#include "http/client_pool.hpp"
#include "http/url.hpp"
#include "services/service_table.hpp"

namespace axl::services {

/// `http://host` and a port as one URL; slashes at the end of `address` do not matter. invalid_argument when it holds
/// more than scheme and host.
[[nodiscard]] Result<std::string> join_address(std::string_view address, std::uint16_t port);

class UrlBackends {
 public:
  /// `system` and `scheduler` must outlive the backends.
  UrlBackends(System& system, Scheduler& scheduler, Duration dial_timeout);
  UrlBackends(const UrlBackends&) = delete;
  UrlBackends& operator=(const UrlBackends&) = delete;

  [[nodiscard]] Backend make(const http::Url& url);

 private:
  System& system_;
  Scheduler& scheduler_;
  http::PoolLimits limits_;
  std::shared_ptr<http::IdleConnections> idle_;
};

}  // namespace axl::services
