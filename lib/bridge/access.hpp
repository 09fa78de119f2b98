// Which requests on the overlay side come from a web page or a foreign name, and are refused.
//
// A browser on a host with an overlay interface speaks with that host's key, not with its user's will.
//
// Source: bridge, section 8.4.
#pragma once

#include <optional>
#include <string_view>

#include "http/message.hpp"

namespace axl::bridge {

/// Why port 7001 refuses this request: only our own address, `own_host` in brackets, is a name there, and no page has
/// business with it.
[[nodiscard]] std::optional<std::string_view> refuse_peer(const http::RequestHead& request, std::string_view own_host);

}  // namespace axl::bridge
