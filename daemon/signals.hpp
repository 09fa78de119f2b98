// The daemon's end: SIGINT and SIGTERM, taken by the main thread alone.
#pragma once

#include <functional>

namespace axl::daemon {

/// To be called before any thread is made: SIGINT and SIGTERM wait for wait_for_end(), SIGPIPE is ignored.
void block_signals();
/// Returns when SIGINT or SIGTERM has come; the next one ends the process at once, as is usual. Meanwhile `now_and_then`
/// is called every ten seconds.
int wait_for_end(const std::function<void()>& now_and_then);
/// One descriptor for each connection: the soft limit becomes the hard one.
void raise_descriptor_limit();

}  // namespace axl::daemon
