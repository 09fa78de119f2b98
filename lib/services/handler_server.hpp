// A service that is a handler in the program, as a backend.
//
// The handler gets whole requests and answers through a ServiceReply, at once or later, from any thread.
#pragma once

#include <axl/service.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "core/scheduler.hpp"
#include "services/caller_budget.hpp"
#include "services/service_table.hpp"

namespace axl::services {

struct HandlerLimits {
  std::size_t max_body = 16'777'216;
  std::size_t under_way = 4'096;
  std::size_t under_way_per_caller = 1'024;
};

/// `scheduler` and `budget` must outlive the backend. What the handler throws is answered 500.
[[nodiscard]] Backend make_handler_backend(std::string name, ServiceHandler handler, const HandlerLimits& limits,
                                           CallerBudget& budget, Scheduler& scheduler);

}  // namespace axl::services
