// `/recv`: hands messages to whoever asks, by topic and sender.
//
// GET takes the oldest one, HEAD only looks. The message leaves the queue when the last byte of the answer has left for
// the client, and goes back to its place if the connection breaks before. With `ack=1` it is only leased: DELETE with
// its id confirms it, else it comes again. `wait=SECONDS` waits for one to come. Without `topic=`, messages that have
// one are left to those who ask for it.
//
// Source: bridge, section 3.3; section 9, rows 3 to 5.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "bridge/host.hpp"
#include "bridge/inbox.hpp"
#include "bridge/recv_request.hpp"
#include "http/exchange.hpp"

namespace axl::bridge {

class RecvStream;

class Receiver {
 public:
  /// `legacy_peer_id`: X-From-Peer-Id with only the key bits that an address carries, as the reference writes it.
  Receiver(Inbox& inbox, Host& host, bool legacy_peer_id);
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  ~Receiver();

  void serve(http::Exchange exchange);          ///< `/recv`
  void serve_stream(http::Exchange exchange);   ///< `/recv/stream`
  void serve_confirm(http::Exchange exchange);  ///< `/recv/{id}`
  /// Answers those who wait, ends streams, and lets nobody wait any more.
  void drain();

  [[nodiscard]] std::size_t readers() const noexcept { return readers_.size(); }
  [[nodiscard]] std::size_t streams() const noexcept { return streams_.size(); }

 private:
  class Reader;

  void on_timer();
  void arm();
  void serve_head(http::Exchange exchange, const RecvRequest& request);
  void confirm(http::Exchange exchange, std::string_view id);

  Inbox& inbox_;
  Host& host_;
  bool legacy_peer_id_;
  MessageHeaders headers_;
  bool draining_ = false;
  // When those who wait have waited long enough; one timer for all, which is moved only to earlier times.
  std::set<std::pair<Time, std::uint64_t>> deadlines_;
  std::unique_ptr<Timer> timer_;
  std::optional<Time> armed_;
  std::map<std::uint64_t, std::unique_ptr<Reader>> readers_;
  std::map<std::uint64_t, std::unique_ptr<RecvStream>> streams_;
  std::uint64_t next_ = 1;
};

}  // namespace axl::bridge
