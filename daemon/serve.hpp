// The parts of a run that a node from a config and the demo have in common.
#pragma once

#include <axl/node.hpp>
#include <axl/result.hpp>
#include <cstdint>
#include <memory>
#include <string>

namespace axl::daemon {

/// Prints `Node exited with error:` and why; returns exit status 1.
int exit_with(const Error& error);
/// Binds the local API, with the routes of publish/subscribe and aggregation, and says where. The error names the port and what to do about it.
Result<std::uint16_t> serve_api(Node& node, const std::string& host, std::uint16_t port, bool legacy_patterns = false);
/// Binds the router's API and says where. The error names the port.
Result<std::uint16_t> serve_router(Node& node, std::uint16_t port);
/// After a signal: finishes what is under way, for up to five seconds, and says what is lost with the process.
void end_in_order(Node& node);

}  // namespace axl::daemon
