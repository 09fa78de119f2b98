// `/ws`: messages both ways over a WebSocket, for as long as the client likes.
//
// The same messages as `/recv/stream`, chosen by the same `topic=`, `from=`, `ack=` and `lease=`, without base64; and what
// `/send` takes, one after the other without waiting. `recv=0` is for clients that only send: they take nothing from the
// queue.
//
// Source: bridge, section 9, row 3.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "bridge/ws_session.hpp"
#include "http/exchange.hpp"

namespace axl::bridge {

class WsApi {
 public:
  explicit WsApi(const WsSession::Parts& parts);
  WsApi(const WsApi&) = delete;
  WsApi& operator=(const WsApi&) = delete;
  ~WsApi();

  void serve(http::Exchange exchange);
  /// Ends all of them, as far as possible with what is under way done, and takes no more.
  void drain();

 private:
  WsSession::Parts parts_;
  std::map<std::uint64_t, std::unique_ptr<WsSession>> sessions_;
  std::uint64_t next_ = 1;
  bool draining_ = false;
};

}  // namespace axl::bridge
