// Keys and certificates in OpenSSL's form. Included by sources only.
#pragma once

#include <axl/key.hpp>
#include <chrono>
#include <optional>

#include "net/openssl_handles.hpp"

namespace axl::net {

[[nodiscard]] KeyHandle make_openssl_key(const PrivateKey& key);

/// The self-signed certificate of `key`, whose OpenSSL form is `signer`. Null when OpenSSL fails.
[[nodiscard]] CertificateHandle make_openssl_certificate(const PrivateKey& key, EVP_PKEY* signer,
                                                         std::chrono::system_clock::time_point not_before);

/// The Ed25519 key of a certificate that a node made itself: its CN is the hex of that key. Empty for all others.
[[nodiscard]] std::optional<PublicKey> key_of_direct_node(const X509* certificate);

}  // namespace axl::net
