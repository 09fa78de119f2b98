#include <catch2/catch_test_macros.hpp>

#include "link_pipe.hpp"

using namespace std::chrono_literals;
using namespace axl::link::test;
using axl::link::Flow;
using axl::link::Link;
using axl::wire::FrameType;

namespace {

const auto alice = test_key(1);
const auto bob = test_key(2);

Flow own_flow() { return {alice.public_key(), bob.public_key(), true}; }
Flow transit_flow() { return {test_key(5).public_key(), test_key(6).public_key(), false}; }

/// Polls one write without telling the link that it left.
std::size_t poll_write(Link& link) {
  const auto output = link.poll_output();
  return output ? std::get<Link::Write>(*output).bytes.size() : 0;
}

}  // namespace

TEST_CASE("link writer: frames produced together leave in one write, direct ones first", "[link]") {
  auto a = established_end(alice, bob);
  a.link.send(message(FrameType::traffic, 2, 0xaa), own_flow(), t0);
  a.link.send(message(FrameType::sig_req, 2, 0xbb), {}, t0);
  a.link.send(message(FrameType::path_lookup, 1, 0xcc), own_flow(), t0);
  a.link.send(message(FrameType::announce, 1, 0xdd), {}, t0);
  CHECK(axl::to_hex(a.drain()) ==
        "0302bbbb"
        "0204dd"
        "0309aaaa"
        "0206cc");
  CHECK(a.writes.size() == 1);
  CHECK(a.link.tx_bytes() == 123 + 14);
}

TEST_CASE("link writer: a large frame leaves as the buffer it came in, small ones around it are gathered", "[link]") {
  auto a = established_end(alice, bob);
  const auto large = [&] {
    auto bytes = message(FrameType::traffic, 16'300);
    const auto* place = bytes.data();
    a.link.send(std::move(bytes), own_flow(), t0);
    return place;
  }();
  a.link.send(message(FrameType::traffic, 10), own_flow(), t0);
  a.link.send(message(FrameType::traffic, 10), own_flow(), t0);
  const auto first = a.link.poll_output();
  REQUIRE(first);
  const auto& bytes = std::get<Link::Write>(*first).bytes;
  CHECK(bytes.size() == 2 + 16'301);
  CHECK(bytes.data() + 2 == large);
  CHECK(poll_write(a.link) == 2 * 12);
  CHECK(poll_write(a.link) == 0);
}

TEST_CASE("link writer: gathered small frames and a large one keep their order", "[link]") {
  auto a = established_end(alice, bob);
  auto b = established_end(bob, alice);
  std::vector<std::string> expected;
  for (std::size_t i = 0; i < 200; ++i) {
    auto bytes = message(FrameType::traffic, i % 7 == 0 ? 6000 : 10 * i, static_cast<std::uint8_t>(i));
    expected.push_back(axl::to_hex(bytes));
    a.link.send(std::move(bytes), own_flow(), t0);
    if (i % 10 == 0) b.feed(a.drain());
  }
  b.feed(a.drain(), t0, 1000);
  CHECK(b.messages == expected);
  CHECK(a.link.queued_bytes() == 0);
}

TEST_CASE("link writer: stops at the high mark of the transport and goes on below the low one", "[link]") {
  auto a = established_end(alice, bob, {}, {.write_high = 40'000, .write_low = 10'000});
  for (int i = 0; i < 10; ++i) a.link.send(message(FrameType::traffic, 15'000), own_flow(), t0);
  std::size_t handed = 0;
  while (const auto size = poll_write(a.link)) handed += size;
  CHECK(handed == 3 * 15'003);
  CHECK(a.link.queued_bytes() > 0);

  a.link.on_unsent(10'001, t0);
  CHECK(poll_write(a.link) == 0);
  a.link.on_unsent(10'000, t0);
  CHECK(poll_write(a.link) == 15'003);
  a.link.on_unsent(0, t0);
  while (const auto size = poll_write(a.link)) {
    handed += size;
    a.link.on_unsent(0, t0);
  }
  CHECK(handed + 15'003 == 10 * 15'003);
  CHECK(a.link.queued_bytes() == 0);
}

TEST_CASE("link writer: while the transport is full, direct frames overtake and transit is dropped, own is not",
          "[link]") {
  auto a = established_end(alice, bob, {}, {.write_high = 1000, .write_low = 0, .queue = {.max_bytes = 50'000}});
  a.link.send(message(FrameType::traffic, 2000), own_flow(), t0);
  CHECK(poll_write(a.link) == 2003);
  for (int i = 0; i < 30; ++i) {
    a.link.send(message(FrameType::traffic, 10'000, 1), transit_flow(), t0);
    a.link.send(message(FrameType::traffic, 10'000, 2), own_flow(), t0);
  }
  CHECK(a.link.dropped() == 25);
  CHECK(a.link.queued_bytes() == 350'000);
  a.link.send(message(FrameType::sig_res, 70), {}, t0);
  a.link.on_unsent(0, t0);
  CHECK(poll_write(a.link) == 72);
  a.link.on_unsent(0, t0);
  auto b = established_end(bob, alice);
  b.feed(a.drain());
  CHECK(b.messages.size() == 35);
}

TEST_CASE("link writer: a peer that does not read is closed when too many direct frames wait", "[link]") {
  auto a = established_end(alice, bob);
  a.link.on_unsent(1'000'000, t0);
  for (int i = 0; i < 15'000 && !a.link.failed(); ++i) a.link.send(message(FrameType::sig_res, 80), {}, t0);
  REQUIRE(a.link.failed());
  CHECK_FALSE(a.failure().empty());
  CHECK(a.failures[0].error.is(axl::Errc::limit_reached));
  CHECK(a.link.queued_bytes() == 0);
}

TEST_CASE("link writer: a message of the largest size is sent, a larger one dropped", "[link]") {
  auto a = established_end(alice, bob);
  a.link.send(message(FrameType::traffic, axl::wire::kMaxFrameSize), own_flow(), t0);
  CHECK(a.drain().empty());
  CHECK(a.link.dropped() == 1);
  a.link.send(message(FrameType::traffic, axl::wire::kMaxFrameSize - 1), own_flow(), t0);
  auto b = established_end(bob, alice);
  b.feed(a.drain());
  CHECK(b.messages.size() == 1);
}

TEST_CASE("link: data is answered by a keepalive after a second, unless something else is sent", "[link]") {
  auto a = established_end(alice, bob);
  CHECK_FALSE(a.link.next_tick());
  a.feed(axl::from_hex("03020105").value(), t0 + 1s);
  REQUIRE(a.link.next_tick() == t0 + 2s);
  SECTION("silent") {
    a.link.on_tick(t0 + 2s);
    CHECK(axl::to_hex(a.drain()) == "0101");
    CHECK_FALSE(a.link.next_tick());
  }
  SECTION("busy") {
    a.link.send(message(FrameType::sig_res, 2), {}, t0 + 1500ms);
    a.drain();
    CHECK(a.link.next_tick() == t0 + 4500ms);  // now the peer owes us something
  }
}

TEST_CASE("link: a peer that answers nothing for three seconds is given up", "[link]") {
  auto a = established_end(alice, bob);
  a.link.send(message(FrameType::sig_req, 2), {}, t0 + 1s);
  a.drain(t0 + 1s);
  REQUIRE(a.link.next_tick() == t0 + 4s);
  SECTION("unless bytes come, be they part of a frame") {
    a.feed(axl::from_hex("4403").value(), t0 + 3s);
    CHECK_FALSE(a.link.next_tick());
  }
  SECTION("with an error that says so") {
    a.link.on_tick(t0 + 4s);
    CHECK_FALSE(a.failure().empty());
    CHECK(a.failures[0].error.is(axl::Errc::timed_out));
  }
}

TEST_CASE("link: the round trip runs from the SigReq's leaving to the SigRes's coming", "[link]") {
  auto a = established_end(alice, bob);
  const auto response = [] {
    axl::Bytes frame = axl::from_hex("4503").value();
    frame.resize(2 + 68, std::byte{1});
    return frame;
  }();
  a.feed(response, t0);
  CHECK_FALSE(a.rtts.back());  // nothing was asked

  a.link.on_unsent(1'000'000, t0 + 1s);
  a.link.send(message(FrameType::sig_req, 2), {}, t0 + 1s);
  a.drain();
  a.link.on_unsent(0, t0 + 2s);  // only now it leaves
  a.drain(t0 + 2s);
  a.feed(response, t0 + 2s + 30ms);
  CHECK(a.rtts.back() == 30ms);
}

TEST_CASE("link: two ends carry everything both ways through any fragmentation", "[link]") {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{13}, std::size_t{1000}, std::size_t{70'000}}) {
    End a{alice, {.password = "p"}};
    End b{bob, {.password = "p"}};
    b.feed(a.drain(), t0, piece);
    a.feed(b.drain(), t0, piece);
    REQUIRE(a.link.usable());
    REQUIRE(b.link.usable());
    std::vector<std::string> expected;
    for (std::size_t i = 0; i < 60; ++i) {
      const auto size = i * i * 5;
      auto bytes = message(FrameType::traffic, size, static_cast<std::uint8_t>(i));
      expected.push_back(axl::to_hex(bytes));
      a.link.send(axl::Buffer::copy_of(bytes), own_flow(), t0);
      b.link.send(std::move(bytes), own_flow(), t0);
      b.feed(a.drain(), t0, piece);
      a.feed(b.drain(), t0, piece);
    }
    CHECK(a.messages == expected);
    CHECK(b.messages == expected);
    CHECK(a.link.tx_bytes() == b.link.rx_bytes());
    CHECK(b.link.tx_bytes() == a.link.rx_bytes());
  }
}
