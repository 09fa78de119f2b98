// All of the library but the Asio hook.
#pragma once

#include <axl/a2a.hpp>
#include <axl/aggregation.hpp>
#include <axl/api.hpp>
#include <axl/blocking.hpp>
#include <axl/bytes.hpp>
#include <axl/config.hpp>
#include <axl/convergecast.hpp>
#include <axl/error.hpp>
#include <axl/key.hpp>
#include <axl/key_file.hpp>
#include <axl/log.hpp>
#include <axl/mcp.hpp>
#include <axl/message.hpp>
#include <axl/node.hpp>
#include <axl/pubsub.hpp>
#include <axl/pull.hpp>
#include <axl/random.hpp>
#include <axl/result.hpp>
#include <axl/router.hpp>
#include <axl/service.hpp>
#include <axl/session.hpp>
#include <axl/statistics.hpp>
#include <axl/time.hpp>
#include <axl/topology.hpp>
#include <axl/version.hpp>
