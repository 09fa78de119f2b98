// A second opinion on Ed25519 signatures, for what other nodes relay.
//
// The network's verifier accepts small-order and non-canonical keys, which libsodium refuses. Refusing what everyone
// else relays would cut honest links, so libsodium is asked first and OpenSSL, which checks like the network, decides
// when it says no. Neither multiplies by the cofactor; both refuse S beyond the group order.
//
// Source: overlay routing, section 5 (signatures).
#pragma once

#include <axl/bytes.hpp>
#include <axl/key.hpp>

#include "crypto/signature.hpp"

namespace axl::net {

[[nodiscard]] bool openssl_verify(const PublicKey& key, ByteSpan message, const crypto::Signature& signature) noexcept;

/// For the routing layer only; sessions and the meta handshake keep libsodium's strictness.
[[nodiscard]] crypto::Verifier make_routing_verifier();

}  // namespace axl::net
