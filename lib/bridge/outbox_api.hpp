// `/outbox`: what waits for peers that are away, what became of it, and giving up.
//
// Source: bridge, section 9, row 13.
#pragma once

#include <string_view>

#include "bridge/outbox.hpp"
#include "core/scheduler.hpp"
#include "http/exchange.hpp"

namespace axl::bridge {

class OutboxApi {
 public:
  OutboxApi(Outbox& outbox, Scheduler& scheduler) noexcept : outbox_{outbox}, scheduler_{scheduler} {}

  /// `/outbox`: GET lists; with `id=`, like `/outbox/{id}`.
  void serve(http::Exchange exchange);
  /// `/outbox/{id}`: GET shows a message or its outcome, DELETE gives it up.
  void serve_item(http::Exchange exchange);

 private:
  void answer(http::Exchange exchange, std::string_view id);

  Outbox& outbox_;
  Scheduler& scheduler_;
};

}  // namespace axl::bridge
