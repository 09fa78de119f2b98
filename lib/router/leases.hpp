// What axl::Router needs to lease messages: behind it is who has the clock.
#pragma once

#include <axl/router.hpp>
#include <optional>

namespace axl::router {

/// As axl::Router says.
class Leases {
 public:
  [[nodiscard]] virtual std::optional<Router::Leased> lease(const Router::Selection& wanted, Duration time) = 0;
  virtual Router::WaitId lease_next(const Router::Selection& wanted, Router::LeaseHandler handler, Duration time) = 0;
  virtual void stop_waiting(Router::WaitId id) = 0;
  virtual bool confirm(Router::LeaseId id) = 0;
  virtual bool give_back(Router::LeaseId id) = 0;

 protected:
  ~Leases() = default;
};

}  // namespace axl::router
