// Which headers belong to one connection and stop there, for whoever forwards messages.
#pragma once

#include <string_view>

#include "http/headers.hpp"

namespace axl::http {

/// Connection, Keep-Alive, Proxy-*, TE, Trailer, Transfer-Encoding, Upgrade. RFC 9110, section 7.6.1.
[[nodiscard]] bool is_hop_by_hop(std::string_view name) noexcept;

/// Removes the hop-by-hop headers, and those that Connection names.
void remove_hop_by_hop(Headers& headers);

/// Removes every line whose name is `name` when `_` and `-` count as the same: a reader that makes variables of names
/// cannot tell them apart.
void remove_lookalikes(Headers& headers, std::string_view name);

}  // namespace axl::http
