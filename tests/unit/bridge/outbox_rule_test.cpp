// The outbox by itself: attempts are answered by the test, time is virtual.
#include <catch2/catch_test_macros.hpp>
#include <deque>

#include "bridge/outbox.hpp"
#include "test_mesh.hpp"

using namespace std::chrono_literals;
using axl::Delivery;
using axl::Errc;
using axl::Error;
using axl::SendReport;
using axl::bridge::Outbox;
using axl::test::key_of;
using State = Outbox::State;

namespace {

class LoopScheduler final : public axl::Scheduler {
 public:
  explicit LoopScheduler(axl::test::TestLoop& loop) : loop_{loop} {}
  [[nodiscard]] axl::Time now() const override { return loop_.now(); }
  [[nodiscard]] std::unique_ptr<axl::Timer> make_timer(std::function<void()> fire) override {
    return loop_.make_timer(std::move(fire));
  }
  [[nodiscard]] axl::Executor& executor() override { return loop_.executor(); }
  [[nodiscard]] axl::Rng& rng() override { return rng_; }

 private:
  axl::test::TestLoop& loop_;
  axl::crypto::SeededRng rng_{1};
};

struct Attempt {
  axl::PublicKey peer;
  std::string body;
  axl::SendOptions options;
  bool may_have_arrived = false;
  axl::bridge::SendHandler done;
  axl::Time at{};
};

struct Rig {
  axl::Result<void> add(unsigned char peer, std::string_view body, std::string id, axl::Duration keep = 10min,
                        axl::bridge::SendHandler done = {}) {
    return outbox.add(key_of(peer), keep, axl::MessageBody{axl::to_bytes(axl::as_bytes(body))},
                      {.id = std::move(id), .topic = "t", .retry_for = keep}, std::move(done));
  }
  /// Lets `duration` pass and returns the ids of the attempts that began meanwhile.
  std::vector<std::string> begun(axl::Duration duration = {}) {
    const auto before = attempts.size();
    loop.advance(duration);
    std::vector<std::string> ids;
    for (auto i = before; i < attempts.size(); ++i) ids.push_back(attempts[i].options.id);
    return ids;
  }
  void answer(std::size_t number, axl::Result<SendReport> result) {
    const auto done = std::exchange(attempts.at(number).done, {});
    REQUIRE(done);
    done(std::move(result));
    loop.run();
  }
  void succeed(std::size_t number, Delivery delivery = Delivery::queued) {
    answer(number, SendReport{delivery, attempts.at(number).options.id});
  }
  void fail(std::size_t number, Errc code = Errc::unreachable) { answer(number, Error{code, "why"}); }
  [[nodiscard]] State state(std::string_view id) const {
    const auto item = outbox.find(id);
    REQUIRE(item);
    return item->state;
  }

  axl::test::TestLoop loop;
  LoopScheduler scheduler{loop};
  std::deque<Attempt> attempts;
  std::set<axl::PublicKey> old;
  Outbox outbox{{.messages = 40, .bytes = 100'000, .outcomes = 3},
                scheduler,
                [this](const axl::PublicKey& peer, axl::MessageBody body, axl::SendOptions options, bool again,
                       axl::bridge::SendHandler done) {
                  attempts.push_back(
                      {peer, std::string{body.text()}, std::move(options), again, std::move(done), loop.now()});
                },
                [this](const axl::PublicKey& peer) { return old.contains(peer); }};
};

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("outbox: every attempt carries the same id, topic and body, and asks for no second outbox", "[bridge]") {
  Rig rig;
  REQUIRE(rig.add(1, "body", "one"));
  CHECK(rig.attempts.empty());  // never inside the call
  for (std::size_t i = 0; i < 5; ++i) {
    rig.loop.run_until([&] { return rig.attempts.size() == i + 1; });
    REQUIRE(rig.attempts.size() == i + 1);
    const auto& attempt = rig.attempts[i];
    CHECK(attempt.peer == key_of(1));
    CHECK(attempt.body == "body");
    CHECK(attempt.options.id == "one");
    CHECK(attempt.options.topic == "t");
    CHECK(attempt.options.retry_for == axl::Duration{});
    CHECK_FALSE(attempt.may_have_arrived);
    CHECK(rig.outbox.find("one")->attempts == static_cast<int>(i + 1));
    CHECK(rig.state("one") == State::sending);
    if (i < 4) rig.fail(i);
  }
  // 1, 2, 4, 8 seconds between them, 15 at most.
  for (std::size_t i = 1; i < 5; ++i) CHECK(rig.attempts[i].at - rig.attempts[i - 1].at == 1s * (1U << (i - 1)));
  rig.fail(4);
  CHECK(rig.begun(15s - 1ns).empty());
  CHECK(rig.begun(1ns) == Ids{"one"});
  rig.succeed(5);
  CHECK(rig.state("one") == State::delivered);
  CHECK(rig.begun(1h).empty());
  CHECK(rig.outbox.messages() == 0);
  CHECK(rig.outbox.bytes() == 0);
  CHECK(rig.loop.timers() == 0);
}

TEST_CASE("outbox: only the oldest knocks; once it is in, the others follow in order, several at once", "[bridge]") {
  Rig rig;
  for (int i = 0; i < 20; ++i) REQUIRE(rig.add(1, "x", std::to_string(i)));
  REQUIRE(rig.add(2, "x", "elsewhere"));
  CHECK(rig.begun() == Ids{"0", "elsewhere"});  // another peer is another matter
  rig.fail(0);
  CHECK(rig.begun(1s) == Ids{"0"});
  rig.succeed(2);
  Ids next;
  for (int i = 1; i <= 16; ++i) next.push_back(std::to_string(i));
  REQUIRE(rig.attempts.size() == 3 + next.size());
  for (std::size_t i = 3; i < rig.attempts.size(); ++i) CHECK(rig.attempts[i].options.id == next[i - 3]);
  SECTION("and one at a time again when it is away again") {
    rig.succeed(3);  // "1", so "17" begins
    for (std::size_t i = 4; i <= 19; ++i) rig.fail(i);
    CHECK(rig.begun(30s) == Ids{"2"});
  }
}

TEST_CASE("outbox: what may have arrived is said so to the next attempt, under the same id", "[bridge]") {
  Rig rig;
  REQUIRE(rig.add(1, "x", "one"));
  rig.begun();
  rig.fail(0, Errc::delivery_unknown);
  CHECK(rig.begun(1s) == Ids{"one"});
  CHECK(rig.attempts[1].may_have_arrived);
  rig.fail(1, Errc::unreachable);
  CHECK(rig.begun(2s) == Ids{"one"});
  CHECK(rig.attempts[2].may_have_arrived);  // that does not pass
  rig.succeed(2);
  CHECK(rig.state("one") == State::delivered);
}

TEST_CASE("outbox: to a peer without receipts nothing is repeated that may have arrived", "[bridge]") {
  Rig rig;
  std::vector<axl::Result<SendReport>> ends;
  REQUIRE(rig.add(1, "x", "one", 10min, [&](auto result) { ends.push_back(std::move(result)); }));
  REQUIRE(rig.add(1, "y", "two"));
  rig.begun();
  SECTION("one that was old all the time") {
    rig.old.insert(key_of(1));
    rig.fail(0, Errc::timed_out);
  }
  SECTION("one that becomes old between two attempts") {
    rig.fail(0, Errc::timed_out);
    CHECK(ends.empty());
    rig.old.insert(key_of(1));
    rig.loop.advance(1s);
  }
  SECTION("one that turns out to be old during the second attempt, which then sent nothing") {
    rig.fail(0, Errc::timed_out);
    CHECK(rig.begun(1s) == Ids{"one"});
    rig.old.insert(key_of(1));
    rig.fail(1, Errc::delivery_unknown);
  }
  CHECK(rig.state("one") == State::handed_over);
  REQUIRE(ends.size() == 1);
  REQUIRE_FALSE(ends[0]);
  rig.loop.advance(20s);
  const auto& last = rig.attempts.back();
  CHECK(last.options.id == "two");
  CHECK_FALSE(last.may_have_arrived);
  const auto attempts = rig.attempts.size();
  rig.succeed(attempts - 1, Delivery::handed_over);
  CHECK(rig.state("two") == State::handed_over);
  CHECK(rig.begun(1h).empty());
}

TEST_CASE("outbox: what surely did not arrive is sent to a peer without receipts, once", "[bridge]") {
  Rig rig;
  REQUIRE(rig.add(1, "x", "one"));
  rig.begun();
  rig.fail(0, Errc::unreachable);
  rig.old.insert(key_of(1));
  CHECK(rig.begun(1s) == Ids{"one"});
  rig.succeed(1, Delivery::handed_over);
  CHECK(rig.state("one") == State::handed_over);
  CHECK(rig.begun(1h).empty());
}

TEST_CASE("outbox: a message's time ends it, also while it is tried, and says whether it may have arrived", "[bridge]") {
  Rig rig;
  std::optional<axl::Result<SendReport>> end;
  const auto started = rig.loop.now();
  REQUIRE(rig.add(1, "x", "one", 60s, [&](auto result) { end.emplace(std::move(result)); }));
  rig.begun();
  SECTION("between two attempts") {
    rig.fail(0);
    rig.loop.run_until([&] {
      if (rig.attempts.back().done) rig.fail(rig.attempts.size() - 1);
      return end.has_value();
    });
    REQUIRE(end);
    CHECK(rig.loop.now() - started == 60s);
    CHECK(end->error().is(Errc::unreachable));
  }
  SECTION("during one, which may still succeed") {
    rig.loop.advance(61s);
    CHECK_FALSE(end);
    CHECK(rig.state("one") == State::sending);
    rig.succeed(0);
    REQUIRE(end);
    CHECK(rig.state("one") == State::delivered);
    return;
  }
  SECTION("during one that fails") {
    rig.loop.advance(61s);
    rig.fail(0);
    REQUIRE(end);
  }
  SECTION("when it may have arrived") {
    rig.fail(0, Errc::timed_out);
    rig.loop.run_until([&] {
      if (rig.attempts.back().done) rig.fail(rig.attempts.size() - 1);
      return end.has_value();
    });
    REQUIRE(end);
    CHECK(end->error().is(Errc::delivery_unknown));
  }
  CHECK(rig.state("one") == State::expired);
  CHECK(rig.outbox.bytes() == 0);
  CHECK(rig.begun(1h).empty());
}

TEST_CASE("outbox: a peer that will never take a message is not asked again", "[bridge]") {
  for (const auto code : {Errc::too_large, Errc::invalid_argument, Errc::already_exists, Errc::key_mismatch}) {
    Rig rig;
    REQUIRE(rig.add(1, "x", "one"));
    REQUIRE(rig.add(1, "y", "two"));
    rig.begun();
    rig.fail(0, code);
    CHECK(rig.state("one") == State::refused);
    CHECK(rig.outbox.find("one")->last_error == "why");
    CHECK(rig.attempts.back().options.id == "two");  // the next one's turn, at once
  }
}

TEST_CASE("outbox: full by number or by bytes it refuses, and ends make room", "[bridge]") {
  Rig rig;
  SECTION("number") {
    for (int i = 0; i < 40; ++i) REQUIRE(rig.add(static_cast<unsigned char>(i), "", std::to_string(i)));
    const auto refused = rig.add(1, "", "more");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().is(Errc::limit_reached));
    CHECK(rig.outbox.give_up("7"));
    CHECK(rig.add(1, "", "more"));
  }
  SECTION("bytes, which an empty message costs too") {
    const std::string body(49'000, 'x');
    REQUIRE(rig.add(1, body, "0"));
    REQUIRE(rig.add(1, body, "1"));
    CHECK(rig.outbox.bytes() > 98'000);
    CHECK(rig.add(1, std::string(2'000, 'x'), "2").error().is(Errc::limit_reached));
    rig.begun();
    rig.succeed(0);
    CHECK(rig.add(1, std::string(2'000, 'x'), "2"));
    for (int i = 3; i < 8; ++i) REQUIRE(rig.add(1, "", std::to_string(i)));
  }
  SECTION("what can never fit is said so") {
    CHECK(rig.add(1, std::string(100'000, 'x'), "0").error().is(Errc::too_large));
    CHECK(rig.outbox.messages() == 0);
    CHECK(rig.outbox.bytes() == 0);
  }
}

TEST_CASE("outbox: an id is taken once for each peer, and again with the same body", "[bridge]") {
  Rig rig;
  REQUIRE(rig.add(1, "x", "id"));
  CHECK(rig.add(1, "x", "id"));
  CHECK(rig.outbox.messages() == 1);
  CHECK(rig.add(1, "y", "id").error().is(Errc::already_exists));
  // Two who wait for the same end would be one too many.
  CHECK(rig.add(1, "x", "id", 10min, [](const auto&) { FAIL("called"); }).error().is(Errc::already_exists));
  CHECK(rig.add(2, "y", "id"));
  CHECK(rig.outbox.messages() == 2);
  rig.begun();
  rig.succeed(0);
  CHECK(rig.outbox.messages() == 1);
  CHECK(rig.state("id") == State::sending);  // the one that waits stands above the one that was
  CHECK(rig.outbox.give_up("id"));
  CHECK_FALSE(rig.outbox.give_up("id"));
}

TEST_CASE("outbox: what is given up under way ends at once, and its attempt's end changes nothing", "[bridge]") {
  Rig rig;
  int ends = 0;
  REQUIRE(rig.add(1, "x", "one", 10min, [&](const auto& result) {
    ++ends;
    CHECK(result.error().is(Errc::closed));
  }));
  REQUIRE(rig.add(1, "y", "two"));
  rig.begun();
  CHECK(rig.outbox.give_up("one"));
  CHECK(ends == 0);  // never inside the call
  rig.loop.run();
  CHECK(ends == 1);
  REQUIRE(rig.attempts.size() == 2);  // the next one's turn
  CHECK(rig.attempts[1].options.id == "two");
  rig.succeed(0);
  CHECK(ends == 1);
  CHECK(rig.state("one") == State::given_up);
  rig.succeed(1);
  CHECK(rig.state("two") == State::delivered);
}

TEST_CASE("outbox: the last outcomes are remembered, the oldest goes first", "[bridge]") {
  Rig rig;
  for (const auto* id : {"1", "2", "3", "4"}) {
    REQUIRE(rig.add(1, "x", id));
    CHECK(rig.outbox.give_up(id));
  }
  CHECK_FALSE(rig.outbox.find("1"));
  for (const auto* id : {"2", "3", "4"}) CHECK(rig.state(id) == State::given_up);
}

TEST_CASE("outbox: stopped, it begins nothing and keeps what it has", "[bridge]") {
  Rig rig;
  REQUIRE(rig.add(1, "x", "one"));
  REQUIRE(rig.add(1, "y", "two"));
  rig.begun();
  rig.outbox.stop();
  rig.fail(0);
  CHECK(rig.begun(1h).empty());
  CHECK(rig.outbox.messages() == 2);
  CHECK(rig.loop.timers() == 0);
  REQUIRE(rig.add(1, "z", "three"));
  CHECK(rig.begun(1h).empty());
}

TEST_CASE("outbox: it may go while an attempt is under way, and calls nobody", "[bridge]") {
  axl::test::TestLoop loop;
  LoopScheduler scheduler{loop};
  axl::bridge::SendHandler late;
  auto outbox = std::make_unique<Outbox>(
      Outbox::Limits{}, scheduler,
      [&](const auto&, auto, auto, bool, axl::bridge::SendHandler done) { late = std::move(done); },
      [](const auto&) { return false; });
  REQUIRE(outbox->add(key_of(1), 1min, {}, {.id = "one"}, [](const auto&) { FAIL("called"); }));
  REQUIRE(outbox->add(key_of(2), 1min, {}, {.id = "two"}, [](const auto&) { FAIL("called"); }));
  loop.run();
  REQUIRE(late);
  outbox.reset();
  late(SendReport{Delivery::queued, "one"});
  loop.advance(1h);
  CHECK(loop.timers() == 0);
}
