// What applications are told when a peer cannot be reached.
//
// Source: bridge, sections 2 (rule 4) and 3.2.
#pragma once

#include <axl/error.hpp>
#include <axl/key.hpp>
#include <cstdint>

namespace axl::bridge {

/// `error` of a connect, in the words that stand behind "Failed to reach peer: ". Its code becomes key_mismatch,
/// refused, limit_reached or unreachable. `tcp_port`: the port that old applications expect to read.
[[nodiscard]] Error dial_error(const Error& error, const Address& peer, std::uint16_t tcp_port);

}  // namespace axl::bridge
