// Connections to one server, kept open between requests; each carries one request at a time.
//
// Source: bridge, section 8.4 (pools).
#pragma once

#include <axl/time.hpp>
#include <functional>
#include <list>
#include <memory>

#include "core/scheduler.hpp"
#include "core/stream.hpp"
#include "http/upstream.hpp"

namespace axl::http {

using StreamDialHandler = std::function<void(Result<std::unique_ptr<Stream>> stream)>;
/// Opens a connection; calls the handler once, never inside this call.
using StreamDialer = std::function<void(Duration timeout, StreamDialHandler handler)>;

/// How many idle connections all pools that share it may keep. The longest idle one goes first.
class IdleConnections;

struct PoolLimits {
  std::size_t connections = 1'024;  ///< at once; beyond: limit_reached
  Duration idle_timeout{std::chrono::seconds{60}};
  Duration dial_timeout{std::chrono::seconds{30}};
  ClientLimits client{.pipeline = 1, .waiting = 1};
};

}  // namespace axl::http
