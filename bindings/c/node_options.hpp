// The options of a node, as the library's configuration.
#pragma once

#include <axl.h>

#include <axl/config.hpp>
#include <axl/result.hpp>

namespace axl::c {

/// All but the log hook.
[[nodiscard]] Result<NodeConfig> to_config(const axl_node_options& options);

}  // namespace axl::c
