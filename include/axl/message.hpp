// Messages between nodes: what arrives, how one is sent, and what is known when it has been.
#pragma once

#include <axl/bytes.hpp>
#include <axl/key.hpp>
#include <axl/time.hpp>
#include <cstdint>
#include <optional>
#include <string>

namespace axl {

/// One message as it arrived.
struct Message {
  PublicKey sender;   ///< the full key that sealed it
  std::string id;     ///< the sender's id for it; empty on messages of peers that know no ids (port 7000)
  std::string topic;  ///< empty: the default queue
  Bytes body;
};

struct SendOptions {
  /// At most 128 bytes of visible ASCII; empty: 128 random bits. The same id and body again is queued once.
  std::string message_id;
  std::string topic;
  /// False: done as soon as the message is handed to the connection, without waiting for the peer.
  bool want_receipt = true;
  std::optional<Duration> timeout;  ///< instead of the configured send_timeout
};

struct Receipt {
  enum class Delivered : std::uint8_t {
    yes,      ///< the peer has queued it
    unknown,  ///< the peer's TCP has it all; peers of the older kind say no more
  };
  Delivered delivered = Delivered::unknown;
  std::string message_id;
};

}  // namespace axl
