#include "wire/meta.hpp"

#include <algorithm>
#include <array>

#include "crypto/hash.hpp"
#include "crypto/signature.hpp"
#include "wire/codec.hpp"
#include "wire/writer.hpp"

namespace axl::wire {

namespace {

constexpr std::array<std::byte, 4> kPreamble{std::byte{'m'}, std::byte{'e'}, std::byte{'t'}, std::byte{'a'}};
constexpr std::size_t kHonestLength = 6 + 6 + 4 + kKeySize + 5 + kSignatureSize;

enum Field : std::uint16_t { field_major = 0, field_minor = 1, field_key = 2, field_priority = 3 };

struct Fields {
  std::uint16_t major = 0;
  std::uint16_t minor = 0;
  std::optional<PublicKey> key;
  std::uint8_t priority = 0;
};

std::optional<Fields> read_fields(ByteSpan body) {
  Fields fields;
  Reader reader{body};
  while (!reader.at_end()) {
    const auto type = reader.u16();
    const auto length = reader.u16();
    Reader value{reader.bytes(length)};
    if (!reader.ok()) return {};
    switch (type) {
      case field_major: fields.major = value.u16(); break;
      case field_minor: fields.minor = value.u16(); break;
      case field_key: fields.key = value.key(); break;
      case field_priority: fields.priority = value.u8(); break;
      default: continue;  // of a later version
    }
    if (!value.ok() || !value.at_end()) return {};
  }
  return fields;
}

}  // namespace

Buffer encode_meta(const PrivateKey& key, std::uint8_t priority, ByteSpan password) {
  const auto hash = crypto::blake2b512(key.public_key().bytes(), password);
  Buffer out{kMetaPrefixSize + kHonestLength};
  Writer writer{out.mutable_span()};
  writer.bytes(kPreamble).u16(kHonestLength);
  writer.u16(field_major).u16(2).u16(kProtocolMajor);
  writer.u16(field_minor).u16(2).u16(kProtocolMinor);
  writer.u16(field_key).u16(kKeySize).key(key.public_key());
  writer.u16(field_priority).u16(1).u8(priority);
  writer.signature(crypto::sign(key, hash));
  return out;
}

Result<MetaPrefix> decode_meta(ByteSpan input, ByteSpan password) {
  const auto seen = std::min(input.size(), kPreamble.size());
  if (!std::ranges::equal(input.first(seen), std::span{kPreamble}.first(seen))) {
    return Error{Errc::malformed, "invalid handshake, remote side is not Yggdrasil"};
  }
  if (input.size() < kMetaPrefixSize) return MetaPrefix{};
  Reader reader{input.subspan(kPreamble.size())};
  const std::size_t length = reader.u16();
  if (length < kSignatureSize || length > kMaxMetaLength) {
    return Error{Errc::malformed, "invalid handshake length, possible version mismatch"};
  }
  const auto body = reader.bytes(length);
  if (!reader.ok()) return MetaPrefix{};

  const auto fields = read_fields(body.first(length - kSignatureSize));
  if (!fields) return Error{Errc::malformed, "invalid handshake, malformed field"};
  if (!fields->key) return Error{Errc::malformed, "invalid handshake, no public key"};
  const auto signature = Reader{body.last(kSignatureSize)}.signature();
  if (!crypto::verify(*fields->key, crypto::blake2b512(fields->key->bytes(), password), signature)) {
    return Error{Errc::refused, "password does not match remote side"};
  }
  if (fields->major != kProtocolMajor || fields->minor != kProtocolMinor) {
    return Error{Errc::not_supported, "remote node incompatible version (local 0.5, remote " +
                                          std::to_string(fields->major) + "." + std::to_string(fields->minor) + ")"};
  }
  return MetaPrefix{.meta = Meta{.key = *fields->key, .priority = fields->priority}, .size = kMetaPrefixSize + length};
}

}  // namespace axl::wire
