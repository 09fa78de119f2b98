// What `/topology` answers: the reference's fields, and ours beside them.
//
// Source: bridge, section 3.1.
#pragma once

#include <axl/router.hpp>
#include <axl/topology.hpp>
#include <cstdint>
#include <string>

namespace axl::bridge {

/// One JSON object and a newline.
[[nodiscard]] std::string topology_json(const Topology& topology, const Router::QueueStats& queue,
                                        std::uint16_t tcp_port);

}  // namespace axl::bridge
