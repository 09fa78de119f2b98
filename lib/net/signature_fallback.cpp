#include "net/signature_fallback.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "net/openssl_handles.hpp"

namespace axl::net {

bool openssl_verify(const PublicKey& key, ByteSpan message, const crypto::Signature& signature) noexcept {
  const ErrorQueueGuard guard;
  const KeyHandle public_key{
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, as_uchar(key.bytes().data()), PublicKey::kSize)};
  const DigestHandle digest{EVP_MD_CTX_new()};
  if (!public_key || !digest) return false;
  if (EVP_DigestVerifyInit(digest.get(), nullptr, nullptr, nullptr, public_key.get()) != 1) return false;
  return EVP_DigestVerify(digest.get(), as_uchar(signature.bytes.data()), signature.bytes.size(),
                          as_uchar(message.data()), message.size()) == 1;
}

crypto::Verifier make_routing_verifier() {
  return [](const PublicKey& key, ByteSpan message, const crypto::Signature& signature) {
    return crypto::verify(key, message, signature) || openssl_verify(key, message, signature);
  };
}

}  // namespace axl::net
