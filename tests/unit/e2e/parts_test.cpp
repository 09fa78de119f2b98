// Bounds and orders of the engine's parts, each alone.
#include <catch2/catch_test_macros.hpp>

#include "e2e/address_waiting.hpp"
#include "e2e/key_store.hpp"
#include "e2e/rate_limit.hpp"
#include "e2e/remote_protocol.hpp"
#include "e2e/seq_clock.hpp"
#include "e2e/session_table.hpp"
#include "e2e/waiting_room.hpp"
#include "support.hpp"

using namespace axl;
using namespace axl::test;
using namespace std::chrono_literals;

namespace {

constexpr Time t0{};

PublicKey key(std::uint64_t number) { return numbered_key(number).public_key(); }

// Cheaper than a real key, for tests with thousands of them.
PublicKey any_key(std::uint32_t number) {
  std::array<std::byte, PublicKey::kSize> bytes{};
  bytes[0] = std::byte{0x80};
  for (std::size_t i = 0; i < 4; ++i) bytes[1 + i] = static_cast<std::byte>(number >> (8 * i));
  return PublicKey{bytes};
}

// Two keys with the same address, which differ only behind the bits that it carries.
std::pair<PublicKey, PublicKey> same_address() {
  std::array<std::byte, PublicKey::kSize> bytes{};
  bytes.fill(std::byte{0xa5});
  const PublicKey first{bytes};
  bytes[31] = std::byte{0};
  const PublicKey second{bytes};
  REQUIRE(Address::of(first) == Address::of(second));
  return {first, second};
}

e2e::Session some_session() {
  crypto::SeededRng rng{5};
  const auto keys = e2e::AnnouncedKeys::generate(rng);
  auto session = e2e::Session::create(
      {.current = keys.current.public_key, .next = keys.next.public_key, .key_seq = 0, .seq = 1}, nullptr, rng);
  REQUIRE(session);
  return *session;
}

Buffer packet_of(std::size_t size, std::uint8_t fill = 0) {
  Buffer packet{size, 8};
  std::ranges::fill(packet.mutable_span(), std::byte{fill});
  return packet;
}

}  // namespace

TEST_CASE("rate limit: a burst, then one at each interval, and no credit beyond the burst", "[e2e]") {
  e2e::RateLimit limit{{.per_second = 2, .burst = 3}};
  for (int i = 0; i < 3; ++i) CHECK(limit.allow(t0));
  CHECK_FALSE(limit.allow(t0));
  CHECK_FALSE(limit.allow(t0 + 499ms));
  CHECK(limit.allow(t0 + 500ms));
  CHECK_FALSE(limit.allow(t0 + 500ms));
  for (int i = 0; i < 3; ++i) CHECK(limit.allow(t0 + 1h));
  CHECK_FALSE(limit.allow(t0 + 1h));
}

TEST_CASE("rate limit: each source has its own, and the number of sources is bounded", "[e2e]") {
  e2e::RateLimitPerSource limit{{.per_second = 1, .burst = 1}, 4};
  CHECK(limit.allow(any_key(0), t0));
  CHECK_FALSE(limit.allow(any_key(0), t0));
  for (std::uint32_t i = 1; i < 4; ++i) CHECK(limit.allow(any_key(i), t0));
  CHECK_FALSE(limit.allow(any_key(0), t0));  // seen last, so the next new one replaces another
  CHECK(limit.allow(any_key(4), t0));
  CHECK(limit.sources() == 4);
  CHECK_FALSE(limit.allow(any_key(0), t0));
}

TEST_CASE("seq clock: whole seconds that never go back and are never zero", "[e2e]") {
  e2e::SeqClock clock{100s};
  CHECK(clock.now(t0 + 999ms) == 100);
  CHECK(clock.now(t0 + 1s) == 101);
  CHECK(clock.now(t0) == 101);
  CHECK(e2e::SeqClock{-100s}.now(t0) == 1);
}

TEST_CASE("waiting room: packets leave in order, within bytes and packets for each key", "[e2e]") {
  e2e::WaitingRoom room{{.bytes = 10'000, .packets = 100, .bytes_per_key = 100, .packets_per_key = 4}};
  CHECK(room.add(key(1), packet_of(50, 1), t0));
  CHECK(room.add(key(1), packet_of(50, 2), t0));
  auto refused = packet_of(1, 3);
  CHECK_FALSE(room.add(key(1), std::move(refused), t0));
  CHECK(refused.size() == 1);  // still the caller's
  CHECK_FALSE(room.add(key(2), packet_of(101), t0));
  for (std::uint8_t i = 0; i < 4; ++i) CHECK(room.add(key(2), packet_of(1, i), t0));
  CHECK_FALSE(room.add(key(2), packet_of(1), t0));
  CHECK(room.bytes() == 104);
  for (std::uint8_t i = 0; i < 4; ++i) {
    const auto packet = room.take(key(2));
    REQUIRE(packet);
    CHECK(packet->data()[0] == std::byte{i});
  }
  CHECK_FALSE(room.take(key(2)));
  CHECK(room.bytes() == 100);
  CHECK(room.expire(key(1), t0 - 1ns) == 0);
  CHECK(room.expire(key(1), t0) == 2);
  CHECK(room.bytes() == 0);
  CHECK(room.keys() == 0);
}

TEST_CASE("waiting room: keys that never answer do not take the room of others", "[e2e]") {
  e2e::WaitingRoom room{{.bytes = 8 << 20, .packets = 1 << 20, .bytes_per_key = 256 << 10, .packets_per_key = 1 << 20}};
  std::size_t whole = 0;
  for (std::uint32_t i = 0; i < 64; ++i) {
    std::size_t taken = 0;
    while (room.add(any_key(i), packet_of(1'280), t0)) taken += 1'280;
    CHECK(taken >= 1'280);
    if (taken + 1'280 > (256 << 10)) ++whole;
  }
  CHECK(whole >= 20);
  CHECK(room.bytes() <= 8 << 20);
  CHECK(room.add(any_key(1'000), packet_of(1'280), t0));
}

TEST_CASE("session table: idle sessions go after the time-out, used ones stay", "[e2e]") {
  e2e::SessionTable table{10, 60s};
  table.insert(key(1), {}, some_session(), t0);
  auto& second = table.insert(key(2), {}, some_session(), t0 + 1s);
  CHECK(table.next_expiry() == t0 + 60s);
  table.confirm(second);
  table.touch(second, t0 + 30s);
  table.expire(t0 + 60s);
  CHECK(table.find(key(1)) == nullptr);
  REQUIRE(table.find(key(2)) != nullptr);
  CHECK(table.next_expiry() == t0 + 90s);
  table.expire(t0 + 90s);
  CHECK(table.size() == 0);
  CHECK_FALSE(table.next_expiry());
}

TEST_CASE("session table: when full, never confirmed sessions go first, longest unused first", "[e2e]") {
  e2e::SessionTable table{4, 60s};
  const auto session = some_session();
  for (std::uint32_t i = 0; i < 4; ++i) table.insert(any_key(i), {}, session, t0 + i * 1s);
  table.confirm(*table.find(any_key(0)));
  table.confirm(*table.find(any_key(2)));
  table.touch(*table.find(any_key(1)), t0 + 10s);
  table.insert(any_key(4), {}, session, t0 + 11s);
  CHECK(table.find(any_key(3)) == nullptr);
  table.insert(any_key(5), {}, session, t0 + 12s);
  CHECK(table.find(any_key(1)) == nullptr);
  // A flood of new keys only ever replaces itself.
  for (std::uint32_t i = 100; i < 1'000; ++i) table.insert(any_key(i), {}, session, t0 + 13s);
  CHECK(table.size() == 4);
  CHECK(table.find(any_key(0)) != nullptr);
  CHECK(table.find(any_key(2)) != nullptr);
  for (auto* entry : {table.find(any_key(999)), table.find(any_key(998))}) {
    REQUIRE(entry != nullptr);
    table.confirm(*entry);
  }
  table.touch(*table.find(any_key(0)), t0 + 14s);
  table.insert(any_key(2'000), {}, session, t0 + 15s);
  CHECK(table.find(any_key(2)) == nullptr);
  CHECK(table.find(any_key(0)) != nullptr);
}

TEST_CASE("key store: finds by exact address and by subnet, for two minutes", "[e2e]") {
  e2e::KeyStore store{10, 2min};
  CHECK(store.update(key(1), t0));
  CHECK_FALSE(store.update(key(1), t0));
  const auto address = Address::of(key(1));
  CHECK(store.find(address) == key(1));
  CHECK(store.find_route(address) == key(1));
  auto bytes = std::array<std::byte, 16>{};
  std::ranges::copy(Subnet::of(key(1)).bytes(), bytes.begin());
  bytes[15] = std::byte{9};
  CHECK(store.find_route(Address{bytes}) == key(1));
  CHECK_FALSE(store.find(Address{bytes}));
  bytes[15] = std::byte{0};
  CHECK_FALSE(store.find(Address{bytes}));
  CHECK_FALSE(store.find(Address::of(key(2))));
  store.update(key(1), t0 + 1min);
  CHECK(store.next_expiry() == t0 + 3min);
  store.expire(t0 + 3min - 1ns);
  CHECK(store.find(address));
  store.expire(t0 + 3min);
  CHECK_FALSE(store.find(address));
  CHECK(store.size() == 0);
}

TEST_CASE("key store: is bounded, and the key longest unheard of goes", "[e2e]") {
  e2e::KeyStore store{100, 2min};
  for (std::uint32_t i = 0; i < 100; ++i) store.update(any_key(i), t0);
  store.update(any_key(0), t0 + 1s);
  for (std::uint32_t i = 1'000; i < 1'099; ++i) store.update(any_key(i), t0 + 1s);
  CHECK(store.size() == 100);
  CHECK(store.find(Address::of(any_key(0))));
  CHECK_FALSE(store.find(Address::of(any_key(1))));
}

TEST_CASE("key store: an address stays with its first key, and a pin takes it", "[e2e]") {
  const auto [first, second] = same_address();
  const auto address = Address::of(first);
  e2e::KeyStore store{10, 2min};
  store.update(first, t0);
  CHECK_FALSE(store.update(second, t0 + 1s));
  CHECK(store.find(address) == first);
  CHECK_FALSE(store.pinned_instead_of(second));
  store.pin(second, t0 + 2s);
  CHECK(store.find(address) == second);
  CHECK(store.pinned_instead_of(first) == second);
  CHECK_FALSE(store.pinned_instead_of(second));
  store.pin(first, t0 + 3s);  // the first pin stands
  store.update(first, t0 + 4s);
  CHECK(store.find(address) == second);
  store.expire(t0 + 2min + 2s);
  CHECK(store.update(first, t0 + 2min + 2s));
  CHECK(store.find(address) == first);
}

TEST_CASE("address waiting: looks up at once and every second, and gives up after a minute", "[e2e]") {
  e2e::AddressWaiting waiting{e2e::Config{}};
  const auto target = e2e::partial_key_for(Address::of(key(1)));
  CHECK(target == Address::of(key(1)).partial_key());
  CHECK(waiting.add(target, packet_of(40), t0) == e2e::AddressWaiting::Added::waits_first);
  CHECK(waiting.add(target, packet_of(40), t0) == e2e::AddressWaiting::Added::waits);
  std::size_t lookups = 0;
  std::size_t given_up = 0;
  while (const auto at = waiting.next_due()) {
    while (const auto step = waiting.next_step(*at)) {
      lookups += step->lookup ? 1 : 0;
      given_up += step->given_up;
      if (step->given_up > 0) CHECK(*at == t0 + 60s);
    }
  }
  CHECK(lookups == 59);
  CHECK(given_up == 2);
}

TEST_CASE("remote protocol: NodeInfo is sorted JSON with the build fields, and refuses what is no object", "[e2e]") {
  e2e::Config config;
  config.node_info = R"({"z": [1, {"b": true, "a": null}], "name": "a\"b\u0001\\", "é": "\n<\u0009"})";
  config.node_info_private = true;
  CHECK(*e2e::node_info_text(config) == R"({"name":"a\"b\u0001\\","z":[1,{"a":null,"b":true}],"é":"\n<\u0009"})");
  config.node_info = "{}";
  config.node_info_private = false;
  config.build_version = "1.2.3";
  CHECK(*e2e::node_info_text(config) == std::string{R"({"buildarch":")"} + e2e::build_arch() +
                                            R"(","buildname":"axl","buildplatform":")" + e2e::build_platform() +
                                            R"(","buildversion":"1.2.3"})");
  for (const auto* bad : {"", "[]", "1", "{", R"({"a":})", "{} {}"}) {
    config.node_info = bad;
    CHECK_FALSE(e2e::node_info_text(config));
  }
  config.node_info = R"({"a":")" + std::string(16'384, 'x') + "\"}";
  CHECK_FALSE(e2e::node_info_text(config));
}

TEST_CASE("remote protocol: answers what is asked, with trailing bytes ignored, and nothing else", "[e2e]") {
  e2e::RemoteProtocol protocol{e2e::Config::reference(), key(1)};
  protocol.set_routing_entries(17);
  const auto ask = [&](std::string_view message) { return protocol.on_message(key(2), *from_hex(message), t0); };
  for (const auto* message : {"", "00", "03", "ff", "ff00", "ff04", "ff06", "ff07", "ffff"}) {
    INFO(message);
    CHECK(std::holds_alternative<e2e::RemoteProtocol::Nothing>(ask(message)));
  }
  for (const auto* message : {"ff01", "ff0100ff"}) {
    const auto answer = ask(message);
    REQUIRE(std::holds_alternative<Buffer>(answer));
    const auto payload = std::get<Buffer>(answer).span();
    CHECK(to_hex(payload.first(3)) == "02ff02");
    CHECK(as_text(payload.subspan(3)) == R"({"key":")" + key(1).to_hex() + R"(","routing_entries":"17"})");
  }
  CHECK(std::get<e2e::RemoteProtocol::KeyList>(ask("ff03")) == e2e::RemoteProtocol::KeyList::peers);
  CHECK(std::get<e2e::RemoteProtocol::KeyList>(ask("ff05aa")) == e2e::RemoteProtocol::KeyList::tree);
  // Responses are told apart, and not looked at.
  for (const auto* message : {"02", "027b7d"}) CHECK(std::get<e2e::Question>(ask(message)) == e2e::Question::node_info);
  for (const auto* message : {"ff02", "ff027b7d"}) CHECK(std::get<e2e::Question>(ask(message)) == e2e::Question::self);
}

TEST_CASE("remote protocol: key lists are cut to the largest message", "[e2e]") {
  std::vector<PublicKey> keys;
  for (std::uint32_t i = 0; i < 3'000; ++i) keys.push_back(any_key(i));
  const auto payload = e2e::RemoteProtocol::key_list(6, keys);
  CHECK(payload.size() == 3 + 2'047 * 32);
  CHECK(to_hex(payload.span().first(3)) == "02ff06");
  CHECK(to_hex(payload.span().last(32)) == any_key(2'046).to_hex());
}

TEST_CASE("remote protocol: answers are rationed for each asker and in all", "[e2e]") {
  e2e::Config config;
  config.answers_per_source = {1, 2};
  config.answers = {3, 3};
  e2e::RemoteProtocol protocol{config, key(1)};
  const auto answered = [&](const PublicKey& asker, Time now) {
    return !std::holds_alternative<e2e::RemoteProtocol::Nothing>(protocol.on_message(asker, *from_hex("01"), now));
  };
  CHECK(answered(key(2), t0));
  CHECK(answered(key(2), t0));
  CHECK_FALSE(answered(key(2), t0));
  CHECK(answered(key(3), t0));
  CHECK_FALSE(answered(key(4), t0));
  CHECK(answered(key(2), t0 + 1s));
}
