// What a request to `/recv` asks for: which messages, how long to wait, and whether it will confirm them.
//
// Source: bridge, section 9, rows 3 to 5.
#pragma once

#include <axl/result.hpp>
#include <axl/router.hpp>
#include <axl/time.hpp>
#include <chrono>
#include <string>
#include <string_view>

#include "crypto/key_text.hpp"
#include "http/headers.hpp"

namespace axl::bridge {

struct RecvRequest {
  Router::Selection wanted;                  ///< `topic=`, `from=`
  Duration wait{};                           ///< `wait=`, at most a minute
  bool ack = false;                          ///< `ack=1`: leased, not taken
  Duration lease{std::chrono::seconds{30}};  ///< `lease=`, 1 to 600 seconds

  /// The error's text is for the client.
  [[nodiscard]] static Result<RecvRequest> parse(std::string_view query);
};

/// Writes what every answer says about a message. `legacy_peer_id`: X-From-Peer-Id with only the key bits that an
/// address carries, as the reference writes it.
class MessageHeaders {
 public:
  explicit MessageHeaders(bool legacy_peer_id) noexcept : legacy_peer_id_{legacy_peer_id} {}
  /// Good, and to be added to, until the next call.
  [[nodiscard]] http::Headers& of(const Message& message);

 private:
  bool legacy_peer_id_;
  KeyText senders_;
  AddressText addresses_;
  http::Headers headers_;  // kept for its memory
};

[[nodiscard]] PublicKey shown_key(const Message& message, bool legacy_peer_id);
[[nodiscard]] std::string shown_sender(const Message& message, bool legacy_peer_id);

}  // namespace axl::bridge
