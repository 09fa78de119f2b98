#include "link/keepalive.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "vectors.hpp"

using namespace std::chrono_literals;
using axl::link::FrameKind;
using axl::link::Keepalive;
using Output = Keepalive::Output;

namespace {

constexpr axl::Time t0{};  // virtual time starts at zero

// Jumps straight to the next deadline and returns what came out of it.
std::optional<Output> run_to_next(Keepalive& link, axl::Time& now) {
  now = link.next_tick().value();
  link.on_tick(now);
  return link.poll_output();
}

}  // namespace

TEST_CASE("keepalive: any frame settles what we owe, then no timer runs", "[link]") {
  Keepalive link{{}};
  CHECK_FALSE(link.next_tick());
  link.on_received(FrameKind::data, t0);
  link.on_sent(FrameKind::keepalive, t0);
  CHECK_FALSE(link.next_tick());
}

TEST_CASE("keepalive: data is answered once, after the reply delay", "[link]") {
  Keepalive link{{.reply_delay = 1s}};
  auto now = t0;
  link.on_received(FrameKind::data, now);
  link.on_received(FrameKind::data, now + 400ms);  // must not postpone the reply
  CHECK(run_to_next(link, now) == Output::send_keepalive);
  CHECK(now == t0 + 1s);
  CHECK_FALSE(link.next_tick());
}

TEST_CASE("keepalive: a received keepalive asks for no answer", "[link]") {
  Keepalive link{{}};
  link.on_received(FrameKind::keepalive, t0);
  CHECK_FALSE(link.next_tick());
}

TEST_CASE("keepalive: a sent keepalive waits for no answer", "[link]") {
  Keepalive link{{}};
  link.on_sent(FrameKind::keepalive, t0);
  CHECK_FALSE(link.next_tick());
}

TEST_CASE("keepalive: silence after data is reported, once", "[link]") {
  Keepalive link{{.peer_timeout = 3s}};
  auto now = t0;
  link.on_sent(FrameKind::data, now);
  link.on_sent(FrameKind::data, now + 1s);  // must not push the deadline back
  SECTION("unless any frame arrives in time") {
    link.on_received(FrameKind::keepalive, now + 2999ms);
    CHECK_FALSE(link.next_tick());
  }
  SECTION("unless part of a frame arrives in time") {
    link.on_received_part();
    CHECK_FALSE(link.next_tick());
  }
  SECTION("and then the link is idle again") {
    CHECK(run_to_next(link, now) == Output::peer_timed_out);
    CHECK(now == t0 + 3s);
    CHECK_FALSE(link.next_tick());
  }
  SECTION("with some patience, once, when the tick itself is late") {
    now = t0 + 3600ms;
    link.on_tick(now);
    CHECK_FALSE(link.poll_output());
    now += 1700ms;  // late again
    link.on_tick(now);
    CHECK(link.poll_output() == Output::peer_timed_out);
  }
}

TEST_CASE("keepalive: with both timers running the earlier one is named", "[link]") {
  Keepalive link{{}};
  link.on_sent(FrameKind::data, t0);
  CHECK(link.next_tick() == t0 + 3s);
  link.on_received(FrameKind::data, t0 + 500ms);
  CHECK(link.next_tick() == t0 + 1500ms);
  link.on_sent(FrameKind::data, t0 + 600ms);
  CHECK(link.next_tick() == t0 + 3600ms);
}

TEST_CASE("keepalive: keeps the recorded times of a link whose peer stops answering", "[link]") {
  const auto root = axl::test::load_vectors("routing/transcript_timeout.json");
  const auto at = [](simdjson::dom::element event) {
    return t0 + axl::Duration{std::llround(event["t_ms"].get_double().value() * 1e6)};
  };
  // A's side of the recording: what B sent came in, what A sent went out. A's own two timers are checked against it.
  Keepalive link;
  bool ended = false;
  for (auto event : root["events"].get_array()) {
    const auto kind = axl::test::text(event["event"]);
    const auto now = at(event);
    if (const auto due = link.next_tick(); due && *due < now) {
      // Recorded times carry the recorder's delay, so a deadline fires just before what it caused.
      link.on_tick(*due);
      const auto output = link.poll_output();
      REQUIRE(output == (kind == "link_end" ? Output::peer_timed_out : Output::send_keepalive));
      CHECK(now - *due < 20ms);
    } else {
      CHECK(kind != "link_end");
    }
    if (kind == "link_end") ended = true;
    if (kind != "frame") continue;
    const auto type = axl::test::text(event["type"]);
    const auto frame_kind = type == "KeepAlive" ? FrameKind::keepalive : FrameKind::data;
    if (axl::test::text(event["from"]) == "A") {
      link.on_sent(frame_kind, now);
    } else {
      link.on_received(frame_kind, now);
    }
  }
  CHECK(ended);
  CHECK_FALSE(link.next_tick());
}
