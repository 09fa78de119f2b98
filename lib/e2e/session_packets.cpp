#include "e2e/session_packets.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/signature.hpp"
#include "wire/codec.hpp"

namespace axl::e2e {

namespace {

constexpr std::size_t kKeySize = 32;
// Behind the next key and the payload's type byte this puts an IPv6 packet on a 4-byte boundary.
constexpr std::size_t kOpenedHeadroom = 3;
constexpr std::size_t kBodySize = 144;
constexpr std::size_t kSignedSize = 112;  // one-time key and all of the body but its signature
constexpr std::size_t kBodyOffset = 1 + kKeySize + crypto::kBoxTagSize;
static_assert(kBodyOffset + kBodySize == kHandshakeSize);

std::byte* put_bytes(std::byte* out, ByteSpan bytes) noexcept { return std::ranges::copy(bytes, out).out; }

std::byte* put_u64(std::byte* out, std::uint64_t value) noexcept {
  for (int shift = 56; shift >= 0; shift -= 8) *out++ = static_cast<std::byte>(value >> shift);
  return out;
}

crypto::BoxPublicKey read_key(wire::Reader& reader) {
  crypto::BoxPublicKey key;
  std::ranges::copy(reader.bytes(kKeySize), key.bytes.begin());
  return key;
}

std::array<std::byte, kSignedSize> signed_bytes(const crypto::BoxPublicKey& one_time, const Handshake& handshake) {
  std::array<std::byte, kSignedSize> bytes{};
  auto* out = put_bytes(bytes.data(), one_time.bytes);
  out = put_bytes(out, handshake.current.bytes);
  out = put_bytes(out, handshake.next.bytes);
  out = put_u64(out, handshake.key_seq);
  put_u64(out, handshake.seq);
  return bytes;
}

}  // namespace

std::optional<Buffer> seal_handshake(PacketType type, const Handshake& handshake, const PrivateKey& sender,
                                     const crypto::BoxPublicKey& recipient, Rng& rng) {
  const auto one_time = crypto::BoxKeyPair::generate(rng);
  const auto shared = crypto::box_shared(recipient, one_time.private_key);
  if (!shared) return {};
  const auto covered = signed_bytes(one_time.public_key, handshake);
  const auto signature = crypto::sign(sender, covered);

  Buffer packet{kHandshakeSize, Buffer::kHeadroom};
  packet.data()[0] = static_cast<std::byte>(type);
  put_bytes(packet.data() + 1, one_time.public_key.bytes);
  auto* body = packet.data() + kBodyOffset;
  put_bytes(put_bytes(body, signature.bytes), ByteSpan{covered}.subspan(kKeySize));
  crypto::seal_in_place({body, kBodySize}, packet.mutable_span().subspan<1 + kKeySize, crypto::kBoxTagSize>(), 0,
                        *shared);
  return packet;
}

std::optional<Handshake> open_handshake(ByteSpan packet, const PublicKey& source, const crypto::Secret& recipient) {
  if (packet.size() != kHandshakeSize) return {};
  crypto::BoxPublicKey one_time;
  std::ranges::copy(packet.subspan(1, kKeySize), one_time.bytes.begin());
  const auto shared = crypto::box_shared(one_time, recipient);
  if (!shared) return {};
  std::array<std::byte, kBodySize> body{};
  std::ranges::copy(packet.subspan(kBodyOffset), body.begin());
  if (!crypto::open_in_place(body, packet.subspan<1 + kKeySize, crypto::kBoxTagSize>(), 0, *shared)) return {};

  wire::Reader reader{body};
  const auto signature = reader.signature();
  Handshake handshake;
  handshake.current = read_key(reader);
  handshake.next = read_key(reader);
  handshake.key_seq = reader.u64();
  handshake.seq = reader.u64();
  if (!crypto::verify(source, signed_bytes(one_time, handshake), signature)) return {};
  return handshake;
}

std::optional<TrafficHeader> TrafficHeader::decode(ByteSpan packet) {
  if (packet.size() < kMinTrafficSize) return {};
  wire::Reader reader{packet.subspan(1)};
  TrafficHeader header;
  header.sender_key = reader.uvarint();
  header.receiver_key = reader.uvarint();
  header.nonce = reader.uvarint();
  if (!reader.ok()) return {};
  header.size = packet.size() - reader.rest().size();
  return header;
}

void seal_traffic(Buffer& payload, const TrafficHeader& header, const crypto::BoxPublicKey& next,
                  const crypto::Secret& shared) {
  payload.prepend(next.bytes);
  const auto sealed_size = payload.size();
  const auto header_size = 1 + wire::uvarint_size(header.sender_key) + wire::uvarint_size(header.receiver_key) +
                           wire::uvarint_size(header.nonce);
  auto* out = payload.prepend(header_size + crypto::kBoxTagSize).data();
  *out++ = static_cast<std::byte>(PacketType::traffic);
  out += wire::put_uvarint(out, header.sender_key);
  out += wire::put_uvarint(out, header.receiver_key);
  out += wire::put_uvarint(out, header.nonce);
  crypto::seal_in_place({out + crypto::kBoxTagSize, sealed_size},
                        std::span<std::byte, crypto::kBoxTagSize>{out, crypto::kBoxTagSize}, header.nonce, shared);
}

std::optional<crypto::BoxPublicKey> open_traffic(Buffer& packet, const TrafficHeader& header,
                                                 const crypto::Secret& shared) {
  const auto sealed = packet.span().subspan(header.size);
  if (sealed.size() < crypto::kBoxTagSize + kKeySize) return {};
  const auto tag = sealed.first<crypto::kBoxTagSize>();
  const auto inner = sealed.subspan(crypto::kBoxTagSize);
  if (packet.is_view()) {
    Buffer opened{inner.size(), kOpenedHeadroom};
    if (!crypto::open_into(opened.mutable_span(), inner, tag, header.nonce, shared)) return {};
    packet = std::move(opened);
  } else {
    const auto here = packet.mutable_span().subspan(header.size + crypto::kBoxTagSize);
    if (!crypto::open_in_place(here, tag, header.nonce, shared)) return {};
    packet.drop_front(header.size + crypto::kBoxTagSize);
  }
  crypto::BoxPublicKey next;
  std::ranges::copy(packet.span().first(kKeySize), next.bytes.begin());
  packet.drop_front(kKeySize);
  return next;
}

}  // namespace axl::e2e
