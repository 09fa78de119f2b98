#include "wire/frames.hpp"

#include <algorithm>
#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <optional>

#include "crypto/hash.hpp"
#include "vectors.hpp"

using namespace axl::wire;
using axl::test::hex;
using axl::test::text;
using axl::test::u64;
using Element = simdjson::dom::element;

namespace {

Path path(Element value) {
  Path ports;
  for (auto port : value.get_array()) ports.push_back(u64(port));
  return ports;
}

axl::PublicKey key(Element value) { return axl::PublicKey::from_hex(text(value)).value(); }

axl::crypto::Signature signature(Element value) {
  axl::crypto::Signature result;
  std::ranges::copy(hex(value), result.bytes.begin());
  return result;
}

axl::PrivateKey private_key(std::string_view name) {
  for (auto k : axl::test::load_vectors("routing/keys.json")["keys"].get_array()) {
    if (text(k["name"]) != name) continue;
    const auto seed = hex(k["seed"]);
    auto found = axl::PrivateKey::from_seed(std::span<const std::byte, 32>{seed});
    REQUIRE(found.public_key() == key(k["public"]));
    return found;
  }
  FAIL("no such key");
  return axl::PrivateKey::generate();
}

template <class Message>
void check(const Message& expected, axl::ByteSpan body, axl::ByteSpan message) {
  const auto decoded = Message::decode(body);
  REQUIRE(decoded);
  CHECK(*decoded == expected);
  const auto encoded = expected.encode();
  CHECK(axl::to_hex(encoded) == axl::to_hex(message));
  CHECK(encoded.headroom() >= axl::Buffer::kHeadroom);
  for (std::size_t cut = 0; cut < body.size(); ++cut) CHECK_FALSE(Message::decode(body.first(cut)));
  auto longer = axl::to_bytes(body);
  longer.push_back(std::byte{0});
  CHECK_FALSE(Message::decode(longer));
}

void check_signature(std::string_view signer, axl::ByteSpan covered, const axl::crypto::Signature& expected) {
  const auto signing_key = private_key(signer);
  CHECK(axl::crypto::sign(signing_key, covered) == expected);
  CHECK(axl::crypto::verify(signing_key.public_key(), covered, expected));
}

void check_sig_req(Element f, axl::ByteSpan body, axl::ByteSpan message) {
  check(SigReq{.seq = u64(f["seq"]), .nonce = u64(f["nonce"])}, body, message);
}

void check_sig_res(Element f, axl::ByteSpan body, axl::ByteSpan message) {
  const SigRes expected{u64(f["seq"]), u64(f["nonce"]), u64(f["port"]), signature(f["psig"])};
  check(expected, body, message);
  const auto covered = signed_bytes(key(f["_requester_public"]), key(f["_responder_public"]), expected.seq,
                                    expected.nonce, expected.port);
  CHECK(axl::to_hex(covered) == text(f["_signed_bytes"]));
  check_signature(text(f["_responder"]), covered, expected.psig);
}

void check_announce(Element f, axl::ByteSpan body, axl::ByteSpan message) {
  const Announce expected{.key = key(f["key"]),
                          .parent = key(f["parent"]),
                          .seq = u64(f["seq"]),
                          .nonce = u64(f["nonce"]),
                          .port = u64(f["port"]),
                          .psig = signature(f["psig"]),
                          .sig = signature(f["sig"])};
  check(expected, body, message);
  const auto covered = signed_bytes(expected.key, expected.parent, expected.seq, expected.nonce, expected.port);
  CHECK(axl::to_hex(covered) == text(f["_signed_bytes"]));
  check_signature(text(f["_key_name"]), covered, expected.sig);
  check_signature(text(f["_parent_name"]), covered, expected.psig);
  CHECK(expected.valid(axl::crypto::verify) == f["_check"].get_bool().value());
}

void check_bloom(Element f, axl::ByteSpan body, axl::ByteSpan message) {
  const auto filter = BloomFilter::decode(body);
  REQUIRE(filter);
  std::uint64_t bits = 0;
  for (const auto word : filter->words) bits += static_cast<std::uint64_t>(std::popcount(word));
  CHECK(bits == u64(f["bits_set"]));
  check(*filter, body, message);
}

void check_lookup(Element f, axl::ByteSpan body, axl::ByteSpan message) {
  check(PathLookup{.source = key(f["source"]), .dest = key(f["dest"]), .from = path(f["from"])}, body, message);
}

void check_notify(Element f, axl::ByteSpan body, axl::ByteSpan message) {
  const PathNotify expected{
      .path = path(f["path"]),
      .watermark = u64(f["watermark"]),
      .source = key(f["source"]),
      .dest = key(f["dest"]),
      .info = {.seq = u64(f["info_seq"]), .path = path(f["info_path"]), .sig = signature(f["info_sig"])}};
  check(expected, body, message);
  const auto covered = PathNotify::signed_bytes(expected.info.seq, expected.info.path);
  CHECK(axl::to_hex(covered) == text(f["_info_signed_bytes"]));
  check_signature(text(f["_source_name"]), covered, expected.info.sig);
}

void check_broken(Element f, axl::ByteSpan body, axl::ByteSpan message) {
  check(PathBroken{.path = path(f["path"]),
                   .watermark = u64(f["watermark"]),
                   .source = key(f["source"]),
                   .dest = key(f["dest"])},
        body, message);
}

void check_traffic(Element f, axl::ByteSpan body, axl::ByteSpan message) {
  const auto traffic = TrafficView::decode(body);
  REQUIRE(traffic);
  CHECK(traffic->path == path(f["path"]));
  CHECK(traffic->from == path(f["from"]));
  CHECK(traffic->source == key(f["source"]));
  CHECK(traffic->dest == key(f["dest"]));
  CHECK(traffic->watermark == u64(f["watermark"]));
  CHECK(axl::to_hex(traffic->payload) == text(f["payload"]));

  const TrafficHeader header{traffic->path, traffic->from, traffic->source, traffic->dest, traffic->watermark};
  SECTION("into headroom") {
    auto packet = axl::Buffer::copy_of(traffic->payload, axl::Buffer::kHeadroom);
    header.prepend_to(packet);
    CHECK(axl::to_hex(packet) == axl::to_hex(message));
  }
  SECTION("without headroom") {
    auto packet = axl::Buffer::copy_of(traffic->payload);
    header.prepend_to(packet);
    CHECK(axl::to_hex(packet) == axl::to_hex(message));
  }
  const auto header_size = body.size() - traffic->payload.size();
  for (std::size_t cut = 0; cut < header_size; ++cut) CHECK_FALSE(TrafficView::decode(body.first(cut)));
  for (std::size_t cut = header_size; cut <= body.size(); ++cut) CHECK(TrafficView::decode(body.first(cut)));
}

/// Whether the body decodes; empty for types without a layout.
std::optional<bool> decode_any(FrameType type, axl::ByteSpan body) {
  switch (type) {
    case FrameType::sig_req: return SigReq::decode(body).ok();
    case FrameType::sig_res: return SigRes::decode(body).ok();
    case FrameType::announce: return Announce::decode(body).ok();
    case FrameType::bloom_filter: return BloomFilter::decode(body).ok();
    case FrameType::path_lookup: return PathLookup::decode(body).ok();
    case FrameType::path_notify: return PathNotify::decode(body).ok();
    case FrameType::path_broken: return PathBroken::decode(body).ok();
    case FrameType::traffic: return TrafficView::decode(body).ok();
    case FrameType::dummy:
    case FrameType::keepalive: break;
  }
  return {};
}

template <class Message>
void round_trip(axl::ByteSpan body) {
  const auto decoded = Message::decode(body);
  if (!decoded) return;
  const auto again = Message::decode(decoded->encode().span().subspan(1));
  REQUIRE(again);
  CHECK(*again == *decoded);
}

}  // namespace

TEST_CASE("frames: every golden frame is decoded, encoded, signed and refused when cut", "[wire]") {
  std::map<std::uint64_t, int> seen;
  for (auto c : axl::test::load_vectors("routing/frames.json")["frames"].get_array()) {
    CAPTURE(text(c["name"]));
    const auto frame = hex(c["frame"]);
    const auto length = read_uvarint_prefix(frame);
    REQUIRE(length.status == UvarintStatus::complete);
    const auto message = axl::ByteSpan{frame}.subspan(length.size);
    REQUIRE(message.size() == length.value);
    const auto type = u64(c["type"]);
    REQUIRE(std::to_integer<std::uint64_t>(message[0]) == type);
    const auto body = message.subspan(1);
    REQUIRE(axl::to_hex(body) == text(c["body"]));
    ++seen[type];
    const Element f = c["fields"];
    switch (static_cast<FrameType>(type)) {
      case FrameType::dummy:
      case FrameType::keepalive: CHECK(body.empty()); break;
      case FrameType::sig_req: check_sig_req(f, body, message); break;
      case FrameType::sig_res: check_sig_res(f, body, message); break;
      case FrameType::announce: check_announce(f, body, message); break;
      case FrameType::bloom_filter: check_bloom(f, body, message); break;
      case FrameType::path_lookup: check_lookup(f, body, message); break;
      case FrameType::path_notify: check_notify(f, body, message); break;
      case FrameType::path_broken: check_broken(f, body, message); break;
      case FrameType::traffic: check_traffic(f, body, message); break;
    }
  }
  for (std::uint64_t type = 1; type <= 9; ++type) CHECK(seen[type] > 0);
}

TEST_CASE("frames: the payload limit follows from the golden overhead", "[wire]") {
  const auto root = axl::test::load_vectors("routing/frames.json");
  CHECK(kMaxFrameSize - u64(root["traffic_min_overhead_including_type_byte"]) ==
        u64(root["mtu_at_max_message_131070"]));
}

TEST_CASE("announce: the port rule and both signatures decide, as in the golden cases", "[wire]") {
  for (auto c : axl::test::load_vectors("routing/announce.json")["check"].get_array()) {
    CAPTURE(text(c["name"]));
    const auto announce = Announce::decode(hex(c["body"]));
    REQUIRE(announce);
    CHECK(announce->valid(axl::crypto::verify) == c["valid"].get_bool().value());
    CHECK(axl::to_hex(announce->encode().span().subspan(1)) == text(c["body"]));
  }
}

TEST_CASE("announce: the caller's verifier has the last word", "[wire]") {
  const Announce nonsense{.key = private_key("K1").public_key(), .parent = private_key("K2").public_key(), .port = 1};
  CHECK_FALSE(nonsense.valid(axl::crypto::verify));
  CHECK(nonsense.valid([](const auto&, auto, const auto&) { return true; }));
}

TEST_CASE("frames: golden bad bodies are refused, lenient integers are not", "[wire]") {
  for (auto c : axl::test::load_vectors("routing/malformed.json")["cases"].get_array()) {
    CAPTURE(text(c["name"]));
    const auto message = hex(c["message"]);
    if (message.empty()) continue;
    const auto body = axl::ByteSpan{message}.subspan(1);
    const auto decoded = decode_any(static_cast<FrameType>(message[0]), body);
    if (decoded) CHECK(*decoded == (text(c["error"]) != "ErrDecode"));
  }
}

TEST_CASE("frames: longer integers mean the same and are written short again", "[wire]") {
  const auto request = SigReq::decode(axl::from_hex("81008580808000").value());
  REQUIRE(request);
  CHECK(*request == SigReq{.seq = 1, .nonce = 5});
  CHECK(axl::to_hex(request->encode()) == "020105");
}

TEST_CASE("frames: whatever random bytes decode to survives a round trip", "[wire]") {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    axl::crypto::SeededRng rng{seed};
    axl::Bytes body(1 + seed % 240);
    rng.fill(body);
    for (auto& byte : body) byte &= std::byte{seed % 2 == 0 ? std::uint8_t{0x7f} : std::uint8_t{0xff}};
    for (int type = 2; type <= 9; ++type) static_cast<void>(decode_any(static_cast<FrameType>(type), body));
    round_trip<SigReq>(body);
    round_trip<SigRes>(body);
    round_trip<Announce>(body);
    round_trip<PathLookup>(body);
    round_trip<PathNotify>(body);
    round_trip<PathBroken>(body);
  }
}
