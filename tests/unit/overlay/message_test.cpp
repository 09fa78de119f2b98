// Messages from a neighbour: which close the link, and what a node answers.
#include <catch2/catch_test_macros.hpp>
#include <memory>

#include "overlay/engine.hpp"
#include "overlay_support.hpp"

using namespace axl;
using namespace axl::overlay;
using namespace axl::overlay::test;
using namespace std::chrono_literals;
using wire::FrameType;

namespace {

constexpr LinkId kLink{1};

struct Local {
  explicit Local(Config config = Config::reference(), int key = 1)
      : engine{config, test_key(key), verifier(), rng, 1'795'312'331s, Time{}} {
    engine.on_tick(Time{});
  }
  Drained drain_all() {
    return drain([this] { return engine.poll_output(); });
  }
  CountingRng rng;
  Engine engine;
};

}  // namespace

TEST_CASE("messages: what the reference closes a link for closes it, nothing else", "[overlay]") {
  const auto vectors = load_vectors("routing/malformed.json");
  const auto remote = test_key(text(vectors["remote"])).public_key();
  REQUIRE(text(vectors["local"]) == "K1");
  std::size_t checked = 0;
  for (const auto entry : vectors["cases"].get_array()) {
    for (const bool strict : {false, true}) {
      INFO(text(entry["name"]) << (strict ? ", strict" : ""));
      Local local{strict ? Config{} : Config::reference()};
      REQUIRE(local.engine.on_link_up(kLink, remote, 0, Time{}).ok());
      const auto result = local.engine.on_message(kLink, hex(entry["message"]), Time{1s}, 1ms);
      CHECK(result.ok() != entry["closes_link"].get_bool().value());
      if (!result.ok()) {
        const bool signature = text(entry["error"]) == "ErrBadMessage";
        CHECK(result.error().is(signature ? Errc::crypto : Errc::malformed));
      }
      ++checked;
    }
  }
  CHECK(checked == 80);
}

TEST_CASE("messages: a link to the own key is refused", "[overlay]") {
  Local local;
  const auto result = local.engine.on_link_up(kLink, test_key(1).public_key(), 0, Time{});
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().is(Errc::refused));
  CHECK(local.drain_all().sent.empty());
  CHECK_FALSE(local.engine.on_message(kLink, Bytes{std::byte{1}}, Time{}).ok());
}

TEST_CASE("messages: a new link gets a request and an empty filter, and every request its signed answer", "[overlay]") {
  Local local;
  const auto remote = test_key(2);
  REQUIRE(local.engine.on_link_up(kLink, remote.public_key(), 0, Time{}).ok());
  auto out = local.drain_all();
  REQUIRE(out.sent.size() == 2);
  CHECK(out.sent[0].type == FrameType::sig_req);
  CHECK(out.frames[kLink][1] == to_bytes(wire::BloomFilter{}.encode().span()));
  for (const std::uint64_t nonce : {7u, 7u, 8u}) {
    const wire::SigReq request{5, nonce};
    REQUIRE(local.engine.on_message(kLink, request.encode(), Time{}).ok());
    out = local.drain_all();
    REQUIRE(out.sent.size() == 1);
    const auto answer = wire::SigRes::decode(ByteSpan{out.frames[kLink][0]}.subspan(1));
    REQUIRE(answer.ok());
    CHECK(answer->seq == 5);
    CHECK(answer->nonce == nonce);
    CHECK(answer->port == 1);
    CHECK(crypto::verify(test_key(1).public_key(),
                         wire::signed_bytes(remote.public_key(), test_key(1).public_key(), 5, nonce, 1), answer->psig));
  }
}

TEST_CASE("messages: a link is proven by the first answer to a fresh request, not by another valid one", "[overlay]") {
  Local local{Config{}};
  const auto remote = test_key(2);
  REQUIRE(local.engine.on_link_up(kLink, remote.public_key(), 0, Time{}).ok());
  const auto request = wire::SigReq::decode(ByteSpan{local.drain_all().frames[kLink][0]}.subspan(1)).value();
  const auto answer = [&](std::uint64_t nonce) {
    const auto bytes = wire::signed_bytes(test_key(1).public_key(), remote.public_key(), request.seq, nonce, 3);
    return wire::SigRes{request.seq, nonce, 3, crypto::sign(remote, bytes)}.encode();
  };
  REQUIRE(local.engine.on_message(kLink, answer(request.nonce + 1), Time{}, 1ms).ok());
  CHECK(local.drain_all().proven.empty());
  REQUIRE(local.engine.on_message(kLink, answer(request.nonce), Time{}, 1ms).ok());
  CHECK(local.drain_all().proven == std::vector{kLink});
  REQUIRE(local.engine.on_message(kLink, answer(request.nonce), Time{}, 1ms).ok());
  CHECK(local.drain_all().proven.empty());
}

TEST_CASE("messages: an announcement worse than ours is answered with ours, on that link", "[overlay]") {
  Local local;
  REQUIRE(local.engine.on_link_up(kLink, test_key(2).public_key(), 0, Time{}).ok());
  REQUIRE(local.engine.on_link_up(LinkId{2}, test_key(2).public_key(), 0, Time{}).ok());
  local.drain_all();
  const auto newer = announcement(test_key(3), test_key(4), 6, 1, 9);
  const auto older = announcement(test_key(3), test_key(4), 5, 1, 9);
  REQUIRE(local.engine.on_message(LinkId{2}, newer.encode(), Time{}).ok());
  CHECK(local.drain_all().sent.empty());
  REQUIRE(local.engine.on_message(LinkId{2}, older.encode(), Time{}).ok());
  const auto out = local.drain_all();
  REQUIRE(out.sent.size() == 1);
  CHECK(out.frames.at(LinkId{2})[0] == to_bytes(newer.encode().span()));
}

TEST_CASE("messages: transit traffic keeps its bytes but for the watermark, in the shortest form", "[overlay]") {
  Local local{Config{}, 2};
  // We are a child of K3 (root) with port 4; K1 is our child with port 1.
  const auto root = test_key(3);
  const auto child = test_key(1);
  REQUIRE(local.engine.on_link_up(kLink, root.public_key(), 0, Time{}).ok());
  REQUIRE(local.engine.on_link_up(LinkId{2}, child.public_key(), 0, Time{}).ok());
  local.drain_all();
  REQUIRE(local.engine.on_message(kLink, announcement(root, root, 1, 1, 0).encode(), Time{}).ok());
  REQUIRE(local.engine.on_message(kLink, announcement(test_key(2), root, 9, 1, 4).encode(), Time{}).ok());
  REQUIRE(local.engine.on_message(kLink, announcement(child, test_key(2), 1, 1, 2).encode(), Time{}).ok());
  REQUIRE(local.engine.coords() == wire::Path{4});

  wire::TrafficHeader header{{4, 2, 300}, {7, 1}, root.public_key(), test_key(8).public_key(), 1u << 20};
  auto packet = Buffer::copy_of(as_bytes("payload"), Buffer::kHeadroom);
  header.prepend_to(packet);
  header.watermark = 2;
  auto expected = Buffer::copy_of(as_bytes("payload"), Buffer::kHeadroom);
  header.prepend_to(expected);
  REQUIRE(local.engine.on_message(kLink, packet, Time{}).ok());
  auto out = local.drain_all();
  REQUIRE(out.frames[LinkId{2}].size() == 1);
  CHECK(out.frames[LinkId{2}][0] == to_bytes(expected.span()));
  CHECK(out.sent[0].source == root.public_key());
  CHECK(out.sent[0].dest == test_key(8).public_key());
  CHECK_FALSE(out.sent[0].own);

  // The same with numbers in a longer form.
  auto longer = to_bytes(packet.span());
  longer[1] = std::byte{0x84};  // port 4 in two bytes
  longer.insert(longer.begin() + 2, std::byte{0});
  REQUIRE(local.engine.on_message(kLink, longer, Time{}).ok());
  out = local.drain_all();
  REQUIRE(out.frames[LinkId{2}].size() == 1);
  CHECK(out.frames[LinkId{2}][0] == to_bytes(expected.span()));

  // A watermark that says somebody was as close already: nobody takes it, the source is told.
  header.watermark = 2;
  packet = Buffer::copy_of(as_bytes("payload"), Buffer::kHeadroom);
  header.prepend_to(packet);
  REQUIRE(local.engine.on_message(kLink, packet, Time{}).ok());
  out = local.drain_all();
  REQUIRE(out.sent.size() == 1);
  CHECK(out.sent[0].type == FrameType::path_broken);
  CHECK(out.sent[0].link == kLink);
  const auto broken = wire::PathBroken::decode(ByteSpan{out.frames[kLink][0]}.subspan(1));
  REQUIRE(broken.ok());
  CHECK(*broken == wire::PathBroken{{7, 1}, 3, root.public_key(), test_key(8).public_key()});
}

TEST_CASE("messages: a datagram for us is delivered with its packet 4-byte aligned behind a session header",
          "[overlay]") {
  Local local;
  REQUIRE(local.engine.on_link_up(kLink, test_key(2).public_key(), 0, Time{}).ok());
  local.drain_all();
  const wire::TrafficHeader header{{}, {1}, test_key(2).public_key(), test_key(1).public_key(), 5};
  auto packet = Buffer::copy_of(as_bytes("0123456789abcdef0123456789abcdef!"), Buffer::kHeadroom);
  header.prepend_to(packet);
  REQUIRE(local.engine.on_message(kLink, packet, Time{}).ok());
  auto output = local.engine.poll_output();
  REQUIRE(output);
  auto& datagram = std::get<Deliver>(*output);
  CHECK(datagram.source == test_key(2).public_key());
  CHECK(as_text(datagram.payload.span()) == "0123456789abcdef0123456789abcdef!");
  CHECK(reinterpret_cast<std::uintptr_t>(datagram.payload.data() + 33) % 4 == 0);
}

TEST_CASE("messages: a datagram for us is a view of the bytes that came, where somebody keeps them", "[overlay]") {
  Local local;
  REQUIRE(local.engine.on_link_up(kLink, test_key(2).public_key(), 0, Time{}).ok());
  local.drain_all();
  const wire::TrafficHeader header{{}, {1}, test_key(2).public_key(), test_key(1).public_key(), 5};
  auto packet = Buffer::copy_of(as_bytes("payload"), Buffer::kHeadroom);
  header.prepend_to(packet);
  auto kept = std::make_shared<const Buffer>(std::move(packet));
  const auto bytes = kept->span();
  REQUIRE(local.engine.on_message(kLink, bytes, Time{}, {}, kept).ok());
  kept.reset();
  auto output = local.engine.poll_output();
  REQUIRE(output);
  const auto& payload = std::get<Deliver>(*output).payload;
  CHECK(payload.is_view());
  CHECK(payload.span().data() == bytes.last(7).data());
  CHECK(as_text(payload.span()) == "payload");
}
