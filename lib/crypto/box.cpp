#include "crypto/box.hpp"

#include <sodium.h>

#include <algorithm>

#include "crypto/sodium.hpp"

namespace axl::crypto {

namespace {

using Nonce = std::array<unsigned char, crypto_box_NONCEBYTES>;

Nonce nonce_of(std::uint64_t value) noexcept {
  Nonce nonce{};
  for (std::size_t i = 0; i < 8; ++i) nonce[nonce.size() - 1 - i] = static_cast<unsigned char>(value >> (8 * i));
  return nonce;
}

/// libsodium wants a pointer to no bytes, too.
unsigned char* not_null(MutableByteSpan data) noexcept {
  static unsigned char nothing = 0;  // of which no byte is read or written
  return data.empty() ? &nothing : raw(data.data());
}

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

std::optional<Secret> box_shared(const BoxPublicKey& theirs, const Secret& ours) noexcept {
  ensure_sodium();
  std::optional<Secret> shared{std::in_place};
  if (crypto_box_beforenm(raw(shared->mutable_bytes().data()), raw(theirs.bytes.data()), raw(ours.bytes().data())) !=
      0) {
    shared.reset();
  }
  return shared;
}

void seal_in_place(MutableByteSpan data, std::span<std::byte, kBoxTagSize> tag, std::uint64_t nonce,
                   const Secret& shared) noexcept {
  ensure_sodium();
  const auto full_nonce = nonce_of(nonce);
  auto* at = not_null(data);
  crypto_box_detached_afternm(at, raw(tag.data()), at, data.size(), full_nonce.data(), raw(shared.bytes().data()));
}

bool open_in_place(MutableByteSpan data, std::span<const std::byte, kBoxTagSize> tag, std::uint64_t nonce,
                   const Secret& shared) noexcept {
  ensure_sodium();
  const auto full_nonce = nonce_of(nonce);
  auto* at = not_null(data);
  return crypto_box_open_detached_afternm(at, at, raw(tag.data()), data.size(), full_nonce.data(),
                                          raw(shared.bytes().data())) == 0;
}

}  // namespace axl::crypto
