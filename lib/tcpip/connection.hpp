// The user's end of a flow.
#pragma once

#include <memory>

#include "tcpip/stack.hpp"

namespace axl::tcpip {

class Flow;

[[nodiscard]] std::unique_ptr<Connection> make_connection(std::shared_ptr<Flow> flow);

}  // namespace axl::tcpip
