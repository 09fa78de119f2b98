#include "serve.hpp"

#include <fmt/format.h>

#include <axl/patterns.hpp>
#include <chrono>

#include "console_log.hpp"

namespace axl::daemon {

int exit_with(const Error& error) {
  complain("Node exited with error: ");
  complain(error.text());
  return 1;
}

Result<std::uint16_t> serve_api(Node& node, const std::string& host, std::uint16_t port, bool legacy_patterns) {
  if (const auto added = serve_patterns(node, {.legacy = legacy_patterns}); !added) return added.error();
  if (host.starts_with("unix:")) {
    auto bound = node.serve_api(host, 0);
    if (!bound)
      return Error{bound.error().code(), fmt::format("HTTP server failed: listen {}: {}", host, bound.error().text())};
    say(fmt::format("Listening on {}", host));
    return bound;
  }
  const auto shown = host.find(':') != std::string::npos && !host.starts_with('[') ? "[" + host + "]" : host;
  auto bound = node.serve_api(host, port);
  if (!bound) {
    const auto taken = bound.error().code() == std::errc::address_in_use;
    return Error{bound.error().code(),
                 fmt::format("HTTP server failed: listen tcp {}:{}: {}", shown, port,
                             taken ? "address already in use (--api-port N takes another port, 0 any free one)"
                                   : bound.error().text())};
  }
  say(fmt::format("Listening on {}:{}", shown, *bound));
  return bound;
}

Result<std::uint16_t> serve_router(Node& node, std::uint16_t port) {
  auto bound = node.serve_router("127.0.0.1", port);
  if (!bound) {
    const auto taken = bound.error().code() == std::errc::address_in_use;
    return Error{bound.error().code(),
                 fmt::format("port {} for services to register: {}", port,
                             taken ? "already in use (router_port, or --router-port N, takes another one)"
                                   : bound.error().text())};
  }
  say(fmt::format("[node] MCP Router URL: http://127.0.0.1:{}/route", *bound));
  return bound;
}

void end_in_order(Node& node) {
  node.drain(std::chrono::seconds{5});
  const auto topology = node.topology();
  if (topology.queued_messages > 0) {
    complain(
        fmt::format("{} queued messages that nobody has read are lost with this process", topology.queued_messages));
  }
  if (topology.outbox_messages > 0) {
    complain(fmt::format("{} messages that waited in the outbox are lost with this process", topology.outbox_messages));
  }
  node.stop();
}

}  // namespace axl::daemon
