// Which requests come from a web page or a foreign name, and are refused.
//
// A browser on this host, or on a host with an overlay interface, speaks with that host's rights, not with its user's
// will. It gives itself away by Origin, Sec-Fetch-* or the name it used.
//
// Source: bridge, sections 8.3, 8.4 and 9 (row 9).
#pragma once

#include <axl/key.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"

namespace axl::bridge {

/// The host of a `Host` value: lower case, without port, brackets and a dot at the end.
[[nodiscard]] std::string host_name(std::string_view host);

/// Why the local API refuses this request; empty: it does not. Loopback names are allowed, and those of `hosts`; an
/// Origin only if it is one of `origins`.
[[nodiscard]] std::optional<std::string_view> refuse_local(const http::RequestHead& request,
                                                           const std::vector<std::string>& hosts,
                                                           const std::vector<std::string>& origins);

/// Why port 7001 refuses this request: only our own address is a name there, and no page has business with it.
[[nodiscard]] std::optional<std::string_view> refuse_peer(const http::RequestHead& request, const Address& own);

}  // namespace axl::bridge
