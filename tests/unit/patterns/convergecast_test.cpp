// Three real nodes in one process.
#include <algorithm>
#include <axl/convergecast.hpp>
#include <catch2/catch_test_macros.hpp>
#include <thread>
#include <utility>

#include "node_fixture.hpp"

using namespace axl;
using namespace axl::test;
using namespace std::chrono_literals;
using Kind = Operation::Kind;

namespace {

Result<Outcome> ask_and_wait(Convergecast& by, Question question) {
  const auto outcome = std::make_shared<Awaited<Result<Outcome>>>();
  by.ask(std::move(question), [outcome](Result<Outcome> got) { outcome->set(std::move(got)); });
  return outcome->get();
}

struct Three {
  std::unique_ptr<Node> nodes[3];
  std::unique_ptr<Convergecast> parts[3];

  Three() {
    nodes[0] = make_node(listening());
    nodes[1] = make_node(listening());
    nodes[2] = make_node(dialling(*nodes[1]));
    for (auto& node : nodes) REQUIRE(node->start());
    REQUIRE(nodes[1]->add_peer(nodes[0]->listeners().at(0)));
    for (int i = 0; i < 3; ++i) {
      parts[i] = *Convergecast::attach(*nodes[i], {.new_key = true});
      parts[i]->on_question([i](const Question& question) -> std::vector<Contribution> {
        if (question.name == "words") return {{"", to_bytes(std::string(1, static_cast<char>('a' + i)))}};
        if (question.name != "load") return {};
        return {{"", Number{(i + 1) * 100}}, {"node " + std::to_string(i), Number::from_double(0.5).value()}};
      });
    }
  }

  // While the tree forms, outcomes are of fewer nodes, and settling.
  Outcome whole(int by, const Question& question) {
    while (true) {
      auto outcome = ask_and_wait(*parts[by], question);
      if (outcome && outcome->contributed + outcome->abstained == 3) return *outcome;
    }
  }
};

}  // namespace

TEST_CASE("convergecast: the sum over three nodes is the sum of what they said, whoever asks", "[convergecast]") {
  Three three;
  for (int by = 0; by < 3; ++by) {
    const auto outcome = three.whole(by, {"load", {Kind::sum, 0, {}}, 2s, false});
    CHECK(outcome.missing == 0);
    REQUIRE(outcome.groups.size() == 4);
    CHECK(outcome.groups[0].group.empty());
    CHECK(outcome.groups[0].value == Number{600});
    CHECK(outcome.groups[0].count == 3);
    CHECK(outcome.groups[2].group == "node 1");
    CHECK(outcome.groups[2].value.to_double() == 0.5);
  }
  const auto nothing = three.whole(1, {"unknown", {Kind::max, 0, {}}, 2s, false});
  CHECK(nothing.groups.empty());
  CHECK(nothing.abstained == 3);
}

TEST_CASE("convergecast: one's own merge, and an outcome that is told to all", "[convergecast]") {
  std::vector<std::jthread> threads;  // started on one loop, and joined when that has gone
  Three three;
  auto told = std::make_shared<Awaited<Outcome>>();
  const Question question{"words", {Kind::custom, 0, "join"}, 2s, true};
  CHECK(ask_and_wait(*three.parts[0], {"", {Kind::sum, 0, {}}, 2s, false}).error().is(Errc::invalid_argument));
  const auto join = [](ByteSpan a, ByteSpan b) {
    auto all = to_bytes(a);
    all.insert(all.end(), b.begin(), b.end());
    std::sort(all.begin(), all.end());
    return std::optional{all};
  };
  REQUIRE(three.parts[0]->add_merge("join", join));
  REQUIRE(three.parts[1]->add_merge_slowly("join", [&](Bytes a, Bytes b, Convergecast::Merged merged) {
    threads.emplace_back([join, a = std::move(a), b = std::move(b), merged = std::move(merged)] { merged(join(a, b)); });
  }));
  REQUIRE(three.parts[2]->add_merge_slowly(
      "join", [&](const Bytes& a, const Bytes& b, const Convergecast::Merged& merged) { merged(join(a, b)); }));
  CHECK_FALSE(three.parts[2]->add_merge_slowly("none", {}));
  CHECK(three.parts[0]->add_merge("join", [](ByteSpan, ByteSpan) { return std::optional<Bytes>{}; }).error().is(
      Errc::already_exists));
  three.parts[2]->on_told([told, once = false](const Question& asked, const Outcome& outcome) mutable {
    if (asked.name == "words" && outcome.contributed == 3 && !std::exchange(once, true)) told->set(outcome);
  });
  const auto outcome = three.whole(0, question);
  REQUIRE(outcome.groups.size() == 1);
  CHECK(as_text(outcome.groups[0].bytes) == "abc");
  CHECK(as_text(told->get().groups.at(0).bytes) == "abc");
}

TEST_CASE("convergecast: a merge ends with the part that brought it", "[convergecast]") {
  Three three;
  const auto held = std::make_shared<int>(0);
  auto other = *Convergecast::attach(*three.nodes[0]);
  REQUIRE(other->add_merge("join", [held](ByteSpan first, ByteSpan) { return std::optional{to_bytes(first)}; }));
  CHECK(held.use_count() == 2);
  other.reset();
  CHECK(held.use_count() == 1);
}

TEST_CASE("convergecast: sessions of nodes that are neither parent nor child are closed", "[convergecast]") {
  Three three;
  (void)three.whole(0, {"load", {Kind::count, 0, {}}, 2s, false});
  const auto closed = std::make_shared<Awaited<bool>>();
  three.nodes[0]->connect(three.nodes[2]->key(), Convergecast::kPort, [closed](Result<Session> session) {
    if (!session) return closed->set(true);
    const auto kept = std::make_shared<Session>(*std::move(session));
    kept->on_closed([kept, closed](const Error*) { closed->set(true); });
  });
  CHECK(closed->get());
}

TEST_CASE("convergecast: a neighbour that opens sessions without end keeps the last few", "[convergecast]") {
  Three three;
  (void)three.whole(0, {"load", {Kind::count, 0, {}}, 2s, false});
  const auto closed = std::make_shared<Awaited<bool>>();
  auto first = connect_and_wait(*three.nodes[0], three.nodes[1]->key(), Convergecast::kPort);
  if (first) first->on_closed([closed](const Error*) { closed->set(true); });
  std::vector<Session> more;
  for (int i = 0; i < 8; ++i) {
    auto session = connect_and_wait(*three.nodes[0], three.nodes[1]->key(), Convergecast::kPort);
    if (session) more.push_back(*std::move(session));
  }
  if (first) CHECK(closed->get());
  // What is no body of ours ends its session.
  if (!more.empty()) {
    const auto ended = std::make_shared<Awaited<bool>>();
    more.back().on_closed([ended](const Error*) { ended->set(true); });
    REQUIRE(more.back().send_message(to_bytes("nonsense")));
    CHECK(ended->get());
  }
  CHECK(three.whole(0, {"load", {Kind::count, 0, {}}, 2s, false}).contributed == 3);
}

TEST_CASE("convergecast: parts of a program speak for their node in turn", "[convergecast]") {
  Three three;
  auto second = Convergecast::attach(*three.nodes[2]);
  REQUIRE(second);
  (*second)->on_question([](const Question& question) -> std::vector<Contribution> {
    if (question.name != "load" && question.name != "second") return {};
    return {{"", Number{7}}};
  });
  CHECK(three.whole(0, {"load", {Kind::sum, 0, {}}, 2s, false}).groups.at(0).value == Number{600});
  CHECK(three.whole(0, {"second", {Kind::sum, 0, {}}, 2s, false}).groups.at(0).value == Number{7});
  const auto outcome = ask_and_wait(**second, {"second", {Kind::count, 0, {}}, 2s, false});
  REQUIRE(outcome);
  CHECK(outcome->contributed == 1);
  three.parts[2].reset();
  CHECK(three.whole(0, {"load", {Kind::sum, 0, {}}, 2s, false}).groups.at(0).value == Number{307});
}

TEST_CASE("convergecast: nodes that are without are missing", "[convergecast]") {
  Three three;
  (void)three.whole(0, {"load", {Kind::count, 0, {}}, 2s, false});
  three.parts[2].reset();
  while (true) {
    const auto outcome = ask_and_wait(*three.parts[0], {"load", {Kind::count, 0, {}}, 500ms, false});
    if (!outcome) {  // it was the root
      CHECK(outcome.error().is(Errc::timed_out));
      break;
    }
    CHECK_FALSE(outcome->complete());
    CHECK(outcome->missing_keys == std::vector{three.nodes[2]->key()});
    if (outcome->missing == 1) break;
  }
}

TEST_CASE("convergecast: an answer may come later, from any thread, and counts once", "[convergecast]") {
  auto node = make_node(listening());
  REQUIRE(node->start());
  auto part = *Convergecast::attach(*node, {.new_key = true});
  const auto asked = std::make_shared<Awaited<Convergecast::Answer>>();
  part->on_question_slowly([asked](const Question&, Convergecast::Answer answer) { asked->set(std::move(answer)); });
  const auto outcome = std::make_shared<Awaited<Result<Outcome>>>();
  part->ask({"load", {Kind::sum, 0, {}}, 1min, false}, [outcome](Result<Outcome> got) { outcome->set(std::move(got)); });
  const auto answer = asked->get();
  answer({{"", Number{7}}});
  answer({{"", Number{8}}});
  CHECK(outcome->get()->groups.at(0).value == Number{7});
  part.reset();
  answer({});
  node.reset();
  answer({});
}
