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

/// The text of addresses, of which mostly the same one is asked for again.
class AddressText {
 public:
  [[nodiscard]] const std::string& of(const Address& address) {
    if (text_.empty() || last_ != address) {
      last_ = address;
      text_ = address.to_string();
    }
    return text_;
  }

 private:
  Address last_;
  std::string text_;
};

/// What every answer says about a message. `legacy_peer_id`: X-From-Peer-Id with only the key bits that an address
/// carries, as the reference writes it.
[[nodiscard]] http::Headers message_headers(const Message& message, bool legacy_peer_id, AddressText& addresses);
[[nodiscard]] std::string shown_sender(const Message& message, bool legacy_peer_id);

}  // namespace axl::bridge
