// A program that this node has started, as the rest of the node sees it.
#pragma once

#include <asio/io_context.hpp>
#include <axl/result.hpp>
#include <memory>

#include "core/system.hpp"
#include "net/exit_watch.hpp"
#include "net/line_reader.hpp"
#include "net/pipe_stream.hpp"

namespace axl::net {

/// Starts the program; returns once it runs.
[[nodiscard]] Result<std::unique_ptr<Process>> start_process(asio::io_context& context, const ProcessOptions& options);

}  // namespace axl::net
