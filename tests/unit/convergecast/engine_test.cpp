// One engine and what it says to a parent and children that the test plays.
#include "convergecast/engine.hpp"

#include <catch2/catch_test_macros.hpp>

#include "crypto/hash.hpp"
#include "family.hpp"

using namespace axl;
using namespace axl::convergecast;
using namespace axl::test;
using namespace std::chrono_literals;
using Kind = Operation::Kind;

namespace {

const PublicKey kOther = key(2);  // a parent later, or nobody
const Question kLoad{"load", {Kind::sum, 0, {}}, 4s, false};
const Question kLoadForAll{"load", {Kind::sum, 0, {}}, 4s, true};
const Nonce kNonce{std::byte{1}, std::byte{2}};

struct Node {
  explicit Node(bool settled = true, Config config = {}) : engine{config, kOwn, rng, now} {
    if (settled) now += 1h;
  }

  void place(const PublicKey& parent, const std::vector<PublicKey>& children) { engine.on_tree(parent, children, now); }
  /// As it has been for long.
  void stands(const PublicKey& parent, const std::vector<PublicKey>& children) {
    place(parent, children);
    now += 1h;
  }
  Result<void> hear(const PublicKey& from, Bytes body) { return engine.on_message(from, body, now); }
  void tick_at(Time time) {
    now = time;
    engine.on_tick(now);
  }

  /// The next output, which has to be one of these.
  template <class T>
  T next() {
    auto output = engine.poll_output();
    REQUIRE(output);
    auto* typed = std::get_if<T>(&*output);
    REQUIRE(typed != nullptr);
    return std::move(*typed);
  }
  /// The next output: a body of that kind for `to`. The body is kept for the views into it.
  template <class T>
  T said(const PublicKey& to) {
    last = next<Send>();
    CHECK(last.to == to);
    const auto message = read_body(last.body);
    REQUIRE(message);
    const auto* typed = std::get_if<T>(&*message);
    REQUIRE(typed != nullptr);
    return *typed;
  }
  [[nodiscard]] bool silent() { return !engine.poll_output(); }

  crypto::SeededRng rng{7};
  Time now{};
  Engine engine;
  Send last;
};

Bytes request(const Question& question = kLoad, const Nonce& nonce = kNonce, Duration budget = 3s) {
  return encode(Request{nonce, question.time, budget, question});
}

Bytes part_of(const PublicKey& node, std::int64_t value, const Nonce& nonce = kNonce) {
  Marks marks;
  marks.contributed = 1;
  const auto groups = groups_of(node, kLoad.operation, {{"", Number{value}}}).value();
  return encode_part(nonce, marks, encode_groups(groups, kLoad.operation));
}

std::vector<Contribution> number(std::int64_t value) { return {{"", Number{value}}}; }

Number sum_in(const PartView& part) {
  const auto groups = read_groups(part.groups, kLoad.operation, part.marks).value();
  return groups.empty() ? Number{} : groups.at("").sum.value();
}

}  // namespace

TEST_CASE("aggregation: alone, a node asks itself", "[convergecast]") {
  Node node;
  const auto token = node.engine.ask(kLoad, node.now).value();
  const auto wanted = node.next<Wanted>();
  CHECK(wanted.question.name == "load");
  CHECK(node.silent());
  REQUIRE(node.engine.contribute(wanted.session, number(5)));
  const auto finished = node.next<Finished>();
  CHECK(finished.question == token);
  REQUIRE(finished.outcome);
  CHECK(finished.outcome->complete());
  CHECK(finished.outcome->contributed == 1);
  CHECK(finished.outcome->groups.at(0).value == Number{5});
  CHECK(node.silent());
  CHECK_FALSE(node.engine.contribute(wanted.session, number(5)));
  node.tick_at(node.now + 4s);
  CHECK(node.engine.stats().sessions == 0);
  CHECK_FALSE(node.engine.next_tick());
}

TEST_CASE("aggregation: a request goes down with less time, parts go up as one", "[convergecast]") {
  Node node;
  node.stands(kParent, {kLeft, kRight});
  REQUIRE(node.hear(kParent, request()));
  for (const auto& child : {kLeft, kRight}) {
    const auto passed = node.said<Request>(child);
    CHECK(passed.nonce == kNonce);
    CHECK(passed.life == 4s);
    CHECK(passed.budget == 2625ms);
  }
  const auto wanted = node.next<Wanted>();
  CHECK(wanted.until == node.now + 3s);
  REQUIRE(node.hear(kRight, part_of(kRight, 30)));
  REQUIRE(node.engine.contribute(wanted.session, number(5)));
  CHECK(node.silent());
  REQUIRE(node.hear(kLeft, part_of(kLeft, 200)));
  const auto part = node.said<PartView>(kParent);
  CHECK(sum_in(part) == Number{235});
  CHECK(part.marks.contributed == 3);
  CHECK(part.marks.missing == 0);
  CHECK_FALSE(part.marks.settling);
  // Asked again by the same parent, it says the same again, and counts nothing.
  const auto first = to_bytes(node.last.body.span());
  REQUIRE(node.hear(kParent, request()));
  CHECK(to_bytes(node.next<Send>().body.span()) == first);
  CHECK(node.silent());
}

TEST_CASE("aggregation: a part counts once, from a child that was asked, for the session it names", "[convergecast]") {
  Node node;
  node.stands(kParent, {kLeft, kRight});
  REQUIRE(node.hear(kParent, request()));
  (void)node.said<Request>(kLeft);
  (void)node.said<Request>(kRight);
  const auto wanted = node.next<Wanted>();
  REQUIRE(node.hear(kLeft, part_of(kLeft, 1)));
  REQUIRE(node.hear(kLeft, part_of(kLeft, 1)));                         // again
  REQUIRE(node.hear(kOther, part_of(kOther, 1000)));                    // was never asked
  REQUIRE(node.hear(kRight, part_of(kRight, 1000, Nonce{std::byte{9}})));  // of nothing we know
  REQUIRE(node.hear(kLeft, encode(Decline{kNonce, Reason::not_parent})));  // too late for that
  CHECK(node.engine.stats().ignored == 4);
  REQUIRE(node.engine.contribute(wanted.session, number(10)));
  CHECK(node.silent());
  node.place(kParent, {kLeft, kRight, kOther});  // came too late to be asked
  REQUIRE(node.hear(kOther, part_of(kOther, 1000)));
  REQUIRE(node.hear(kRight, part_of(kRight, 100)));
  const auto part = node.said<PartView>(kParent);
  CHECK(sum_in(part) == Number{111});
  CHECK(part.marks.contributed == 3);
  CHECK(part.marks.settling);  // for the child that came
  REQUIRE(node.hear(kRight, part_of(kRight, 100)));
  CHECK(node.silent());
}

TEST_CASE("aggregation: a node that has moved is in one parent's account only", "[convergecast]") {
  Node node;
  node.stands(kParent, {});
  REQUIRE(node.hear(kParent, request()));
  const auto wanted = node.next<Wanted>();
  node.place(kOther, {});  // in mid-session
  REQUIRE(node.hear(kOther, request()));
  CHECK(node.said<Decline>(kOther).reason == Reason::taken);
  REQUIRE(node.engine.contribute(wanted.session, number(5)));
  CHECK(sum_in(node.said<PartView>(kParent)) == Number{5});  // whose account it is in
  REQUIRE(node.hear(kOther, request()));
  CHECK(node.said<Decline>(kOther).reason == Reason::taken);
  // The old parent has nothing new to ask.
  const Nonce later{std::byte{3}};
  REQUIRE(node.hear(kParent, request(kLoad, later)));
  CHECK(node.said<Decline>(kParent).reason == Reason::not_parent);
  REQUIRE(node.hear(kOther, request(kLoad, later)));
  CHECK(node.next<Wanted>().session == later);
  // It remembers until nobody counts parts of that session any more, and no longer.
  CHECK(node.engine.stats().sessions == 2);
  node.tick_at(node.now + 4s);
  node.tick_at(node.now + 1s);
  CHECK(node.engine.stats().sessions == 0);
}

TEST_CASE("aggregation: a restarted node declines sessions that may be older than itself", "[convergecast]") {
  Node node{false};
  node.place(kParent, {});
  node.now += 3999ms;
  REQUIRE(node.hear(kParent, request()));
  CHECK(node.said<Decline>(kParent).reason == Reason::too_new);
  node.now += 1ms;
  REQUIRE(node.hear(kParent, request()));
  (void)node.next<Wanted>();

  Config config;
  config.new_key = true;
  Node first{false, config};
  first.place(kParent, {});
  REQUIRE(first.hear(kParent, request()));
  (void)first.next<Wanted>();
}

TEST_CASE("aggregation: children who do not answer are named, those in another account are not", "[convergecast]") {
  Node node;
  const auto third = key(130);
  node.stands(kParent, {kLeft, kRight, third});
  REQUIRE(node.hear(kParent, request()));
  for (const auto& child : {kLeft, kRight, third}) (void)node.said<Request>(child);
  const auto wanted = node.next<Wanted>();
  REQUIRE(node.engine.contribute(wanted.session, {}));  // abstains
  REQUIRE(node.hear(kLeft, encode(Decline{kNonce, Reason::taken})));
  REQUIRE(node.hear(third, encode(Decline{kNonce, Reason::busy})));
  // The silent one is asked again and again, with what is left of its time.
  const auto accepted = node.now;
  int again = 0;
  while (node.engine.next_tick().value() < accepted + 3s) {
    node.tick_at(node.engine.next_tick().value());
    const auto repeated = node.said<Request>(kRight);
    CHECK(repeated.budget <= 2625ms - (node.now - accepted));
    ++again;
  }
  CHECK(again == 3);
  node.tick_at(node.engine.next_tick().value());
  CHECK(node.now == accepted + 3s);
  const auto part = node.said<PartView>(kParent);
  CHECK(part.marks.abstained == 1);
  CHECK(part.marks.contributed == 0);
  CHECK(part.marks.missing == 2);
  CHECK(part.marks.missing_keys == std::vector{kRight, third});
  REQUIRE(node.hear(kRight, part_of(kRight, 100)));  // late
  CHECK(node.silent());
}

TEST_CASE("aggregation: a program that says nothing in time is missing, its children are not", "[convergecast]") {
  Node node;
  node.stands(kParent, {kLeft});
  REQUIRE(node.hear(kParent, request()));
  (void)node.said<Request>(kLeft);
  const auto wanted = node.next<Wanted>();
  REQUIRE(node.hear(kLeft, part_of(kLeft, 7)));
  CHECK(node.silent());
  node.tick_at(node.now + 3s);
  const auto part = node.said<PartView>(kParent);
  CHECK(sum_in(part) == Number{7});
  CHECK(part.marks.missing_keys == std::vector{kOwn});
  CHECK_FALSE(node.engine.contribute(wanted.session, number(5)));
}

TEST_CASE("aggregation: an account tells of children that came or went of late", "[convergecast]") {
  Node node;
  node.stands(kParent, {kLeft});
  node.place(kParent, {});
  const auto settling_after = [&](Duration time, const Nonce& nonce) {
    node.now += time;
    REQUIRE(node.hear(kParent, request(kLoad, nonce)));
    REQUIRE(node.engine.contribute(node.next<Wanted>().session, number(1)));
    return node.said<PartView>(kParent).marks.settling;
  };
  CHECK(settling_after(1s, Nonce{std::byte{1}}));
  CHECK(settling_after(7s, Nonce{std::byte{2}}));         // five for a move, four for the session
  CHECK_FALSE(settling_after(1s, Nonce{std::byte{3}}));
  node.place(kOther, {});  // another parent changes nothing below
  CHECK(node.silent());
  node.place(kParent, {});
  CHECK_FALSE(settling_after(1s, Nonce{std::byte{4}}));
  node.place(kOwn, {});  // but a new root may not have all children yet
  node.place(kParent, {});
  CHECK(settling_after(1s, Nonce{std::byte{5}}));
}

TEST_CASE("aggregation: a child's question goes up, its answer comes back the same way", "[convergecast]") {
  Node node;
  node.stands(kParent, {kLeft, kRight});
  const Token token{std::byte{42}};
  REQUIRE(node.hear(kLeft, encode(Ask{token, kLoad})));
  CHECK(node.said<Ask>(kParent).token == token);
  REQUIRE(node.hear(kOther, encode(Ask{token, kLoad})));  // nobody's child
  CHECK(node.silent());
  Marks marks;
  marks.contributed = 2;
  const auto groups = encode_groups(groups_of(kOther, kLoad.operation, number(9)).value(), kLoad.operation);
  REQUIRE(node.hear(kRight, encode_answer(token, marks, groups)));  // not from where it was asked
  REQUIRE(node.hear(kParent, encode_answer(Token{}, marks, groups)));
  CHECK(node.silent());
  REQUIRE(node.hear(kParent, encode_answer(token, marks, groups)));
  CHECK(node.said<AnswerView>(kLeft).marks == marks);
  REQUIRE_FALSE(node.hear(kParent, encode_answer(token, marks, as_bytes("\x01"))));  // cut off
  CHECK(node.silent());
  REQUIRE(node.hear(kLeft, encode(Ask{token, kLoad})));  // it did not arrive: asked again, further up
  CHECK(node.said<Ask>(kParent).token == token);
}

TEST_CASE("aggregation: our own question is repeated, to the parent we then have, and ends in time", "[convergecast]") {
  Node node;
  node.stands(kParent, {});
  const auto asked = node.now;
  const auto token = node.engine.ask(kLoad, node.now).value();
  CHECK(node.said<Ask>(kParent).token == token);
  node.place(kOther, {});
  node.tick_at(node.engine.next_tick().value());
  CHECK(node.now == asked + 1s);
  CHECK(node.said<Ask>(kOther).token == token);
  REQUIRE(node.hear(kOther, encode_refusal(token, Status::busy)));  // is asked again all the same
  CHECK(node.silent());
  while (node.now < asked + 5s) {
    node.tick_at(node.engine.next_tick().value());
    CHECK(node.said<Ask>(kOther).token == token);
    REQUIRE(node.hear(kOther, encode_refusal(token, Status::busy)));
  }
  node.tick_at(node.engine.next_tick().value());
  CHECK(node.now == asked + 6s);
  CHECK(node.next<Finished>().outcome.error().is(Errc::busy));
  const auto second = node.engine.ask(kLoad, node.now).value();
  (void)node.said<Ask>(kOther);
  const auto since = node.now;
  int repeated = 0;
  for (;;) {
    node.tick_at(node.engine.next_tick().value());
    auto output = node.engine.poll_output();
    if (!output) continue;
    if (std::get_if<Send>(&*output) != nullptr) {
      ++repeated;
      continue;
    }
    const auto& finished = std::get<Finished>(*output);
    CHECK(finished.question == second);
    CHECK(finished.outcome.error().is(Errc::timed_out));
    break;
  }
  CHECK(repeated == 5);
  CHECK(node.now == since + 6s);
  const auto third = node.engine.ask(kLoad, node.now).value();
  (void)node.said<Ask>(kOther);
  node.engine.cancel(third);
  CHECK_FALSE(node.engine.next_tick());
}

TEST_CASE("aggregation: the root answers a repeated question from the session it had", "[convergecast]") {
  Node node;
  node.stands(kOwn, {kLeft});
  const Token token{std::byte{42}};
  REQUIRE(node.hear(kLeft, encode(Ask{token, kLoad})));
  const auto asked = node.said<Request>(kLeft);
  const auto wanted = node.next<Wanted>();
  CHECK(asked.nonce == wanted.session);
  REQUIRE(node.hear(kLeft, encode(Ask{token, kLoad})));  // it runs
  CHECK(node.silent());
  REQUIRE(node.engine.contribute(wanted.session, number(1)));
  REQUIRE(node.hear(kLeft, part_of(kLeft, 2, asked.nonce)));
  CHECK(node.said<AnswerView>(kLeft).marks.contributed == 2);
  REQUIRE(node.hear(kLeft, encode(Ask{token, kLoad})));
  CHECK(node.said<AnswerView>(kLeft).marks.contributed == 2);
  CHECK(node.silent());
  // Another token is another session, with another nonce.
  REQUIRE(node.hear(kLeft, encode(Ask{Token{std::byte{43}}, kLoad})));
  CHECK(node.said<Request>(kLeft).nonce != asked.nonce);
}

TEST_CASE("aggregation: a result is taken from the parent of that session, once, and passed on", "[convergecast]") {
  Node node;
  node.stands(kParent, {kLeft});
  REQUIRE(node.hear(kParent, request(kLoadForAll)));
  (void)node.said<Request>(kLeft);
  REQUIRE(node.engine.contribute(node.next<Wanted>().session, number(1)));
  REQUIRE(node.hear(kLeft, part_of(kLeft, 2)));
  const auto part = node.said<PartView>(kParent);
  const auto result = encode_result(kNonce, part.marks, part.groups);
  REQUIRE(node.hear(kLeft, result));
  REQUIRE(node.hear(kOther, result));
  CHECK(node.silent());
  REQUIRE(node.hear(kParent, result));
  CHECK(node.said<ResultView>(kLeft).nonce == kNonce);
  CHECK(node.next<Told>().outcome.groups.at(0).value == Number{3});
  REQUIRE(node.hear(kParent, result));
  CHECK(node.silent());
  // Where nobody asked for that, nobody is told.
  const Nonce quiet{std::byte{8}};
  REQUIRE(node.hear(kParent, request(kLoad, quiet)));
  (void)node.said<Request>(kLeft);
  (void)node.next<Wanted>();
  REQUIRE(node.hear(kParent, encode_result(quiet, Marks{}, encode_groups({}, kLoad.operation))));
  CHECK(node.silent());
}

TEST_CASE("aggregation: a merge of one's own runs in the order of keys, own value first", "[convergecast]") {
  Node node;
  const Question words{"words", {Kind::custom, 0, "join"}, 4s, false};
  node.stands(kOwn, {kRight, kLeft});
  (void)node.engine.ask(words, node.now);
  CHECK(node.next<Finished>().outcome.error().is(Errc::not_supported));
  REQUIRE(node.engine.add_merge("join", [](ByteSpan a, ByteSpan b) -> std::optional<Bytes> {
    return to_bytes(std::string{as_text(a)} + "+" + std::string{as_text(b)});
  }));
  CHECK_FALSE(node.engine.add_merge("join", [](ByteSpan, ByteSpan) { return std::optional{Bytes{}}; }));
  (void)node.engine.ask(words, node.now);
  const auto asked = node.said<Request>(kLeft);
  (void)node.said<Request>(kRight);
  const auto wanted = node.next<Wanted>();
  const auto say = [&](const PublicKey& child, std::string_view text) {
    Marks marks;
    marks.contributed = 1;
    const auto groups = groups_of(child, words.operation, {{"", to_bytes(text)}}).value();
    return node.hear(child, encode_part(asked.nonce, marks, encode_groups(groups, words.operation)));
  };
  REQUIRE(say(kRight, "right"));
  CHECK(node.engine.stats().held_bytes > 0);
  REQUIRE(say(kLeft, "left"));
  REQUIRE(node.engine.contribute(wanted.session, {{"", to_bytes("own")}}));
  const auto outcome = node.next<Finished>().outcome.value();
  CHECK(as_text(outcome.groups.at(0).bytes) == "own+left+right");
  CHECK(outcome.contributed == 3);
  // A node below that does not know it declines.
  Node below;
  below.stands(kParent, {});
  REQUIRE(below.hear(kParent, request(words)));
  CHECK(below.said<Decline>(kParent).reason == Reason::unsupported);
}

TEST_CASE("aggregation: a malformed part makes its child missing, and is an error", "[convergecast]") {
  Node node;
  node.stands(kParent, {kLeft});
  REQUIRE(node.hear(kParent, request()));
  (void)node.said<Request>(kLeft);
  REQUIRE(node.engine.contribute(node.next<Wanted>().session, number(1)));
  Marks marks;
  marks.contributed = 1;
  CHECK_FALSE(node.hear(kLeft, encode_part(kNonce, marks, as_bytes("\x05"))));
  CHECK(node.said<PartView>(kParent).marks.missing_keys == std::vector{kLeft});
  CHECK_FALSE(node.hear(kLeft, to_bytes("nonsense")));
  CHECK(node.engine.stats().malformed == 2);
}

TEST_CASE("aggregation: tables are bounded, and full ones decline", "[convergecast]") {
  Config config;
  config.max_running = 3;
  config.max_sessions = 5;
  config.asks = {2, 4, 6};
  Node node{true, config};
  node.stands(kParent, {kLeft, kRight});
  for (unsigned i = 0; i < 4; ++i) {
    REQUIRE(node.hear(kParent, request(kLoad, Nonce{std::byte{9}, static_cast<std::byte>(i)})));
    if (i < 3) {
      (void)node.said<Request>(kLeft);
      (void)node.said<Request>(kRight);
      (void)node.next<Wanted>();
    }
  }
  CHECK(node.said<Decline>(kParent).reason == Reason::busy);
  CHECK(node.engine.stats().running == 3);
  for (unsigned i = 0; i < 5; ++i) {
    REQUIRE(node.hear(kLeft, encode(Ask{Token{static_cast<std::byte>(i)}, kLoad})));
    if (i < 4) (void)node.said<Ask>(kParent);
  }
  CHECK(node.said<AnswerView>(kLeft).status == Status::busy);
  REQUIRE(node.engine.ask(kLoad, node.now));
  (void)node.said<Ask>(kParent);
  REQUIRE(node.engine.ask(kLoad, node.now));
  (void)node.said<Ask>(kParent);
  CHECK(node.engine.ask(kLoad, node.now).error().is(Errc::limit_reached));
  REQUIRE(node.hear(kRight, encode(Ask{Token{std::byte{77}}, kLoad})));
  CHECK(node.said<AnswerView>(kRight).status == Status::busy);  // all together
  CHECK(node.engine.stats().asks == 6);
  CHECK(node.engine.stats().refused == 2);
}

TEST_CASE("aggregation: too deep in the tree there is no time left to ask", "[convergecast]") {
  Node node;
  node.stands(kParent, {kLeft});
  REQUIRE(node.hear(kParent, request(kLoad, kNonce, 30ms)));
  REQUIRE(node.engine.contribute(node.next<Wanted>().session, number(1)));
  CHECK(node.said<PartView>(kParent).marks.missing_keys == std::vector{kLeft});
}
