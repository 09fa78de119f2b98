#include "crypto/box.hpp"

#include <sodium.h>

#include <algorithm>

#include "core/expect.hpp"
#include "crypto/one_time_mac.hpp"
#include "crypto/sodium.hpp"

namespace axl::crypto {

namespace {

/// What XSalsa20 encrypts one packet with: its first block gives the key of the MAC and encrypts the first 32 bytes, the
/// blocks from 1 on encrypt the rest.
class PacketStream {
 public:
  PacketStream(std::uint64_t nonce, const Secret& shared) noexcept : key_{raw(shared.bytes().data())} {
    for (std::size_t i = 0; i < nonce_.size(); ++i) {
      nonce_[nonce_.size() - 1 - i] = static_cast<unsigned char>(nonce >> (8 * i));
    }
    crypto_stream_salsa20(raw(first_.data()), first_.size(), nonce_.data(), key_);
  }
  PacketStream(const PacketStream&) = delete;
  PacketStream& operator=(const PacketStream&) = delete;
  ~PacketStream() { sodium_memzero(first_.data(), first_.size()); }

  [[nodiscard]] std::span<const std::byte, kMacKeySize> mac_key() const noexcept {
    return std::span{first_}.first<kMacKeySize>();
  }
  /// Encrypts or decrypts; `out` is `data`, or as large.
  void mix(MutableByteSpan out, ByteSpan data) const noexcept {
    const auto early = std::min(data.size(), first_.size() - kMacKeySize);
    for (std::size_t i = 0; i < early; ++i) out[i] = data[i] ^ first_[kMacKeySize + i];
    const auto rest = data.subspan(early);
    if (rest.empty()) return;
    crypto_stream_salsa20_xor_ic(raw(out.data() + early), raw(rest.data()), rest.size(), nonce_.data(), 1, key_);
  }

 private:
  const unsigned char* key_;
  std::array<unsigned char, crypto_stream_salsa20_NONCEBYTES> nonce_{};
  std::array<std::byte, 64> first_{};
};

}  // namespace

Secret::Secret(std::span<const std::byte, 32> bytes) noexcept { std::ranges::copy(bytes, bytes_.begin()); }

Secret::~Secret() { sodium_memzero(bytes_.data(), bytes_.size()); }

Secret Secret::draw(Rng& rng) {
  Secret secret;
  rng.fill(secret.mutable_bytes());
  return secret;
}

BoxKeyPair BoxKeyPair::generate(Rng& rng) { return of(Secret::draw(rng)); }

BoxKeyPair BoxKeyPair::of(const Secret& private_key) noexcept {
  ensure_sodium();
  BoxKeyPair pair{.public_key = {}, .private_key = private_key};
  crypto_scalarmult_base(raw(pair.public_key.bytes.data()), raw(private_key.bytes().data()));
  return pair;
}

Secret to_x25519(const PrivateKey& key) noexcept {
  ensure_sodium();
  Secret secret;
  static_cast<void>(
      crypto_sign_ed25519_sk_to_curve25519(raw(secret.mutable_bytes().data()), raw(key.secret_bytes().data())));
  return secret;
}

std::optional<BoxPublicKey> to_x25519(const PublicKey& key) noexcept {
  ensure_sodium();
  BoxPublicKey converted;
  if (crypto_sign_ed25519_pk_to_curve25519(raw(converted.bytes.data()), raw(key.bytes().data())) != 0) return {};
  return converted;
}

Secret stream_key(const Secret& box_key) noexcept {
  ensure_sodium();
  static constexpr std::array<unsigned char, crypto_core_hsalsa20_INPUTBYTES> kNonceHead{};
  Secret key;
  crypto_core_hsalsa20(raw(key.mutable_bytes().data()), kNonceHead.data(), raw(box_key.bytes().data()), nullptr);
  return key;
}

std::optional<Secret> box_shared(const BoxPublicKey& theirs, const Secret& ours) noexcept {
  ensure_sodium();
  Secret box_key;
  if (crypto_box_beforenm(raw(box_key.mutable_bytes().data()), raw(theirs.bytes.data()), raw(ours.bytes().data())) !=
      0) {
    return std::nullopt;
  }
  return stream_key(box_key);
}

void seal_in_place(MutableByteSpan data, std::span<std::byte, kBoxTagSize> tag, std::uint64_t nonce,
                   const Secret& shared) noexcept {
  ensure_sodium();
  const PacketStream stream{nonce, shared};
  stream.mix(data, data);
  one_time_mac(tag, data, stream.mac_key());
}

bool open_in_place(MutableByteSpan data, std::span<const std::byte, kBoxTagSize> tag, std::uint64_t nonce,
                   const Secret& shared) noexcept {
  return open_into(data, data, tag, nonce, shared);
}

bool open_into(MutableByteSpan out, ByteSpan data, std::span<const std::byte, kBoxTagSize> tag, std::uint64_t nonce,
               const Secret& shared) noexcept {
  AXL_EXPECT_OR(out.size() == data.size(), return false);
  ensure_sodium();
  const PacketStream stream{nonce, shared};
  std::array<std::byte, kBoxTagSize> found{};
  one_time_mac(found, data, stream.mac_key());
  if (crypto_verify_16(raw(found.data()), raw(tag.data())) != 0) return false;
  stream.mix(out, data);
  return true;
}

}  // namespace axl::crypto
