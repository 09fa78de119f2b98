// Two streams that are each other's other end, without a socket: how parts of one node speak HTTP with each other.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "core/executor.hpp"
#include "core/stream.hpp"

namespace axl::http {

/// Bytes are handed over, not copied; handlers are called from the executor, never inside a call. `high_mark`: bytes
/// one direction holds before its writer should wait.
[[nodiscard]] std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> make_pipe(Executor& executor,
                                                                                    std::size_t high_mark = 64UL *
                                                                                                            1024);

}  // namespace axl::http
