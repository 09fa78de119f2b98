// Internet endpoints as text, and which of them a node may dial.
//
// Source: overlay links and sessions, section 2.1 (host resolution).
#pragma once

#include <asio/ip/tcp.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace axl::net {

using Endpoint = asio::ip::tcp::endpoint;

/// An IPv4 address that came wrapped in an IPv6 one is unwrapped; everything else stays.
[[nodiscard]] asio::ip::address plain_address(const asio::ip::address& address);

/// 192.0.2.1:80 or [2001:db8::1]:80.
[[nodiscard]] std::string to_text(const Endpoint& endpoint);

/// The address that `host` is, with or without brackets. A zone (%eth0) is ignored. Empty for names.
[[nodiscard]] std::optional<asio::ip::address> address_literal(std::string_view host);

/// False for unspecified and multicast addresses, and for 200::/7 unless `overlay_too`: a link must not run through the
/// overlay that it carries.
[[nodiscard]] bool may_dial(const asio::ip::address& address, bool overlay_too);

}  // namespace axl::net
