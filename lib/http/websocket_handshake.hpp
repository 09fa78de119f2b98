// Which requests become WebSockets, and what answers them. RFC 6455, section 4.2.
//
// No extension and no subprotocol is ever chosen. Who may ask at all is LocalAccess's affair.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/message.hpp"

namespace axl::http {

struct WebSocketRefusal {
  int status = 400;
  std::string_view text;
  Headers headers = {};
};

/// Why this request is no WebSocket handshake that we can accept; empty: it is one.
[[nodiscard]] std::optional<WebSocketRefusal> refuse_websocket(const RequestHead& request);

/// What proves that we have read the request's Sec-WebSocket-Key.
[[nodiscard]] std::string websocket_accept(std::string_view key);

/// The headers of the 101 answer, `Connection` excepted.
[[nodiscard]] Headers websocket_answer(const RequestHead& request);

}  // namespace axl::http
