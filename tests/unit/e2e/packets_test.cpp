#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <limits>
#include <memory>

#include "e2e/session_packets.hpp"
#include "support.hpp"
#include "vectors.hpp"

using namespace axl;
using namespace axl::test;
using axl::e2e::Handshake;
using axl::e2e::PacketType;
using axl::e2e::TrafficHeader;

namespace {

crypto::BoxPublicKey box_key(const Bytes& bytes) {
  crypto::BoxPublicKey key;
  std::ranges::copy(bytes, key.bytes.begin());
  return key;
}

Handshake handshake_of(simdjson::dom::element vector) {
  return {.current = box_key(hex(vector["current_public"])),
          .next = box_key(hex(vector["next_public"])),
          .key_seq = u64(vector["key_seq"]),
          .seq = u64(vector["seq"])};
}

crypto::Secret shared_secret(std::uint8_t fill) {
  std::array<std::byte, 32> bytes{};
  bytes.fill(std::byte{fill});
  return crypto::Secret{bytes};
}

}  // namespace

TEST_CASE("packets: Init and Ack have the recorded bytes and open to what they say", "[e2e]") {
  std::size_t cases = 0;
  for (const auto vector : load_vectors("session/session_init_ack.json")["cases"].get_array()) {
    ++cases;
    const auto from = key_from(hex(vector["from_seed"]));
    const auto to = key_from(hex(vector["to_seed"]));
    const auto type = text(vector["kind"]) == "init" ? PacketType::init : PacketType::ack;
    RecordedRng rng;
    rng.feed(hex(vector["ephemeral_private"]));
    const auto recipient = crypto::to_x25519(to.public_key());
    REQUIRE(recipient);
    REQUIRE(to_hex(recipient->bytes) == text(vector["to_x25519_public"]));
    const auto packet = e2e::seal_handshake(type, handshake_of(vector), from, *recipient, rng);
    REQUIRE(packet);
    CHECK(to_hex(*packet) == text(vector["packet"]));
    CHECK(rng.exhausted());

    const auto opened = e2e::open_handshake(hex(vector["packet"]), from.public_key(), crypto::to_x25519(to));
    REQUIRE(opened);
    CHECK(*opened == handshake_of(vector));
  }
  CHECK(cases >= 10);
}

TEST_CASE("packets: an Init for another key, of another source, cut or altered anywhere does not open", "[e2e]") {
  const auto vector = load_vectors("session/session_init_ack.json")["cases"].at(0);
  const auto from = key_from(hex(vector["from_seed"])).public_key();
  const auto to = key_from(hex(vector["to_seed"]));
  const auto secret = crypto::to_x25519(to);
  const auto packet = hex(vector["packet"]);
  REQUIRE(e2e::open_handshake(packet, from, secret));
  CHECK_FALSE(e2e::open_handshake(packet, to.public_key(), secret));
  CHECK_FALSE(e2e::open_handshake(packet, from, crypto::to_x25519(numbered_key(1))));
  for (std::size_t size = 0; size < packet.size(); ++size) {
    CHECK_FALSE(e2e::open_handshake(ByteSpan{packet}.first(size), from, secret));
  }
  auto longer = packet;
  longer.push_back(std::byte{0});
  CHECK_FALSE(e2e::open_handshake(longer, from, secret));
  for (std::size_t i = 1; i < packet.size(); ++i) {  // the type byte is not covered
    auto altered = packet;
    altered[i] ^= std::byte{0x01};
    INFO("byte " << i);
    CHECK_FALSE(e2e::open_handshake(altered, from, secret));
  }
}

TEST_CASE("packets: Traffic is sealed where it stands, opens again, and not when cut or altered", "[e2e]") {
  const auto secret = shared_secret(7);
  crypto::BoxPublicKey next;
  next.bytes.fill(std::byte{9});
  for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128}, std::uint64_t{70'000},
                                     std::numeric_limits<std::uint64_t>::max()}) {
    const TrafficHeader header{.sender_key = number, .receiver_key = 1, .nonce = number};
    auto packet = Buffer::copy_of(as_bytes("what it is about"), 79);
    const auto* place = packet.data();
    e2e::seal_traffic(packet, header, next, secret);
    CHECK(packet.data() + packet.size() == place + 16);  // not moved
    const auto sealed = to_bytes(packet);

    const auto decoded = TrafficHeader::decode(sealed);
    REQUIRE(decoded);
    CHECK(decoded->sender_key == number);
    CHECK(decoded->receiver_key == 1);
    CHECK(decoded->nonce == number);
    CHECK(decoded->size + 16 + 32 + 16 == sealed.size());
    const auto inner = e2e::open_traffic(packet, *decoded, secret);
    REQUIRE(inner);
    CHECK(*inner == next);
    CHECK(as_text(packet) == "what it is about");
    CHECK(packet.data() == place);

    const auto shared = std::make_shared<const Bytes>(sealed);
    auto view = Buffer::view_of(shared, *shared);
    CHECK_FALSE(e2e::open_traffic(
        view, {.sender_key = number, .receiver_key = 1, .nonce = number + 1, .size = decoded->size}, secret));
    CHECK(view.is_view());
    CHECK(e2e::open_traffic(view, *decoded, secret) == next);
    CHECK(as_text(view) == "what it is about");
    CHECK_FALSE(view.is_view());
    CHECK(reinterpret_cast<std::uintptr_t>(view.data() + 1) % 4 == 0);  // an IPv6 packet begins there
    CHECK(*shared == sealed);

    for (std::size_t size = 0; size < sealed.size(); ++size) {
      auto cut = Buffer::copy_of(ByteSpan{sealed}.first(size));
      const auto cut_header = TrafficHeader::decode(cut);
      if (size < e2e::kMinTrafficSize) CHECK_FALSE(cut_header);
      if (cut_header) CHECK_FALSE(e2e::open_traffic(cut, *cut_header, secret));
    }
    for (std::size_t i = 1; i < sealed.size(); ++i) {
      auto altered = Buffer::copy_of(sealed);
      altered.data()[i] ^= std::byte{0x01};
      const auto altered_header = TrafficHeader::decode(altered);
      // The key numbers select a key, which is the session's to check; nonce and the rest are covered by the tag.
      if (!altered_header || altered_header->nonce == number) continue;
      CHECK_FALSE(e2e::open_traffic(altered, *altered_header, secret));
    }
    auto altered = Buffer::copy_of(sealed);
    altered.data()[altered.size() - 1] ^= std::byte{0x80};
    CHECK_FALSE(e2e::open_traffic(altered, *decoded, secret));
    altered.data()[altered.size() - 1] ^= std::byte{0x80};
    CHECK(to_bytes(altered) == sealed);  // a refused packet is left as it was
  }
}

TEST_CASE("packets: a Traffic header with a number cut short or too large is refused", "[e2e]") {
  Bytes packet(60, std::byte{0xff});
  packet[0] = std::byte{3};
  CHECK_FALSE(TrafficHeader::decode(packet));
  Bytes shortest(52, std::byte{0});
  shortest[0] = std::byte{3};
  CHECK(TrafficHeader::decode(shortest));
  shortest.pop_back();
  CHECK_FALSE(TrafficHeader::decode(shortest));
}
