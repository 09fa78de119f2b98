#include "router/receive_queue.hpp"

#include <catch2/catch_test_macros.hpp>

#include "peers.hpp"

using axl::Message;
using axl::router::ReceiveQueue;
using axl::router::Refusal;
using axl::test::peer;

namespace {

Message message(unsigned char from, std::string_view body) {
  Message out;
  out.sender = peer(from);
  out.body = axl::MessageBody{axl::to_bytes(body)};
  return out;
}

void must_offer(ReceiveQueue& queue, unsigned char from, std::string_view body) {
  auto offered = message(from, body);
  REQUIRE_FALSE(queue.offer(offered));
}

std::string take_text(ReceiveQueue& queue) {
  const auto taken = queue.take();
  if (!taken) return "(none)";
  const auto message = queue.commit(taken->id);
  return message ? std::string{message->body.text()} : "(gone)";
}

template <class Event>
const Event* as(const std::optional<ReceiveQueue::Event>& event) {
  return event ? std::get_if<Event>(&*event) : nullptr;
}

}  // namespace

TEST_CASE("receive queue: first in, first out", "[router]") {
  ReceiveQueue queue{{}};
  CHECK_FALSE(queue.take());
  must_offer(queue, 1, "a");
  must_offer(queue, 2, "");
  must_offer(queue, 1, "c");
  CHECK(take_text(queue) == "a");
  CHECK(take_text(queue).empty());
  CHECK(take_text(queue) == "c");
  CHECK(take_text(queue) == "(none)");
  CHECK(queue.bytes() == 0);
}

TEST_CASE("receive queue: what a reader did not get goes back to its place", "[router]") {
  ReceiveQueue queue{{}};
  for (const auto* body : {"a", "b", "c"}) must_offer(queue, 1, body);
  const auto a = queue.take();
  const auto b = queue.take();
  REQUIRE((a && b));
  CHECK(queue.messages() == 3);
  CHECK(queue.in_delivery() == 2);
  queue.put_back(b->id);
  queue.put_back(a->id);
  CHECK(take_text(queue) == "a");
  CHECK(take_text(queue) == "b");
  CHECK(take_text(queue) == "c");
}

TEST_CASE("receive queue: a refused message stays with its sender and nothing older is dropped", "[router]") {
  ReceiveQueue queue{{.max_messages = 8, .max_bytes = 1U << 20U}};
  must_offer(queue, 1, "1");
  must_offer(queue, 1, "2");
  auto third = message(1, "3");
  CHECK(queue.offer(third) == Refusal::peer_share);
  CHECK(third.body.text() == "3");
  for (unsigned char from = 2; from <= 4; ++from) {
    must_offer(queue, from, "x");
    must_offer(queue, from, "y");
  }
  auto ninth = message(5, "9");
  CHECK(queue.offer(ninth) == Refusal::full);
  CHECK(take_text(queue) == "1");
  CHECK_FALSE(queue.offer(ninth));
}

TEST_CASE("receive queue: bytes are bounded too, and what is in delivery still counts", "[router]") {
  const std::string big(1'000, 'x');
  ReceiveQueue queue{{.max_messages = 100, .max_bytes = 4 * 1'000}};
  must_offer(queue, 1, big);
  auto more = message(1, big);
  CHECK(queue.offer(more) == Refusal::peer_share);
  const auto taken = queue.take();
  REQUIRE(taken);
  CHECK(queue.offer(more) == Refusal::peer_share);
  queue.commit(taken->id);
  CHECK_FALSE(queue.offer(more));
}

TEST_CASE("receive queue: many empty messages do not get around the byte limit", "[router]") {
  ReceiveQueue queue{{.max_messages = 1'000'000, .max_bytes = 100 * ReceiveQueue::kOverhead}};
  std::size_t accepted = 0;
  for (unsigned char from = 1; from <= 10; ++from) {
    for (int i = 0; i < 100; ++i) {
      auto empty = message(from, "");
      if (!queue.offer(empty)) ++accepted;
    }
  }
  CHECK(accepted == 100);
}

TEST_CASE("receive queue: half stays free for favoured peers", "[router]") {
  ReceiveQueue queue{{.max_messages = 16}};
  queue.favour(peer(9));
  for (unsigned char from = 1; from <= 2; ++from) {
    for (int i = 0; i < 4; ++i) must_offer(queue, from, "x");
  }
  auto stranger = message(3, "x");
  CHECK(queue.offer(stranger) == Refusal::full);
  must_offer(queue, 9, "friend");
}

TEST_CASE("receive queue: waiting readers are served in the order they came", "[router]") {
  ReceiveQueue queue{{}};
  const auto first = queue.wait_for_message();
  const auto second = queue.wait_for_message();
  const auto third = queue.wait_for_message();
  CHECK_FALSE(queue.has_event());
  must_offer(queue, 1, "a");
  CHECK(queue.has_event());
  auto event = queue.poll_event();
  REQUIRE(as<ReceiveQueue::ReaderReady>(event));
  CHECK(as<ReceiveQueue::ReaderReady>(event)->reader == first);
  CHECK(take_text(queue) == "a");
  CHECK_FALSE(queue.poll_event());
  queue.stop_waiting(second);
  must_offer(queue, 1, "b");
  event = queue.poll_event();
  REQUIRE(as<ReceiveQueue::ReaderReady>(event));
  CHECK(as<ReceiveQueue::ReaderReady>(event)->reader == third);
}

TEST_CASE("receive queue: a lease is given back or confirmed by its number", "[router]") {
  ReceiveQueue queue{{}};
  must_offer(queue, 1, "a");
  const auto id = queue.take()->id;
  CHECK_FALSE(queue.confirm(id, 1));  // in delivery, never leased
  CHECK(queue.lease(id, axl::Time{std::chrono::seconds{30}}) == 1);
  CHECK(queue.lease(id, axl::Time{std::chrono::seconds{40}}) == 0);  // it is leased already
  CHECK_FALSE(queue.give_back(id, 2));
  CHECK(queue.give_back(id, 1));
  CHECK_FALSE(queue.give_back(id, 1));
  CHECK(queue.leased() == 0);
  CHECK(queue.take()->id == id);
  CHECK(queue.lease(id, axl::Time{std::chrono::seconds{30}}) == 2);
  CHECK_FALSE(queue.give_back(id, 1));  // that one is over
  CHECK_FALSE(queue.confirm(id, 0));
  CHECK_FALSE(queue.confirm(id, 3));
  CHECK(queue.confirm(id, 1));  // late, and all the same
  CHECK_FALSE(queue.confirm(id, 2));
  CHECK(queue.messages() == 0);
  CHECK_FALSE(queue.next_expiry());
}

TEST_CASE("receive queue: a message put back wakes the next reader", "[router]") {
  ReceiveQueue queue{{}};
  must_offer(queue, 1, "a");
  const auto taken = queue.take();
  const auto reader = queue.wait_for_message();
  CHECK_FALSE(queue.poll_event());
  queue.put_back(taken->id);
  const auto event = queue.poll_event();
  REQUIRE(as<ReceiveQueue::ReaderReady>(event));
  CHECK(as<ReceiveQueue::ReaderReady>(event)->reader == reader);
}

TEST_CASE("receive queue: a waiting writer is told when its message has room, not before", "[router]") {
  ReceiveQueue queue{{.max_messages = 4}};
  must_offer(queue, 1, "a");
  must_offer(queue, 2, "b");
  must_offer(queue, 3, "c");
  must_offer(queue, 4, "d");
  const auto same_peer = queue.wait_for_room(peer(2), 1);
  const auto other = queue.wait_for_room(peer(5), 1);
  CHECK_FALSE(queue.poll_event());
  take_text(queue);  // of peer 1: room for one, but peer 2 still holds its share
  auto event = queue.poll_event();
  REQUIRE(as<ReceiveQueue::WriterReady>(event));
  CHECK(as<ReceiveQueue::WriterReady>(event)->writer == other);
  must_offer(queue, 5, "e");
  CHECK_FALSE(queue.poll_event());
  take_text(queue);
  event = queue.poll_event();
  REQUIRE(as<ReceiveQueue::WriterReady>(event));
  CHECK(as<ReceiveQueue::WriterReady>(event)->writer == same_peer);
  CHECK_FALSE(queue.has_event());
}

TEST_CASE("receive queue: topics are named to others only when somebody here has read them", "[router]") {
  ReceiveQueue queue{{}};
  const auto offer = [&](std::string topic) {
    Message message;
    message.topic = std::move(topic);
    CHECK_FALSE(queue.offer(message));
  };
  offer("");
  offer("a");
  offer("a");
  offer("b");
  REQUIRE(queue.read_topics().size() == 1);
  CHECK(queue.read_topics()[0].topic.empty());
  CHECK(queue.read_topics()[0].messages == 1);
  const auto taken = queue.take({.topic = "a"});
  REQUIRE(taken);
  queue.stop_waiting(queue.wait_for_message({.topic = "c"}));
  const auto topics = queue.read_topics();
  REQUIRE(topics.size() == 3);
  CHECK(topics[1].topic == "a");
  CHECK(topics[1].messages == 1);
  CHECK(topics[2].topic == "c");
  CHECK(topics[2].messages == 0);
  for (int i = 0; i < 100; ++i) CHECK_FALSE(queue.take({.topic = "t" + std::to_string(i)}));
  CHECK(queue.read_topics().size() == 1 + ReceiveQueue::kReadTopics);
}
