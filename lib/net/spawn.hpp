// Starts a program in a session and process group of its own, with pipes for its three standard descriptors.
//
// The process has threads, so between fork and exec only calls are made that a signal handler could make: everything
// that needs memory is prepared before. The program gets default signal dispositions and mask, no descriptor but 0, 1
// and 2, and exactly the environment given. Included by sources only.
#pragma once

#include <sys/types.h>

#include <axl/result.hpp>

#include "core/system.hpp"
#include "net/descriptor.hpp"

namespace axl::net {

struct Spawned {
  pid_t pid = -1;
  Descriptor input;   ///< writes to its standard input
  Descriptor output;  ///< reads its standard output
  Descriptor errors;  ///< reads its standard error
};

/// PATH, HOME and LANG of this process as far as they are set, then `options.environment`, which may replace them.
[[nodiscard]] std::vector<std::string> environment_of(const ProcessOptions& options);

/// Returns once the program runs, or has been found not to. Errors: invalid_argument, not_found, permission_denied, io.
[[nodiscard]] Result<Spawned> spawn(const ProcessOptions& options);

}  // namespace axl::net
