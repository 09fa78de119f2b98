// `/health` and `/metrics`: for those who watch the node.
//
// Source: bridge, section 9, row 15.
#pragma once

#include <axl/statistics.hpp>
#include <functional>

#include "bridge/host.hpp"
#include "http/exchange.hpp"

namespace axl::bridge {

class HealthApi {
 public:
  using Count = std::function<Statistics()>;

  HealthApi(Host& host, Count count) : host_{host}, count_{std::move(count)}, started_{host.now()} {}

  void serve_health(http::Exchange exchange);   ///< cheap: may be asked many times a second
  void serve_metrics(http::Exchange exchange);  ///< Prometheus text

 private:
  Host& host_;
  Count count_;
  Time started_;
};

}  // namespace axl::bridge
