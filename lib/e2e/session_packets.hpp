// Layout of what two nodes exchange to keep a session: Init, Ack and Traffic, sealed and opened.
//
// An Init or Ack carries the sender's two current box keys, signed by its node key and sealed to the recipient's. A
// Traffic packet names the keys and the nonce it is sealed with and carries the sender's next key inside.
//
// Pure. Nothing here remembers anything. Source: overlay links and sessions, section 5.2.
#pragma once

#include <axl/key.hpp>
#include <axl/random.hpp>
#include <cstdint>
#include <optional>

#include "core/buffer.hpp"
#include "crypto/box.hpp"

namespace axl::e2e {

enum class PacketType : std::uint8_t { dummy = 0, init = 1, ack = 2, traffic = 3 };

inline constexpr std::size_t kHandshakeSize = 193;
inline constexpr std::size_t kMinTrafficSize = 52;
/// Largest payload of a session, its type byte included (section 5.7).
inline constexpr std::size_t kMaxPayload = 130'914;

/// What Init and Ack say.
struct Handshake {
  crypto::BoxPublicKey current;
  crypto::BoxPublicKey next;
  std::uint64_t key_seq = 0;  ///< number of `current`
  std::uint64_t seq = 0;      ///< the sender's clock, Unix seconds

  friend bool operator==(const Handshake&, const Handshake&) = default;
};

/// Draws the packet's one-time key last of all keys of its step. `recipient` is the X25519 form of the node key.
/// Empty when that key makes no secret, which no converted key does.
[[nodiscard]] std::optional<Buffer> seal_handshake(PacketType type, const Handshake& handshake,
                                                   const PrivateKey& sender, const crypto::BoxPublicKey& recipient,
                                                   Rng& rng);
/// Empty unless `packet` was sealed to us, all of it, and signed by `source`. `recipient`: X25519 form of our key.
[[nodiscard]] std::optional<Handshake> open_handshake(ByteSpan packet, const PublicKey& source,
                                                      const crypto::Secret& recipient);

/// The clear part of a Traffic packet. It selects the key; changing it makes opening fail.
struct TrafficHeader {
  std::uint64_t sender_key = 0;    ///< number of the sender's key
  std::uint64_t receiver_key = 0;  ///< number of the receiver's key, as far as the sender knows
  std::uint64_t nonce = 0;         ///< grows by one with each packet
  std::size_t size = 0;            ///< bytes taken in front of the tag; set by decoding

  /// Empty for packets below the least size and for numbers cut short or too large.
  [[nodiscard]] static std::optional<TrafficHeader> decode(ByteSpan packet);
};

/// Turns a payload into a Traffic packet where it stands; moves it only if there are less than 79 bytes of headroom.
void seal_traffic(Buffer& payload, const TrafficHeader& header, const crypto::BoxPublicKey& next,
                  const crypto::Secret& shared);
/// Opens a Traffic packet where it stands and leaves its payload; returns the sender's next key. Empty, and `packet`
/// as it was, when the tag does not hold.
[[nodiscard]] std::optional<crypto::BoxPublicKey> open_traffic(Buffer& packet, const TrafficHeader& header,
                                                               const crypto::Secret& shared);

}  // namespace axl::e2e
