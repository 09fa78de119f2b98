#include "link/peer_table.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace std::chrono_literals;
using axl::Errc;
using axl::Error;
using axl::PublicKey;
using axl::Time;
using axl::link::EntryId;
using axl::link::parse_peer_uri;
using axl::link::PeerTable;
using axl::link::Scheme;

namespace {

constexpr Time t0{};
const Error kBroken{Errc::io, "connection reset"};

axl::link::Uri uri(std::string_view text) { return parse_peer_uri(text).value(); }

PublicKey key(std::uint8_t number) {
  std::array<std::byte, 32> bytes{};
  bytes[0] = std::byte{number};
  return PublicKey{bytes};
}

std::optional<EntryId> dialled(PeerTable& table) {
  const auto output = table.poll_output();
  if (!output) return {};
  const auto* dial = std::get_if<PeerTable::Dial>(&*output);
  REQUIRE(dial != nullptr);
  return dial->entry;
}

void bring_up(PeerTable& table, EntryId id, Time now) {
  table.on_connected(id, now);
  table.on_established(id, key(1), 0);
}

}  // namespace

TEST_CASE("peer table: a configured peer is dialled at once, then after 2, 4, 8 s and so on up to the limit",
          "[link]") {
  PeerTable table;
  const auto id = table.add(uri("tls://h:1")).value();
  CHECK(dialled(table) == id);
  CHECK_FALSE(table.next_tick());
  auto now = t0;
  for (unsigned n = 1; n <= 40; ++n) {
    table.on_ended(id, kBroken, true, now);
    const auto wait = std::chrono::seconds{std::int64_t{1} << std::min(n, 12U)};
    REQUIRE(table.next_tick() == now + wait);
    table.on_tick(now + wait - 1ns);
    CHECK_FALSE(table.poll_output());
    now += wait;
    table.on_tick(now);
    CHECK(dialled(table) == id);
  }
}

TEST_CASE("peer table: the URI's own longest backoff counts, and success starts over", "[link]") {
  PeerTable table;
  const auto id = table.add(uri("tls://h:1?maxbackoff=5s")).value();
  CHECK(dialled(table) == id);
  for (int i = 0; i < 6; ++i) {
    table.on_ended(id, kBroken, true, t0);
    table.on_tick(*table.next_tick());
    CHECK(dialled(table) == id);
  }
  table.on_ended(id, kBroken, true, t0);
  CHECK(table.next_tick() == t0 + 5s);
  table.on_tick(t0 + 5s);
  CHECK(dialled(table) == id);
  bring_up(table, id, t0 + 5s);
  table.on_ended(id, kBroken, true, t0 + 100s);
  CHECK(table.next_tick() == t0 + 102s);
}

TEST_CASE("peer table: a duplicate is refused and ends the wait of the one there is", "[link]") {
  PeerTable table;
  const auto id = table.add(uri("tls://h:1?priority=1")).value();
  CHECK(dialled(table) == id);
  const auto again = table.add(uri("tls://h:1?priority=2&password=x"));
  REQUIRE_FALSE(again);
  CHECK(again.error().is(Errc::already_exists));
  CHECK(again.error().text() == "peer is already configured");
  CHECK_FALSE(table.poll_output());  // it is being dialled

  table.on_ended(id, kBroken, true, t0);
  CHECK_FALSE(table.add(uri("tls://h:1")));
  CHECK(dialled(table) == id);
  table.on_ended(id, kBroken, true, t0);
  CHECK(table.next_tick() == t0 + 4s);  // the kick did not reset the backoff

  CHECK(table.add(uri("tls://h:1"), "eth0"));  // another interface is another entry
  CHECK(table.add(uri("tcp://h:1")));
  CHECK(table.size() == 3);
}

TEST_CASE("peer table: kick ends every wait", "[link]") {
  PeerTable table;
  const auto a = table.add(uri("tls://a:1")).value();
  const auto b = table.add(uri("tls://b:1")).value();
  CHECK(dialled(table) == a);
  CHECK(dialled(table) == b);
  table.on_ended(b, kBroken, true, t0);
  table.kick();
  CHECK(dialled(table) == b);
  CHECK_FALSE(table.poll_output());
}

TEST_CASE("peer table: a removed peer is closed and not heard of again", "[link]") {
  PeerTable table;
  CHECK(table.remove("tls://h:1").error().text() == "peer is not configured");
  const auto id = table.add(uri("tls://h:1")).value();
  SECTION("before anybody dialled") {
    CHECK(table.remove("tls://h:1"));
    CHECK_FALSE(table.poll_output());
  }
  SECTION("while it is up") {
    CHECK(dialled(table) == id);
    bring_up(table, id, t0);
    CHECK(table.remove("tls://h:1"));
    const auto output = table.poll_output();
    REQUIRE(output);
    CHECK(std::get<PeerTable::Close>(*output).entry == id);
  }
  SECTION("while it waits") {
    CHECK(dialled(table) == id);
    table.on_ended(id, kBroken, true, t0);
    CHECK(table.remove("tls://h:1"));
    CHECK_FALSE(table.poll_output());
  }
  table.on_connected(id, t0);
  table.on_established(id, key(1), 0);
  table.on_ended(id, kBroken, true, t0);
  CHECK_FALSE(table.next_tick());
  CHECK_FALSE(table.poll_output());
  CHECK(table.rows(t0).empty());
  const auto fresh = table.add(uri("tls://h:1")).value();
  CHECK(fresh != id);
}

TEST_CASE("peer table: a peer that turned out to be this node is not dialled again", "[link]") {
  PeerTable table;
  const auto id = table.add(uri("tls://h:1")).value();
  CHECK(dialled(table) == id);
  table.on_connected(id, t0);
  table.on_ended(id, Error{Errc::refused, "connected to self"}, false, t0);
  CHECK_FALSE(table.next_tick());
  table.kick();
  CHECK_FALSE(table.add(uri("tls://h:1")));
  CHECK_FALSE(table.poll_output());
  CHECK(table.rows(t0).at(0).last_error == "connected to self");
}

TEST_CASE("peer table: handshakes under way are limited, and per address, loopback excepted", "[link]") {
  PeerTable table{{.max_handshakes = 6, .max_handshakes_per_address = 2}};
  const auto incoming = [&](std::string_view address, bool loopback = false) {
    return table.on_incoming(Scheme::tls, std::string{address} + ":1", address, loopback, t0);
  };
  const auto first = incoming("192.0.2.1").value();
  CHECK(incoming("192.0.2.1"));
  const auto third = incoming("192.0.2.1");
  REQUIRE_FALSE(third);
  CHECK(third.error().is(Errc::limit_reached));
  CHECK(incoming("192.0.2.2"));
  for (int i = 0; i < 3; ++i) CHECK(incoming("127.0.0.1", true));
  CHECK_FALSE(incoming("192.0.2.3"));
  CHECK(table.incoming_handshakes() == 6);

  SECTION("a handshake that succeeds makes room") {
    table.on_established(first, key(1), 0);
    CHECK(incoming("192.0.2.1"));
    table.on_ended(first, kBroken, true, t0);  // an established link ends: no second time
    CHECK(table.incoming_handshakes() == 6);
  }
  SECTION("a handshake that fails makes room") {
    table.on_ended(first, kBroken, true, t0);
    CHECK(incoming("192.0.2.1"));
  }
}

TEST_CASE("peer table: strangers cannot take the room of configured peers", "[link]") {
  PeerTable table{{.max_links = 3}};
  CHECK(table.add(uri("tls://h:1")));
  std::vector<EntryId> ids;
  for (int i = 0; i < 2; ++i) {
    ids.push_back(table.on_incoming(Scheme::tcp, "192.0.2.9:" + std::to_string(i), "192.0.2.9", false, t0).value());
  }
  CHECK_FALSE(table.on_incoming(Scheme::tcp, "192.0.2.9:7", "192.0.2.9", false, t0));
  CHECK(table.add(uri("tls://h:2")));
  CHECK(table.add(uri("tls://h:3")));
  CHECK(table.add(uri("tls://h:4")).error().is(Errc::limit_reached));
  table.on_ended(ids[0], kBroken, true, t0);
  CHECK_FALSE(table.on_incoming(Scheme::tcp, "192.0.2.9:8", "192.0.2.9", false, t0));
}

TEST_CASE("peer table: rows tell what topology shows", "[link]") {
  PeerTable table;
  const auto out = table.add(uri("tls://h:1?password=secret")).value();
  CHECK(dialled(table) == out);
  const auto in = table.on_incoming(Scheme::tcp, "192.0.2.1:4321", "192.0.2.1", false, t0).value();
  table.on_established(in, key(2), 7);
  table.set_traffic(in, 11, 22);

  auto rows = table.rows(t0 + 9s);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].uri == "tls://h:1");
  CHECK_FALSE(rows[0].up);
  CHECK_FALSE(rows[0].inbound);
  CHECK(rows[0].uptime == 0s);
  CHECK(rows[1].uri == "tcp://192.0.2.1:4321");
  CHECK(rows[1].up);
  CHECK(rows[1].inbound);
  CHECK(rows[1].key == key(2));
  CHECK(rows[1].priority == 7);
  CHECK(rows[1].rx_bytes == 11);
  CHECK(rows[1].tx_bytes == 22);
  CHECK(rows[1].uptime == 9s);

  table.on_ended(out, kBroken, true, t0 + 1s);
  rows = table.rows(t0 + 9s);
  CHECK(rows[0].last_error == "connection reset");
  CHECK(rows[0].last_error_ago == 8s);

  table.on_tick(t0 + 3s);
  CHECK(dialled(table) == out);
  table.on_connected(out, t0 + 3s);
  table.on_established(out, key(3), 1);
  rows = table.rows(t0 + 9s);
  CHECK(rows[0].up);
  CHECK(rows[0].uptime == 6s);
  CHECK(rows[0].last_error.empty());

  table.on_ended(in, kBroken, true, t0 + 9s);
  CHECK(table.rows(t0 + 9s).size() == 1);
}
