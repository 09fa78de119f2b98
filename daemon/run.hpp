// What `axld` does when it runs: one node with its local API, until a signal comes; or the demo.
#pragma once

#include "options.hpp"

namespace axl::daemon {

/// Runs a node from the config file; returns the exit status.
int run_node(const Options& options);
/// Runs a node and an echo peer in this process; returns the exit status.
int run_demo(const Options& options);
/// Reads the config and says what is wrong with it; returns the exit status.
int check_config(const Options& options);

}  // namespace axl::daemon
