#include <sodium.h>

#include <algorithm>
#include <axl/key.hpp>

#include "crypto/sodium.hpp"

namespace axl {

namespace {

using crypto::raw;

/// What every PKCS#8 v1 Ed25519 key begins with; the 32-byte seed follows.
constexpr std::array<unsigned char, 16> kPkcs8Prefix{0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                                     0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";
constexpr std::string_view kBlockType = "PRIVATE KEY";

/// Room for a PKCS#8 v2 key with attributes and more; longer blocks are no Ed25519 key.
constexpr std::size_t kMaxDer = 4096;

/// Secret bytes that come and go with the parser.
struct WipedBytes {
  WipedBytes() = default;
  WipedBytes(const WipedBytes&) = delete;
  WipedBytes& operator=(const WipedBytes&) = delete;
  ~WipedBytes() { sodium_memzero(bytes.data(), bytes.size()); }
  std::array<std::byte, kMaxDer> bytes{};
  std::size_t size = 0;
};

Error bad_key(std::string text) { return {Errc::malformed, "private key: " + std::move(text)}; }

/// One DER element in front of `rest`: takes it off and gives its content, if it has this tag and lies within.
bool take(ByteSpan& rest, unsigned tag, ByteSpan& content) {
  if (rest.size() < 2 || std::to_integer<unsigned>(rest[0]) != tag) return false;
  auto length = std::to_integer<std::size_t>(rest[1]);
  std::size_t header = 2;
  if (length >= 0x80) {
    const auto digits = length & 0x7f;
    if (digits == 0 || digits > 2 || rest.size() < 2 + digits) return false;
    length = 0;
    for (std::size_t i = 0; i < digits; ++i) length = length << 8 | std::to_integer<std::size_t>(rest[2 + i]);
    header += digits;
  }
  if (rest.size() - header < length) return false;
  content = rest.subspan(header, length);
  rest = rest.subspan(header + length);
  return true;
}

Result<PrivateKey> from_der(ByteSpan der) {
  ByteSpan body;
  ByteSpan version;
  ByteSpan algorithm;
  ByteSpan oid;
  ByteSpan wrapped;
  ByteSpan seed;
  if (!take(der, 0x30, body) || !take(body, 0x02, version) || version.size() != 1 || version[0] > std::byte{1} ||
      !take(body, 0x30, algorithm) || !take(algorithm, 0x06, oid) || !take(body, 0x04, wrapped)) {
    return bad_key("the block holds no PKCS#8 key");
  }
  constexpr std::array<std::byte, 3> ed25519{std::byte{0x2b}, std::byte{0x65}, std::byte{0x70}};
  if (!std::ranges::equal(oid, ed25519) || !algorithm.empty()) return bad_key("not an Ed25519 key");
  if (!take(wrapped, 0x04, seed) || !wrapped.empty() || seed.size() != PrivateKey::kSeedSize) {
    return bad_key("an Ed25519 key has a seed of 32 bytes");
  }
  auto key = PrivateKey::from_seed(std::span<const std::byte, PrivateKey::kSeedSize>{seed});
  ByteSpan attributes;
  static_cast<void>(take(body, 0xa0, attributes));  // optional, and means nothing here
  if (body.empty()) return key;
  ByteSpan attached;
  if (version[0] != std::byte{1} || !take(body, 0x81, attached) || !body.empty() || attached.size() != 33 ||
      attached[0] != std::byte{0}) {
    return bad_key("unexpected data after the seed");
  }
  if (!std::ranges::equal(attached.subspan(1), key.public_key().bytes())) {
    return bad_key("the attached public key is not the seed's");
  }
  return key;
}

}  // namespace

PrivateKey PrivateKey::generate() {
  crypto::ensure_sodium();
  std::array<std::byte, kSeedSize> seed{};
  randombytes_buf(seed.data(), seed.size());
  auto key = from_seed(seed);
  sodium_memzero(seed.data(), seed.size());
  return key;
}

PrivateKey PrivateKey::from_seed(std::span<const std::byte, kSeedSize> seed) noexcept {
  crypto::ensure_sodium();
  PrivateKey key;
  std::array<std::byte, PublicKey::kSize> public_bytes{};
  crypto_sign_seed_keypair(raw(public_bytes.data()), raw(key.secret_.data()), raw(seed.data()));
  key.public_key_ = PublicKey{public_bytes};
  return key;
}

Result<PrivateKey> PrivateKey::from_pem(std::string_view pem) {
  auto begin = pem.find(kBegin);
  while (begin != std::string_view::npos && begin != 0 && pem[begin - 1] != '\n') begin = pem.find(kBegin, begin + 1);
  if (begin == std::string_view::npos) return bad_key("no PEM block found");
  pem.remove_prefix(begin + kBegin.size());
  const auto type_end = pem.find(kDashes);
  if (type_end == std::string_view::npos || pem.find('\n') < type_end) return bad_key("bad PEM header line");
  const auto type = pem.substr(0, type_end);
  if (type != kBlockType) {
    return bad_key("unexpected PEM type \"" + std::string{type.substr(0, 64)} + "\", PRIVATE KEY is needed");
  }
  pem.remove_prefix(type_end + kDashes.size());
  const auto end = pem.find(kEnd);
  if (end == std::string_view::npos || !pem.substr(end + kEnd.size()).starts_with(kBlockType)) {
    return bad_key("the PEM block does not end");
  }
  crypto::ensure_sodium();
  WipedBytes der;
  if (sodium_base642bin(raw(der.bytes.data()), der.bytes.size(), pem.data(), end, " \t\r\n", &der.size, nullptr,
                        sodium_base64_VARIANT_ORIGINAL) != 0) {
    return bad_key("bad base64 in the PEM block");
  }
  return from_der(ByteSpan{der.bytes}.first(der.size));
}

Result<PrivateKey> PrivateKey::from_hex(std::string_view digits) {
  crypto::ensure_sodium();
  WipedBytes decoded;
  if (digits.size() != 128 ||
      sodium_hex2bin(raw(decoded.bytes.data()), 64, digits.data(), digits.size(), nullptr, &decoded.size, nullptr) !=
          0 ||
      decoded.size != 64) {
    return Error{Errc::invalid_argument, "private key: 128 hexadecimal digits are needed"};
  }
  auto key = from_seed(std::span{decoded.bytes}.first<kSeedSize>());
  if (!std::ranges::equal(std::span{decoded.bytes}.subspan<32, 32>(), key.public_key().bytes())) {
    return Error{Errc::invalid_argument, "private key: its second half is not the public key of the first"};
  }
  return key;
}

PrivateKey::PrivateKey(const PrivateKey&) noexcept = default;
PrivateKey& PrivateKey::operator=(const PrivateKey&) noexcept = default;
PrivateKey::~PrivateKey() { sodium_memzero(secret_.data(), secret_.size()); }

std::string PrivateKey::to_pem() const {
  std::array<unsigned char, kPkcs8Prefix.size() + kSeedSize> der{};
  std::ranges::copy(kPkcs8Prefix, der.begin());
  std::copy_n(raw(secret_.data()), kSeedSize, der.begin() + kPkcs8Prefix.size());
  std::array<char, sodium_base64_ENCODED_LEN(der.size(), sodium_base64_VARIANT_ORIGINAL)> base64{};
  sodium_bin2base64(base64.data(), base64.size(), der.data(), der.size(), sodium_base64_VARIANT_ORIGINAL);
  std::string pem;
  pem.reserve(128);  // no copies of the secret left behind by growing
  pem.append("-----BEGIN PRIVATE KEY-----\n").append(base64.data()).append("\n-----END PRIVATE KEY-----\n");
  sodium_memzero(der.data(), der.size());
  sodium_memzero(base64.data(), base64.size());
  return pem;
}

}  // namespace axl
