#include "pubsub/codec.hpp"

#include <catch2/catch_test_macros.hpp>
#include <utility>

#include "fixture.hpp"

using namespace axl;
using namespace axl::pubsub;
using axl::test::body;
using axl::test::message_of;
using axl::test::numbered;
using axl::test::numbered_key;

namespace {

MessageBody hex(std::string_view digits) { return MessageBody{*from_hex(digits)}; }

template <class T>
T decoded(const MessageBody& bytes) {
  const auto out = decode(bytes);
  REQUIRE(out);
  REQUIRE(std::holds_alternative<T>(*out));
  return std::get<T>(*out);
}

MessageId id(std::uint8_t number) {
  MessageId out;
  out.bytes.fill(std::byte{number});
  return out;
}

}  // namespace

TEST_CASE("pubsub codec: the bodies are these bytes", "[pubsub]") {
  CHECK(to_hex(encode(Graft{"news"})) == "0103046e657773");
  CHECK(to_hex(encode(Topics{Topics::What::joined, {"a", "bc"}})) == "0102010161026263");
  CHECK(to_hex(encode(Have{"t", {id(7)}})) == "0105017407070707070707070707070707070707");
  CHECK(to_hex(encode(Want{{id(8)}})) == "010608080808080808080808080808080808");
  CHECK(to_hex(encode(Prune{"t", 30, {numbered(1)}})) == "0104" "0174" "001e" + numbered(1).to_hex());
  PublishedMessage unsigned_one{numbered(1), MessageName{MessageName::Binary{}}, "t", body("hi"), 3, {}, {}};
  CHECK(to_hex(encode(unsigned_one)) == "01010003" + numbered(1).to_hex() + std::string(32, '0') + "0174" + "6869");
}

TEST_CASE("pubsub codec: what is written is read, in every form of a message", "[pubsub]") {
  auto message = message_of(numbered_key(1), "hello", 0x0102030405060708);
  message.hops = 9;
  auto again = decoded<PublishedMessage>(encode(message));
  CHECK(again.origin == message.origin);
  CHECK(again.name.sequence() == 0x0102030405060708);
  CHECK(again.topic == "t");
  CHECK(again.body.text() == "hello");
  CHECK(again.hops == 9);
  CHECK(again.verify(again.hash(), crypto::verify));

  PublishedMessage foreign{numbered(2), *MessageName::of_text("deadbeef:000001"), "t", body(""), 0, {}, {}};
  foreign.sign(foreign.hash(), numbered_key(3));
  again = decoded<PublishedMessage>(encode(foreign));
  CHECK(again.name.text() == "deadbeef:000001");
  CHECK(again.signer == numbered(3));
  CHECK(again.verify(again.hash(), crypto::verify));
  CHECK(again.body.empty());

  CHECK(decoded<Topics>(encode(Topics{Topics::What::all, {}})).topics.empty());
  const auto prune = decoded<Prune>(encode(Prune{"t", 65'535, {numbered(1), numbered(2)}}));
  CHECK(prune.back_off_seconds == 65'535);
  CHECK(prune.others == std::vector{numbered(1), numbered(2)});
}

TEST_CASE("pubsub codec: a body is a view of what came", "[pubsub]") {
  const auto bytes = encode(message_of(numbered_key(1), "hello"));
  const auto message = decoded<PublishedMessage>(bytes);
  CHECK(message.body.owner() == bytes.owner());
  CHECK(message.body.data() == bytes.data() + bytes.size() - 5);
}

TEST_CASE("pubsub codec: cut, longer or changed bodies are refused", "[pubsub]") {
  for (const auto& whole : {encode(Graft{"news"}), encode(Prune{"news", 1, {numbered(1)}}), encode(Have{"t", {id(1)}}),
                            encode(Want{{id(1)}}), encode(message_of(numbered_key(1), ""))}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const auto cut = decode(MessageBody{to_bytes(whole.span().first(size))});
      // The keys in a PRUNE are optional.
      CHECK((!cut || std::holds_alternative<Prune>(*cut)));
    }
  }
  CHECK_FALSE(decode(hex("0103046e65777300")));      // something behind a graft
  CHECK_FALSE(decode(hex("0203046e657773")));        // another version
  CHECK_FALSE(decode(hex("0107046e657773")));        // another type
  CHECK_FALSE(decode(hex("010300")));                // no topic
  CHECK_FALSE(decode(hex("0103010a")));              // a topic that cannot be printed
  CHECK_FALSE(decode(hex("01020301" "61")));         // topics: neither left, joined nor all
  CHECK_FALSE(decode(hex("01050174")));              // no id
  CHECK_FALSE(decode(hex("0101080000")));            // a flag that is none
  CHECK_FALSE(decode(encode(Have{"t", std::vector<MessageId>(kMaxHaveIds + 1)})));
  CHECK(decode(encode(Have{"t", std::vector<MessageId>(kMaxHaveIds)})));
  CHECK_FALSE(decode(encode(Want{std::vector<MessageId>(kMaxWantIds + 1)})));
  CHECK_FALSE(decode(encode(Prune{"t", 1, std::vector<PublicKey>(kMaxKeysPerPrune + 1)})));
  CHECK_FALSE(decode(encode(Topics{Topics::What::all, std::vector<std::string>(kMaxTopicsPerBody + 1, "t")})));
}

TEST_CASE("pubsub message: the id and the signature are of everything but hops", "[pubsub]") {
  const auto message = message_of(numbered_key(1), "hello");
  const auto changed = [&](auto change) {
    auto other = message;
    change(other);
    return test::id_of(other) != test::id_of(message) && !other.verify(other.hash(), crypto::verify);
  };
  CHECK(changed([](auto& m) { m.topic = "u"; }));
  CHECK(changed([](auto& m) { m.body = body("hellO"); }));
  CHECK(changed([](auto& m) { m.origin = numbered(2); }));
  CHECK(changed([](auto& m) { m.name = MessageName{MessageName::Binary{}}; }));
  CHECK_FALSE(changed([](auto& m) { m.hops = 200; }));
  // A gateway's word is not the origin's.
  auto vouched = message;
  vouched.sign(vouched.hash(), numbered_key(2));
  CHECK(vouched.verify(vouched.hash(), crypto::verify));
  vouched.signer = vouched.origin;
  CHECK_FALSE(vouched.verify(vouched.hash(), crypto::verify));
}

TEST_CASE("pubsub message: names are ours or text", "[pubsub]") {
  CHECK(MessageName::of_text("00112233445566778899aabbccddeeff")->sequence() == 0x0011223344556677);
  CHECK(MessageName::of_text("00112233445566778899AABBCCDDEEFF")->is_text());
  CHECK_FALSE(MessageName::of_text(""));
  CHECK_FALSE(MessageName::of_text(std::string(kMaxNameSize + 1, 'x')));
  CHECK(is_topic("a b"));
  CHECK_FALSE(is_topic(""));
  CHECK_FALSE(is_topic(" a"));
  CHECK_FALSE(is_topic("a\n"));
  CHECK_FALSE(is_topic(std::string(129, 'x')));
}
