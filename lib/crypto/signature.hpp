// Ed25519 signatures (RFC 8032, pure, no context).
#pragma once

#include <array>
#include <axl/key.hpp>
#include <compare>
#include <functional>

namespace axl::crypto {

struct Signature {
  static constexpr std::size_t kSize = 64;
  std::array<std::byte, kSize> bytes{};
  friend auto operator<=>(const Signature&, const Signature&) noexcept = default;
};

[[nodiscard]] Signature sign(const PrivateKey& key, ByteSpan message) noexcept;

/// libsodium's check: cofactorless, and small-order or non-canonical keys are refused.
[[nodiscard]] bool verify(const PublicKey& key, ByteSpan message, const Signature& signature) noexcept;

/// How the caller wants signatures checked. Routing needs a second opinion where `verify` says no (overlay routing,
/// section 5: a false reject cuts an honest link); the library that gives it is not this folder's to include.
using Verifier = std::function<bool(const PublicKey& key, ByteSpan message, const Signature& signature)>;

}  // namespace axl::crypto
