// A node's key and what follows from it: peer id, overlay address, subnet.
//
// Source: overlay links and sessions, section 1 (identity and addresses).
#pragma once

#include <array>
#include <axl/api.hpp>
#include <axl/bytes.hpp>
#include <axl/result.hpp>
#include <compare>
#include <cstddef>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

namespace axl {

/// An Ed25519 public key, 32 bytes as in RFC 8032: the peer id. Ordered bytewise, first byte most significant.
class AXL_API PublicKey {
 public:
  static constexpr std::size_t kSize = 32;

  PublicKey() = default;  ///< all zero: no real key
  explicit PublicKey(std::span<const std::byte, kSize> bytes) noexcept;

  /// Exactly 64 hexadecimal digits of either case.
  [[nodiscard]] static Result<PublicKey> from_hex(std::string_view digits);

  [[nodiscard]] std::string to_hex() const { return axl::to_hex(bytes_); }
  [[nodiscard]] std::span<const std::byte, kSize> bytes() const noexcept { return bytes_; }

  friend bool operator==(const PublicKey& a, const PublicKey& b) noexcept {
    return std::memcmp(a.bytes_.data(), b.bytes_.data(), kSize) == 0;
  }
  friend std::strong_ordering operator<=>(const PublicKey& a, const PublicKey& b) noexcept {
    return std::memcmp(a.bytes_.data(), b.bytes_.data(), kSize) <=> 0;
  }

 private:
  std::array<std::byte, kSize> bytes_{};
};

/// An Ed25519 private key (its 32-byte seed). Wipes itself; neither prints nor compares.
class AXL_API PrivateKey {
 public:
  static constexpr std::size_t kSeedSize = 32;

  /// A fresh key from the system's random source.
  [[nodiscard]] static PrivateKey generate();
  [[nodiscard]] static PrivateKey from_seed(std::span<const std::byte, kSeedSize> seed) noexcept;
  /// The first PEM block must be an unencrypted PKCS#8 Ed25519 key, as `openssl genpkey -algorithm ed25519` writes it.
  [[nodiscard]] static Result<PrivateKey> from_pem(std::string_view pem);
  /// 128 hexadecimal digits: seed, then the public key that belongs to it.
  [[nodiscard]] static Result<PrivateKey> from_hex(std::string_view digits);

  PrivateKey(const PrivateKey&) noexcept;
  PrivateKey& operator=(const PrivateKey&) noexcept;
  ~PrivateKey();

  [[nodiscard]] const PublicKey& public_key() const noexcept { return public_key_; }
  /// PKCS#8 v1 in PEM, the same bytes as openssl's. Wipe the string after use.
  [[nodiscard]] std::string to_pem() const;
  /// seed ++ public key, the form libsodium signs with. For the library's own use.
  [[nodiscard]] std::span<const std::byte, 64> secret_bytes() const noexcept { return secret_; }

 private:
  PrivateKey() = default;
  std::array<std::byte, 64> secret_{};
  PublicKey public_key_;
};

/// An overlay address, 16 bytes in 200::/8.
class AXL_API Address {
 public:
  static constexpr std::size_t kSize = 16;

  Address() = default;
  explicit Address(std::span<const std::byte, kSize> bytes) noexcept;
  /// The address that belongs to `key`.
  [[nodiscard]] static Address of(const PublicKey& key) noexcept;

  /// RFC 5952 text, such as 201:fac3:d5c6:126c:7ac8:51c9:ed9c:b95f.
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] std::span<const std::byte, kSize> bytes() const noexcept { return bytes_; }
  /// The key bits that the address carries; all bits that it does not carry are ones.
  [[nodiscard]] PublicKey partial_key() const noexcept;

  friend bool operator==(const Address& a, const Address& b) noexcept {
    return std::memcmp(a.bytes_.data(), b.bytes_.data(), kSize) == 0;
  }
  friend std::strong_ordering operator<=>(const Address& a, const Address& b) noexcept {
    return std::memcmp(a.bytes_.data(), b.bytes_.data(), kSize) <=> 0;
  }

 private:
  std::array<std::byte, kSize> bytes_{};
};

/// A key's routed subnet, the first 8 bytes of a /64 in 300::/8.
class AXL_API Subnet {
 public:
  static constexpr std::size_t kSize = 8;

  Subnet() = default;
  explicit Subnet(std::span<const std::byte, kSize> bytes) noexcept;
  [[nodiscard]] static Subnet of(const PublicKey& key) noexcept;

  [[nodiscard]] std::string to_string() const;  ///< such as 301:fac3:d5c6:126c::/64
  [[nodiscard]] std::span<const std::byte, kSize> bytes() const noexcept { return bytes_; }
  [[nodiscard]] PublicKey partial_key() const noexcept;

  friend bool operator==(const Subnet& a, const Subnet& b) noexcept {
    return std::memcmp(a.bytes_.data(), b.bytes_.data(), kSize) == 0;
  }
  friend std::strong_ordering operator<=>(const Subnet& a, const Subnet& b) noexcept {
    return std::memcmp(a.bytes_.data(), b.bytes_.data(), kSize) <=> 0;
  }

 private:
  std::array<std::byte, kSize> bytes_{};
};

}  // namespace axl

/// Keys come from strangers: hashed with a per-process secret, so that nobody can choose collisions.
template <>
struct std::hash<axl::PublicKey> {
  AXL_API std::size_t operator()(const axl::PublicKey& key) const noexcept;
};
template <>
struct std::hash<axl::Address> {
  AXL_API std::size_t operator()(const axl::Address& address) const noexcept;
};
