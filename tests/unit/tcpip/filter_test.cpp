#include "tcpip/packet_filter.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <initializer_list>

#include "network.hpp"

using namespace axl;
using namespace axl::tcpip;
using namespace axl::tcpip::test;
using namespace std::chrono_literals;

namespace {

const Address kSource = Address::of(key_of(1));
const Address kOwn = Address::of(key_of(2));

void put(Bytes& packet, std::size_t at, ByteSpan bytes) {
  std::ranges::copy(bytes, packet.begin() + static_cast<std::ptrdiff_t>(at));
}

// An IPv6 packet around `payload`.
Bytes packet_of(std::uint8_t next_header, const Bytes& payload) {
  Bytes packet(40 + payload.size());
  packet[0] = std::byte{0x60};
  packet[4] = static_cast<std::byte>(payload.size() >> 8U);
  packet[5] = static_cast<std::byte>(payload.size() & 0xffU);
  packet[6] = std::byte{next_header};
  packet[7] = std::byte{64};
  put(packet, 8, kSource.bytes());
  put(packet, 24, kOwn.bytes());
  put(packet, 40, payload);
  return packet;
}

// A TCP segment with these options (padded by the caller to four bytes).
Bytes segment_of(std::initializer_list<unsigned> options, unsigned flags = 0x10, std::size_t data = 3) {
  Bytes segment(20 + options.size() + data);
  segment[0] = segment[1] = segment[2] = segment[3] = std::byte{0x77};
  segment[12] = static_cast<std::byte>(((20 + options.size()) / 4) << 4U);
  segment[13] = static_cast<std::byte>(flags);
  std::size_t at = 20;
  for (const auto option : options) segment[at++] = static_cast<std::byte>(option);
  return segment;
}

Verdict check(const Bytes& packet) { return check_packet(packet, kSource, kOwn); }
Verdict check_options(std::initializer_list<unsigned> options) { return check(packet_of(6, segment_of(options))); }

}  // namespace

TEST_CASE("tcpip filter: a plain segment and an echo pass", "[tcpip]") {
  CHECK(check(packet_of(6, segment_of({}))) == Verdict::pass);
  CHECK(check(packet_of(6, segment_of({}, 2, 0))) == Verdict::pass);
  for (const auto type : {128, 129}) {
    Bytes echo(8);
    echo[0] = static_cast<std::byte>(type);
    CHECK(check(packet_of(58, echo)) == Verdict::pass);
  }
}

TEST_CASE("tcpip filter: the header must be IPv6 and its length exact", "[tcpip]") {
  const auto good = packet_of(6, segment_of({}));
  for (std::size_t size = 0; size < good.size(); ++size) {
    const Bytes cut{good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)};
    CHECK(check(cut) == (size < 40 ? Verdict::too_short : Verdict::wrong_length));
  }
  auto longer = good;
  longer.push_back(std::byte{0});
  CHECK(check(longer) == Verdict::wrong_length);
  for (const unsigned version : {0U, 4U, 5U, 7U, 15U}) {
    auto other = good;
    other[0] = static_cast<std::byte>(version << 4U);
    CHECK(check(other) == Verdict::wrong_version);
  }
  CHECK(check(packet_of(6, segment_of({}, 0x10, 65'535 - 60))) == Verdict::pass);
  CHECK(check(packet_of(6, segment_of({}, 0x10, 65'535 - 59))) == Verdict::wrong_length);
}

TEST_CASE("tcpip filter: the source is the key's address, the destination ours, to the last bit", "[tcpip]") {
  const auto good = packet_of(6, segment_of({}));
  for (std::size_t bit = 0; bit < 128; ++bit) {
    auto other = good;
    other[8 + bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    CHECK(check(other) == Verdict::wrong_source);
    other = good;
    other[24 + bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    CHECK(check(other) == Verdict::wrong_destination);
  }
  auto multicast = good;
  multicast[8] = std::byte{0xff};
  CHECK(check(multicast) == Verdict::wrong_source);
  multicast = good;
  multicast[24] = std::byte{0xff};
  CHECK(check(multicast) == Verdict::wrong_destination);
}

TEST_CASE("tcpip filter: nothing but TCP and ICMPv6, so no extension header", "[tcpip]") {
  for (unsigned protocol = 0; protocol < 256; ++protocol) {
    if (protocol == 6 || protocol == 58) continue;
    CHECK(check(packet_of(static_cast<std::uint8_t>(protocol), segment_of({}))) == Verdict::wrong_protocol);
  }
}

TEST_CASE("tcpip filter: of ICMPv6 only whole echoes", "[tcpip]") {
  for (unsigned type = 0; type < 256; ++type) {
    Bytes message(8);
    message[0] = static_cast<std::byte>(type);
    CHECK(check(packet_of(58, message)) == (type == 128 || type == 129 ? Verdict::pass : Verdict::bad_icmp));
  }
  for (std::size_t size = 0; size < 8; ++size) {
    Bytes message(size, std::byte{128});
    CHECK(check(packet_of(58, message)) == Verdict::bad_icmp);
  }
}

TEST_CASE("tcpip filter: the TCP header must lie within the packet and make sense", "[tcpip]") {
  for (std::size_t size = 0; size < 20; ++size) {
    CHECK(check(packet_of(6, Bytes(size, std::byte{0x50}))) == Verdict::bad_tcp_header);
  }
  for (unsigned words = 0; words < 16; ++words) {
    auto segment = segment_of({1, 1, 1, 1, 1, 1, 1, 1}, 0x10, 0);
    segment[12] = static_cast<std::byte>(words << 4U);
    CHECK(check(packet_of(6, segment)) == (words >= 5 && words <= 7 ? Verdict::pass : Verdict::bad_tcp_header));
  }
  for (const std::size_t port : {0U, 2U}) {
    auto segment = segment_of({});
    segment[port] = segment[port + 1] = std::byte{0};
    CHECK(check(packet_of(6, segment)) == Verdict::bad_tcp_header);
  }
  CHECK(check(packet_of(6, segment_of({}, 0x03))) == Verdict::bad_tcp_header);  // SYN and FIN
  CHECK(check(packet_of(6, segment_of({}, 0x06))) == Verdict::bad_tcp_header);  // SYN and RST
  CHECK(check(packet_of(6, segment_of({}, 0x12))) == Verdict::pass);
}

TEST_CASE("tcpip filter: every TCP option must end within the options", "[tcpip]") {
  CHECK(check_options({1, 1, 1, 1}) == Verdict::pass);
  CHECK(check_options({2, 4, 5, 0xb4}) == Verdict::pass);                          // MSS
  CHECK(check_options({2, 4, 5, 0xb4, 1, 3, 3, 8, 4, 2, 1, 1}) == Verdict::pass);  // window scale, SACK
  CHECK(check_options({0, 0xff, 0xff, 0xff}) == Verdict::pass);                    // what follows the end is not read
  CHECK(check_options({254, 4, 0, 0}) == Verdict::pass);                           // unknown
  CHECK(check_options({2, 0, 0, 0}) == Verdict::bad_tcp_options);
  CHECK(check_options({2, 1, 0, 0}) == Verdict::bad_tcp_options);
  CHECK(check_options({2, 5, 0, 0}) == Verdict::bad_tcp_options);
  CHECK(check_options({1, 1, 1, 2}) == Verdict::bad_tcp_options);
  CHECK(check_options({1, 1, 8, 10}) == Verdict::bad_tcp_options);
  CHECK(check_options({3, 3, 8, 5, 255, 1, 1, 1}) == Verdict::bad_tcp_options);
}

TEST_CASE("tcpip filter: the stack counts and drops what the filter refuses", "[tcpip]") {
  Network network;
  static_cast<void>(network.add());
  auto& node = network.add();  // its key is key_of(2)
  REQUIRE(node.stack->listen(0x7777, [](auto) {}));
  node.stack->input(key_of(1), Buffer::copy_of(packet_of(17, Bytes(20))), network.now);
  node.stack->input(key_of(3), Buffer::copy_of(packet_of(6, segment_of({}))), network.now);  // not that key's address
  node.stack->input(key_of(1), Buffer{}, network.now);
  CHECK(node.stack->stats().filtered == 3);
  CHECK(node.sent == 0);
}

TEST_CASE("tcpip: a reply to a stranger's segment goes to the key it came from", "[tcpip]") {
  Network network;
  network.link.loss = 1;
  auto& stranger = network.add();
  auto& node = network.add();
  stranger.sessions.insert(node.key);
  Bytes syn;
  stranger.on_send = [&](ByteSpan packet) { syn = to_bytes(packet); };
  stranger.stack->connect(node.key, 9, 1s, [](auto) {});
  stranger.stack->run_handlers();
  REQUIRE_FALSE(syn.empty());
  Bytes reply;
  node.on_send = [&](ByteSpan packet) { reply = to_bytes(packet); };
  node.stack->input(stranger.key, Buffer::copy_of(syn), network.now);
  REQUIRE(reply.size() == 60);
  CHECK((reply[53] & std::byte{4}) != std::byte{0});
  CHECK(check_packet(reply, Address::of(node.key), Address::of(stranger.key)) == Verdict::pass);
}
