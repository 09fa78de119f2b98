// X25519 + XSalsa20-Poly1305 boxes as sessions use them, and the X25519 form of Ed25519 keys.
//
// Source: overlay links and sessions, section 5.1.
#pragma once

#include <array>
#include <axl/key.hpp>
#include <axl/random.hpp>
#include <compare>
#include <cstdint>
#include <optional>

namespace axl::crypto {

/// An X25519 public key.
struct BoxPublicKey {
  std::array<std::byte, 32> bytes{};
  friend auto operator<=>(const BoxPublicKey&, const BoxPublicKey&) noexcept = default;
};

/// 32 secret bytes that are wiped when they go.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::span<const std::byte, 32> bytes) noexcept;
  [[nodiscard]] static Secret draw(Rng& rng);
  Secret(const Secret&) noexcept = default;
  Secret& operator=(const Secret&) noexcept = default;
  ~Secret();
  [[nodiscard]] std::span<const std::byte, 32> bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::span<std::byte, 32> mutable_bytes() noexcept { return bytes_; }

 private:
  std::array<std::byte, 32> bytes_{};
};

struct BoxKeyPair {
  BoxPublicKey public_key;
  Secret private_key;  ///< as drawn, unclamped

  /// Draws 32 bytes; public = X25519(private, 9).
  [[nodiscard]] static BoxKeyPair generate(Rng& rng);
  /// The pair of a private key that is there already.
  [[nodiscard]] static BoxKeyPair of(const Secret& private_key) noexcept;
};

/// The X25519 private key of an Ed25519 key: the first half of SHA-512(seed), clamped.
[[nodiscard]] Secret to_x25519(const PrivateKey& key) noexcept;
/// Empty for keys that no honest node has: off curve, of small or mixed order.
[[nodiscard]] std::optional<BoxPublicKey> to_x25519(const PublicKey& key) noexcept;

/// HSalsa20(box_key, 0): the key that XSalsa20 derives for every nonce that begins with 16 zero bytes, as ours do.
[[nodiscard]] Secret stream_key(const Secret& box_key) noexcept;

/// What seal and open take: the stream key of HSalsa20(X25519(priv, pub), 0). Empty when X25519 gives zero.
[[nodiscard]] std::optional<Secret> box_shared(const BoxPublicKey& theirs, const Secret& ours) noexcept;

inline constexpr std::size_t kBoxTagSize = 16;

/// Encrypts `data` where it stands; `tag` gets 16 bytes. The nonce is 16 zero bytes, then `nonce` big-endian.
void seal_in_place(MutableByteSpan data, std::span<std::byte, kBoxTagSize> tag, std::uint64_t nonce,
                   const Secret& shared) noexcept;
/// Decrypts `data` into `out`, which is as large; false, and `out` untouched, when the tag does not hold.
[[nodiscard]] bool open_into(MutableByteSpan out, ByteSpan data, std::span<const std::byte, kBoxTagSize> tag,
                             std::uint64_t nonce, const Secret& shared) noexcept;
/// Decrypts `data` where it stands; false, and `data` untouched, when the tag does not hold.
[[nodiscard]] bool open_in_place(MutableByteSpan data, std::span<const std::byte, kBoxTagSize> tag, std::uint64_t nonce,
                                 const Secret& shared) noexcept;

}  // namespace axl::crypto
