// `/recv`: hands the oldest message to whoever asks.
//
// GET takes it, HEAD only looks. The message leaves the queue when the last byte of the answer has left for the client,
// and goes back to the front if the connection breaks before. `wait=SECONDS` waits for one to come.
//
// Source: bridge, section 3.3; section 9, rows 3 and 5.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "bridge/host.hpp"
#include "bridge/inbox.hpp"
#include "http/exchange.hpp"

namespace axl::bridge {

class Receiver {
 public:
  /// `legacy_peer_id`: X-From-Peer-Id with only the key bits that an address carries, as the reference writes it.
  Receiver(Inbox& inbox, Host& host, bool legacy_peer_id);
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  ~Receiver();

  void serve(http::Exchange exchange);
  /// Answers those who wait, and lets nobody wait any more.
  void drain();

 private:
  class Reader;

  [[nodiscard]] http::Headers headers_of(const Message& message) const;

  Inbox& inbox_;
  Host& host_;
  bool legacy_peer_id_;
  bool draining_ = false;
  std::map<std::uint64_t, std::unique_ptr<Reader>> readers_;
  std::uint64_t next_ = 1;
};

}  // namespace axl::bridge
