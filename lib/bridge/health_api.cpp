#include "bridge/health_api.hpp"

#include <fmt/format.h>

#include <axl/version.hpp>
#include <chrono>

namespace axl::bridge {

void HealthApi::serve_health(http::Exchange exchange) {
  const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(host_.now() - started_).count();
  const auto text = fmt::format("{{\"status\":\"ok\",\"version\":\"{}\",\"uptime_s\":{},\"peers_up\":{}}}\n", kVersion,
                                uptime, host_.peers_up());
  exchange.respond(200, {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
                   Buffer::copy_of(as_bytes(text)));
}

void HealthApi::serve_metrics(http::Exchange exchange) {
  const auto text = prometheus_text(count_());
  exchange.respond(200, {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}},
                   Buffer::copy_of(as_bytes(text)));
}

}  // namespace axl::bridge
