#include "crypto/signature.hpp"

#include <sodium.h>

#include "crypto/sodium.hpp"

namespace axl::crypto {

Signature sign(const PrivateKey& key, ByteSpan message) noexcept {
  ensure_sodium();
  Signature signature;
  crypto_sign_detached(raw(signature.bytes.data()), nullptr, raw(message.data()), message.size(),
                       raw(key.secret_bytes().data()));
  return signature;
}

bool verify(const PublicKey& key, ByteSpan message, const Signature& signature) noexcept {
  ensure_sodium();
  return crypto_sign_verify_detached(raw(signature.bytes.data()), raw(message.data()), message.size(),
                                     raw(key.bytes().data())) == 0;
}

}  // namespace axl::crypto
