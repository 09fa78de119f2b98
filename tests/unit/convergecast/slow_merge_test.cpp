// Custom operations whose values are merged elsewhere, two at a time.
#include <catch2/catch_test_macros.hpp>

#include "convergecast/engine.hpp"
#include "crypto/hash.hpp"
#include "family.hpp"

using namespace axl;
using namespace axl::convergecast;
using namespace axl::test;
using namespace std::chrono_literals;
using Kind = Operation::Kind;

namespace {

const Question kWords{"words", {Kind::custom, 0, "join"}, 8s, false};
const Nonce kNonce{std::byte{1}};

// A node between a parent and two children, which have been asked; the budget is eight seconds.
struct Node {
  explicit Node(Config config = {}) : engine{config, kOwn, rng, now} {
    now += 1h;
    const std::vector children{kLeft, kRight};
    engine.on_tree(kParent, children, now);
    now += 1h;
    REQUIRE(engine.add_slow_merge("join"));
    REQUIRE(engine.on_message(kParent, encode(Request{kNonce, kWords.time, 8s, kWords}), now));
    (void)next<Send>();
    (void)next<Send>();
    wanted = next<Wanted>();
  }

  template <class T>
  T next() {
    auto output = engine.poll_output();
    REQUIRE(output);
    auto* typed = std::get_if<T>(&*output);
    REQUIRE(typed != nullptr);
    return std::move(*typed);
  }
  void say(const PublicKey& child, std::vector<Contribution> values) {
    Marks marks;
    marks.contributed = 1;
    const auto groups = groups_of(child, kWords.operation, values).value();
    REQUIRE(engine.on_message(child, encode_part(kNonce, marks, encode_groups(groups, kWords.operation)), now));
  }
  void contribute(std::vector<Contribution> values) { REQUIRE(engine.contribute(kNonce, values)); }
  /// What is to be merged, as "first second".
  std::string asked() {
    const auto merging = next<Merging>();
    CHECK(merging.merge == "join");
    CHECK(merging.session == kNonce);
    return std::string{as_text(merging.first)} + " " + std::string{as_text(merging.second)};
  }
  void merged(std::string_view text) { engine.on_merged(kNonce, to_bytes(text)); }
  void tick_until(Time end) {
    while (engine.next_tick() && *engine.next_tick() <= end) {
      now = *engine.next_tick();
      engine.on_tick(now);
    }
  }
  struct Said {
    Marks marks;
    std::map<std::string, std::string> groups;
  };
  /// To the parent; requests that are said again come before.
  Said said() {
    auto sent = next<Send>();
    while (sent.to != kParent) sent = next<Send>();
    const auto message = read_body(sent.body).value();
    const auto& part = std::get<PartView>(message);
    Said out{part.marks, {}};
    const auto groups = read_groups(part.groups, kWords.operation, part.marks);
    for (const auto& [name, group] : groups.value()) {
      out.groups[name] = as_text(group.bytes);
    }
    return out;
  }

  crypto::SeededRng rng{7};
  Time now{};
  Engine engine;
  Wanted wanted;
};

Contribution word(std::string_view text, std::string group = {}) { return {std::move(group), to_bytes(text)}; }

}  // namespace

TEST_CASE("slow merge: own value first, then the children by key, one pair after the other", "[convergecast]") {
  Node node;
  CHECK(node.engine.add_slow_merge("join").error().is(Errc::already_exists));
  CHECK_FALSE(node.engine.add_slow_merge(""));
  node.say(kRight, {word("right"), word("x", "g")});
  node.contribute({word("own")});
  CHECK_FALSE(node.engine.poll_output());
  node.say(kLeft, {word("left"), word("y", "g")});
  CHECK(node.asked() == "own left");
  CHECK_FALSE(node.engine.poll_output());
  node.merged("A");
  CHECK(node.asked() == "A right");
  node.merged("B");
  CHECK(node.asked() == "y x");  // a group that is new with the left one
  node.merged("C");
  const auto said = node.said();
  CHECK(said.groups == std::map<std::string, std::string>{{"", "B"}, {"g", "C"}});
  CHECK(said.marks.contributed == 3);
  CHECK(said.marks.missing == 0);
  CHECK(node.engine.stats().held_bytes > 0);  // the part, to be said again
  node.merged("late");
  CHECK_FALSE(node.engine.poll_output());
}

TEST_CASE("slow merge: a refusal leaves out the whole child, and goes on with the next", "[convergecast]") {
  Node node;
  node.say(kLeft, {word("left"), word("y", "g")});
  node.say(kRight, {word("right")});
  node.contribute({word("own"), word("z", "g")});
  CHECK(node.asked() == "own left");
  node.merged("A");
  CHECK(node.asked() == "z y");
  SECTION("of one that says so") { node.engine.on_merged(kNonce, std::nullopt); }
  SECTION("of one that makes too much of it") {
    node.engine.on_merged(kNonce, Bytes(kMaxAggregationBytes + 1));
  }
  CHECK(node.asked() == "own right");
  node.merged("B");
  const auto said = node.said();
  CHECK(said.groups == std::map<std::string, std::string>{{"", "B"}, {"g", "z"}});
  CHECK(said.marks.missing_keys == std::vector{kLeft});
  CHECK(said.marks.contributed == 2);
}

TEST_CASE("slow merge: what is not merged in time is missing, and the parent hears in time", "[convergecast]") {
  Node node;
  const auto begun = node.now;
  node.say(kLeft, {word("left")});
  node.say(kRight, {word("right")});
  node.contribute({word("own")});
  CHECK(node.asked() == "own left");
  node.merged("A");
  CHECK(node.asked() == "A right");
  node.tick_until(begun + 7999ms);
  CHECK_FALSE(node.engine.poll_output());
  node.tick_until(begun + 8s);
  const auto said = node.said();
  CHECK(said.groups == std::map<std::string, std::string>{{"", "A"}});
  CHECK(said.marks.missing_keys == std::vector{kRight});
  node.merged("too late");
  CHECK_FALSE(node.engine.poll_output());
}

TEST_CASE("slow merge: collecting ends early enough to merge what has come", "[convergecast]") {
  Node node;
  const auto begun = node.now;
  CHECK(node.wanted.until == begun + 7500ms);  // a child has until 7 s
  node.say(kLeft, {word("left")});
  node.contribute({word("own")});
  node.tick_until(begun + 7499ms);
  node.tick_until(begun + 7500ms);
  auto output = node.engine.poll_output();
  while (output && std::holds_alternative<Send>(*output)) output = node.engine.poll_output();  // asked again
  REQUIRE(output);
  CHECK(std::holds_alternative<Merging>(*output));
  node.say(kRight, {word("too late")});
  node.merged("A");
  const auto said = node.said();
  CHECK(said.groups == std::map<std::string, std::string>{{"", "A"}});
  CHECK(said.marks.missing_keys == std::vector{kRight});
  CHECK(node.now < begun + 8s);
}

TEST_CASE("slow merge: without own value and without children there is nothing to merge", "[convergecast]") {
  Node node;
  node.say(kLeft, {word("left")});
  const auto declined = encode(Decline{kNonce, Reason::taken});
  REQUIRE(node.engine.on_message(kRight, declined, node.now));
  node.contribute({});
  const auto said = node.said();
  CHECK(said.groups == std::map<std::string, std::string>{{"", "left"}});
  CHECK(said.marks.contributed == 1);
  CHECK(said.marks.abstained == 1);
  CHECK(said.marks.missing == 0);
}
