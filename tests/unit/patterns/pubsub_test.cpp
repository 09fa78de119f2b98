#include <axl/pubsub.hpp>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "node_fixture.hpp"

using namespace axl;
using namespace axl::test;

namespace {

// What handlers have seen, for a test that waits on it.
class Seen {
 public:
  void add(const PubSubMessage& message) {
    const std::lock_guard lock{mutex_};
    ++messages_[std::string{message.body.text()}];
    last_ = message;
    changed_.notify_all();
  }
  PubSubMessage wait_for(const std::string& text) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return messages_.contains(text); });
    return last_;
  }
  void wait_for(std::size_t count) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return messages_.size() >= count; });
  }
  std::size_t twice() {
    const std::lock_guard lock{mutex_};
    return static_cast<std::size_t>(std::ranges::count_if(messages_, [](const auto& entry) { return entry.second > 1; }));
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, int> messages_;
  PubSubMessage last_;
};

// Three nodes in a line: the ends have no link with each other.
struct Line {
  std::array<Seen, 3> seen;  // handlers write there until the parts are gone
  std::unique_ptr<Node> middle = make_node(listening());
  std::unique_ptr<Node> left = make_node(dialling(*middle));
  std::unique_ptr<Node> right = make_node(dialling(*middle));
  std::vector<Node*> nodes{left.get(), middle.get(), right.get()};
  std::vector<std::unique_ptr<PubSub>> parts;

  Line() {
    for (auto* node : nodes) {
      REQUIRE(node->start());
      auto part = PubSub::create(*node);
      REQUIRE(part);
      parts.push_back(*std::move(part));
    }
  }
  void subscribe(std::size_t node) {
    REQUIRE(parts[node]->subscribe("news", [this, node](const PubSubMessage& message) { seen[node].add(message); }));
  }
  void wait_for_mesh() {
    for (std::size_t node = 0; node < parts.size(); ++node) {
      while (true) {
        const auto topics = parts[node]->topics();
        if (!topics.empty() && !topics[0].mesh.empty()) break;
        std::this_thread::yield();  // topics() waits for the loop
      }
    }
  }
};

}  // namespace

TEST_CASE("pubsub of nodes: what one publishes, the others get, with the key that published it", "[pubsub]") {
  Line line;
  for (std::size_t node = 0; node < 3; ++node) line.subscribe(node);
  line.wait_for_mesh();
  REQUIRE(line.parts[0]->publish("news", MessageBody{to_bytes("from the left")}));
  for (const auto node : {1U, 2U}) {
    const auto message = line.seen[node].wait_for("from the left");
    CHECK(message.origin == line.left->key());
    CHECK(message.proved());
    CHECK(message.hops >= 1);
  }
  for (int i = 0; i < 300; ++i) {
    for (std::size_t node = 0; node < 3; ++node) {
      const auto text = "message " + std::to_string(i) + " of " + std::to_string(node);
      REQUIRE(line.parts[node]->publish("news", MessageBody{to_bytes(text)}));
    }
  }
  line.seen[0].wait_for(600);
  line.seen[1].wait_for(601);
  line.seen[2].wait_for(601);
  for (auto& seen : line.seen) CHECK(seen.twice() == 0);
  CHECK(line.parts[1]->statistics().published == 300);
  CHECK(line.parts[1]->statistics().delivered == 601);
}

TEST_CASE("pubsub of nodes: who comes later, or comes back, takes part", "[pubsub]") {
  Line line;
  for (std::size_t node = 0; node < 3; ++node) line.subscribe(node);
  line.wait_for_mesh();
  line.parts[2].reset();
  line.right->stop();
  line.right.reset();
  REQUIRE(line.parts[0]->publish("news", MessageBody{to_bytes("nobody right")}));
  line.seen[1].wait_for("nobody right");
  line.right = make_node(dialling(*line.middle));
  REQUIRE(line.right->start());
  line.parts[2] = *PubSub::create(*line.right);
  line.subscribe(2);
  line.wait_for_mesh();
  REQUIRE(line.parts[0]->publish("news", MessageBody{to_bytes("again")}));
  line.seen[2].wait_for("again");
  REQUIRE(line.parts[2]->publish("news", MessageBody{to_bytes("back")}));
  line.seen[0].wait_for("back");
}

TEST_CASE("pubsub of nodes: a validator decides what is delivered", "[pubsub]") {
  Line line;
  line.subscribe(0);
  line.subscribe(2);
  REQUIRE(line.parts[1]->subscribe(
      "news", [&](const PubSubMessage& message) { line.seen[1].add(message); },
      [](const PubSubMessage& message) {
        return message.body.text() == "dull" ? PubSubVerdict::ignore : PubSubVerdict::accept;
      }));
  line.wait_for_mesh();
  REQUIRE(line.parts[0]->publish("news", MessageBody{to_bytes("dull")}));
  REQUIRE(line.parts[0]->publish("news", MessageBody{to_bytes("good")}));
  line.seen[1].wait_for("good");
  CHECK(line.parts[1]->statistics().delivered == 1);
}

TEST_CASE("pubsub of nodes: a verdict may come later, from any thread, and one who rejects is enough", "[pubsub]") {
  std::mutex mutex;
  std::map<std::string, std::vector<PubSub::Decide>> asked;
  Line line;
  line.subscribe(0);
  for (int i = 0; i < 2; ++i) {
    REQUIRE(line.parts[1]->subscribe_judged(
        "news", [&](const PubSubMessage& message) { line.seen[1].add(message); },
        [&](const PubSubMessage& message, const PubSub::Decide& decide) {
          const std::lock_guard lock{mutex};
          asked[std::string{message.body.text()}].push_back(decide);
        }));
  }
  line.subscribe(2);
  line.wait_for_mesh();
  for (const auto* text : {"bad", "good"}) REQUIRE(line.parts[0]->publish("news", MessageBody{to_bytes(text)}));
  const auto judges = [&](const std::string& text) {
    while (true) {
      (void)line.parts[1]->topics();  // waits for the loop
      const std::lock_guard lock{mutex};
      if (asked[text].size() == 2) return asked[text];
    }
  };
  const auto bad = judges("bad");
  bad[0](PubSubVerdict::accept);
  bad[0](PubSubVerdict::accept);  // counts once
  CHECK(line.parts[1]->statistics().delivered == 0);
  bad[1](PubSubVerdict::reject);
  const auto good = judges("good");
  CHECK(line.parts[1]->statistics().delivered == 0);
  for (const auto& decide : good) decide(PubSubVerdict::accept);
  line.seen[1].wait_for("good");
  CHECK(line.parts[1]->statistics().delivered == 1);
  line.parts[1].reset();
  good[0](PubSubVerdict::reject);
}

TEST_CASE("pubsub of nodes: none after the node's end", "[pubsub]") {
  auto node = make_node();
  REQUIRE(node->start());
  auto part = PubSub::create(*node);
  REQUIRE(part);
  CHECK((*part)->publish("", MessageBody{}).error().is(Errc::invalid_argument));
  CHECK((*part)->publish("t", MessageBody{Bytes(1'048'577)}).error().is(Errc::too_large));
  CHECK_FALSE((*part)->subscribe("t", nullptr));
  // What waits for the loop is bounded, and there is room again when it has been published.
  Result<void> published;
  std::size_t taken = 0;
  std::promise<void> go;
  node->post([&] { go.get_future().wait(); });
  const MessageBody large{Bytes(1'048'576)};
  for (; taken < 100 && published; taken += published.ok() ? 1 : 0) published = (*part)->publish("t", large);
  CHECK(taken == 63);
  CHECK(published.error().is(Errc::would_block));
  go.set_value();
  CHECK((*part)->statistics().published == taken);
  CHECK((*part)->publish("t", large));
  const auto subscription = (*part)->subscribe("t", [](const PubSubMessage&) {});
  REQUIRE(subscription);
  CHECK((*part)->topics().size() == 1);
  (*part)->unsubscribe(*subscription);
  CHECK((*part)->topics().empty());
  part->reset();
  part = PubSub::create(*node);
  REQUIRE(part);
  node->stop();
  CHECK((*part)->publish("t", MessageBody{}).error().is(Errc::closed));
  CHECK((*part)->subscribe("t", [](const PubSubMessage&) {}).error().is(Errc::closed));
}

TEST_CASE("pubsub of nodes: parts of a program share one member of the mesh, and hear each other", "[pubsub]") {
  Line line;
  line.subscribe(0);
  line.subscribe(2);
  CHECK(PubSub::create(*line.left, {.max_body = 100}).error().is(Errc::already_exists));
  Seen second_seen;
  auto second = PubSub::create(*line.left, {.peers = {line.right->key()}});  // the ends need not know of each other
  REQUIRE(second);
  REQUIRE((*second)->subscribe("news", [&](const PubSubMessage& message) { second_seen.add(message); }));
  line.parts[1].reset();
  const auto has_only = [&](std::size_t node, const Node& other) {
    return line.parts[node]->topics().at(0).mesh == std::vector<PublicKey>{other.key()};
  };
  while (!has_only(0, *line.right) || !has_only(2, *line.left)) std::this_thread::yield();
  auto report = std::make_shared<Awaited<PubSubReport>>();
  REQUIRE((*second)->publish("news", MessageBody{to_bytes("of the second")},
                             [report](const PubSubReport& got) { report->set(got); }));
  const auto said = report->get();
  CHECK(said.peers == 1);
  const auto here = line.seen[0].wait_for("of the second");
  CHECK(here.id == said.id);
  CHECK(here.origin == line.left->key());
  CHECK(here.proved());
  CHECK(here.hops == 0);
  CHECK(line.seen[2].wait_for("of the second").id == here.id);
  REQUIRE(line.parts[0]->publish("news", MessageBody{to_bytes("of the first")}));
  second_seen.wait_for("of the first");
  CHECK(second_seen.twice() == 0);
  // What goes with one part stays with the other.
  line.parts[0].reset();
  CHECK((*second)->topics().size() == 1);
  REQUIRE(line.parts[2]->publish("news", MessageBody{to_bytes("for who is left")}));
  second_seen.wait_for("for who is left");
}

TEST_CASE("pubsub of nodes: a program that sends JSON messages takes part once that is wanted", "[pubsub]") {
  Seen seen;
  Awaited<std::string> heard;  // the first message, as it came
  auto ours = make_node(listening());
  auto theirs = make_node(dialling(*ours));
  theirs->router().on_message(
      [](const Message& message) { return message.body.text().find("\"MESSAGE\"") != std::string_view::npos; },
      [&](const Message& message) { heard.set(std::string{message.body.text()}); });
  REQUIRE(ours->start());
  REQUIRE(theirs->start());
  auto part = *PubSub::create(*ours);
  REQUIRE(part->subscribe("news", [&](const PubSubMessage& message) { seen.add(message); }));
  const auto say = [&](const std::string& text) {
    REQUIRE(send_and_wait(*theirs, ours->key(), MessageBody{to_bytes(text)}));
  };
  const auto queued = [&] {
    const auto size = std::make_shared<Awaited<std::size_t>>();
    ours->post([&node = *ours, size] { size->set(node.router().queue_stats().messages); });
    return size->get();
  };
  const std::string graft = R"({"type":"gossipsub","msg_type":"GRAFT","topic":"news"})";
  say(graft);
  CHECK(queued() == 1);
  CHECK(part->peers().empty());

  auto second = *PubSub::create(*ours, {.legacy = true});
  say(graft);
  const auto key = theirs->key().to_hex();
  say(R"({"type":"gossipsub","msg_type":"MESSAGE","topic":"news","msg_id":"00000000:000001","origin":")" + key +
      R"(","from":")" + key + R"(","hop":0,"data":"b2xk"})");
  const auto message = seen.wait_for("old");
  CHECK(message.origin == theirs->key());
  CHECK(message.signer == ours->key());
  CHECK_FALSE(message.proved());
  CHECK(queued() == 1);
  CHECK(part->topics().at(0).mesh == std::vector{theirs->key()});
  REQUIRE(part->publish("news", MessageBody{to_bytes("new")}));
  CHECK(heard.get().find(R"("data":"bmV3")") != std::string::npos);
}
