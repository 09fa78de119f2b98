// A published message as it travels: who made it, its name and content, and who answers for it.
//
// The id is 16 bytes of a hash over everything but the signature: nobody can put another message in the place of one
// that is on its way, and no id needs to be believed. The name makes ids of equal contents differ. Ours is 16 bytes:
// 8 of a sequence number that grows over restarts (microseconds of Unix time, and always more than the last), then 8
// random ones. A message of the JSON form has the text that its origin gave it.
//
// Signed is the hash, by the origin; or, when the origin speaks the JSON form, which has no signatures, by the node
// that took the message from there. That one vouches for "a peer of mine gave me this", not for the origin.
#pragma once

#include <array>
#include <axl/key.hpp>
#include <axl/message.hpp>
#include <axl/random.hpp>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/signature.hpp"

namespace axl::pubsub {

struct MessageId {
  static constexpr std::size_t kSize = 16;
  std::array<std::byte, kSize> bytes{};
  [[nodiscard]] std::string to_hex() const { return axl::to_hex(bytes); }
  friend auto operator<=>(const MessageId&, const MessageId&) noexcept = default;
};

inline constexpr std::size_t kMaxNameSize = 64;  ///< of a name given as text, bytes

/// 1 to 128 printable ASCII characters without spaces around, as topics of the receive queue.
[[nodiscard]] bool is_topic(std::string_view topic) noexcept;

/// What the origin calls its message.
class MessageName {
 public:
  using Binary = std::array<std::byte, 16>;

  MessageName() = default;
  /// Ours: `sequence` orders the messages of one origin.
  [[nodiscard]] static MessageName make(std::uint64_t sequence, Rng& rng);
  explicit MessageName(const Binary& binary) noexcept : binary_{binary} {}
  /// The text of the JSON form: 32 lower-case hex digits are one of ours, anything else stays text. Empty when longer
  /// than allowed, or nothing.
  [[nodiscard]] static std::optional<MessageName> of_text(std::string_view text);

  [[nodiscard]] bool is_text() const noexcept { return !text_.empty(); }
  [[nodiscard]] std::string text() const { return is_text() ? text_ : to_hex(binary_); }
  [[nodiscard]] ByteSpan bytes() const noexcept { return is_text() ? as_bytes(text_) : ByteSpan{binary_}; }
  /// Empty for names that are text.
  [[nodiscard]] std::optional<std::uint64_t> sequence() const noexcept;
  /// Stands for the name where only that is known: in what peers of the JSON form announce and ask for.
  [[nodiscard]] MessageId alias() const noexcept;

 private:
  Binary binary_{};
  std::string text_;
};

struct PublishedMessage {
  PublicKey origin;  ///< proved only if the origin itself signed
  MessageName name;
  std::string topic;
  MessageBody body;
  std::uint8_t hops = 0;  ///< links that it has come over; not signed
  std::optional<PublicKey> signer;
  crypto::Signature signature;  ///< set with `signer`

  using Hash = std::array<std::byte, 64>;
  [[nodiscard]] Hash hash() const noexcept;
  [[nodiscard]] static MessageId id_of(const Hash& hash) noexcept;

  void sign(const Hash& hash, const PrivateKey& key) noexcept;
  [[nodiscard]] bool verify(const Hash& hash, const crypto::Verifier& verifier) const;
};

}  // namespace axl::pubsub
