#include <catch2/catch_test_macros.hpp>

#include "node_fixture.hpp"

using namespace axl;
using namespace axl::test;

namespace {

struct Pair {
  std::unique_ptr<Node> server = make_node(listening());
  std::unique_ptr<Node> client = make_node(dialling(*server));

  Pair() {
    REQUIRE(server->start());
    REQUIRE(client->start());
  }
};

Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  std::uint32_t state = 12345;
  for (auto& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<std::byte>(state >> 24U);
  }
  return bytes;
}

}  // namespace

TEST_CASE("session: messages of many sizes come back as they went", "[session]") {
  Pair pair;
  REQUIRE(pair.server->listen(4000, [](Session session) {
    auto kept = std::make_shared<Session>(std::move(session));
    kept->on_message([kept](MessageBody body) { static_cast<void>(kept->send_message(std::move(body))); });
    kept->on_closed([kept](const Error*) {});
  }));
  auto session = connect_and_wait(*pair.client, pair.server->key(), 4000);
  REQUIRE(session);
  CHECK(session->peer() == pair.server->key());
  for (const std::size_t size : {0U, 1U, 1'000U, 16'384U, 100'000U, 3'000'000U}) {
    auto echoed = std::make_shared<Awaited<Bytes>>();
    session->on_message([echoed](const MessageBody& body) { echoed->set(to_bytes(body)); });
    REQUIRE(session->send_message(pattern(size)));
    CHECK(echoed->get() == pattern(size));
  }
}

TEST_CASE("session: a byte stream is ended half by half", "[session]") {
  Pair pair;
  REQUIRE(pair.server->listen(4000, [](Session session) {
    struct Summing {
      Session session;
      std::size_t count = 0;
    };
    auto state = std::make_shared<Summing>();
    state->session = std::move(session);
    state->session.on_data([state](const Bytes& data) { state->count += data.size(); });
    state->session.on_end([state] {
      static_cast<void>(state->session.write(to_bytes(std::to_string(state->count))));
      state->session.close();
    });
    state->session.on_closed([state](const Error*) {});
  }));
  auto session = connect_and_wait(*pair.client, pair.server->key(), 4000);
  REQUIRE(session);
  Awaited<std::string> answer;
  std::string collected;
  session->on_data([&](const Bytes& data) { collected += as_text(data); });
  session->on_end([&] { answer.set(collected); });
  for (auto i = 0; i < 100; ++i) REQUIRE(session->write(pattern(10'000)));
  session->finish();
  CHECK(answer.get() == "1000000");
  CHECK_FALSE(session->write(to_bytes("too late")));
}

TEST_CASE("session: bytes that others share are written as they are, and let go of once they have left", "[session]") {
  Pair pair;
  auto echoed = std::make_shared<Awaited<bool>>();
  const auto shared = std::make_shared<const Bytes>(pattern(300'000));
  REQUIRE(pair.server->listen(4000, [echoed, shared](Session session) {
    auto kept = std::make_shared<Session>(std::move(session));
    auto collected = std::make_shared<Bytes>();
    kept->on_data([collected](const Bytes& data) { collected->insert(collected->end(), data.begin(), data.end()); });
    kept->on_end([collected, echoed, shared] { echoed->set(*collected == *shared); });
    kept->on_closed([kept](const Error*) {});
  }));
  auto session = connect_and_wait(*pair.client, pair.server->key(), 4000);
  REQUIRE(session);
  auto let_go = std::make_shared<Awaited<bool>>();
  {
    const std::shared_ptr<const void> owner{shared.get(), [let_go](const void*) { let_go->set(true); }};
    REQUIRE(session->write(MessageBody{owner, *shared}));
  }
  session->finish();
  CHECK(echoed->get());
  CHECK(let_go->get());
}

TEST_CASE("session: the peer hears of it when the node at the other end is stopped, and need not find out by itself",
          "[session]") {
  for (const std::size_t unsent : {0U, 30'000'000U}) {
    Pair pair;
    Awaited<bool> accepted;
    Awaited<bool> ended;
    Session far;
    REQUIRE(pair.server->listen(4000, [&](Session session) {
      far = std::move(session);
      far.on_data([](const Bytes&) {});  // the end comes after what is unread
      far.on_closed([&](const Error* error) { ended.set(error != nullptr); });
      accepted.set(true);
    }));
    auto session = connect_and_wait(*pair.client, pair.server->key(), 4000);
    REQUIRE(session);
    CHECK(accepted.get());
    if (unsent > 0) REQUIRE(session->write(Bytes(unsent)));
    pair.client->stop();
    CHECK(ended.get());  // Awaited gives up long before TCP does
  }
}

TEST_CASE("session: a port that nobody listens on refuses", "[session]") {
  Pair pair;
  const auto session = connect_and_wait(*pair.client, pair.server->key(), 4999);
  REQUIRE_FALSE(session);
  CHECK(session.error().is(Errc::refused));
}

TEST_CASE("session: a message longer than the receiver allows ends it with an error", "[session]") {
  Pair pair;
  auto closed = std::make_shared<Awaited<bool>>();
  REQUIRE(pair.server->listen(4000, [closed](Session session) {
    auto kept = std::make_shared<Session>(std::move(session));
    kept->on_message([](const MessageBody&) {}, 1'000);
    kept->on_closed(
        [kept, closed](const Error* error) { closed->set(error != nullptr && error->is(Errc::too_large)); });
  }));
  auto session = connect_and_wait(*pair.client, pair.server->key(), 4000);
  REQUIRE(session);
  REQUIRE(session->send_message(Bytes(1'001)));
  CHECK(closed->get());
}

TEST_CASE("session: a writer on a thread of its own hears each time that there is room again", "[session]") {
  Pair pair;
  auto received = std::make_shared<Awaited<std::size_t>>();
  constexpr std::size_t kMessages = 40'000;
  REQUIRE(pair.server->listen(4000, [received](Session session) {
    auto kept = std::make_shared<Session>(std::move(session));
    auto count = std::make_shared<std::size_t>(0);
    kept->on_message([received, count](const MessageBody&) {
      if (++*count == kMessages) received->set(*count);
    });
    kept->on_closed([kept](const Error*) {});
  }));
  auto session = connect_and_wait(*pair.client, pair.server->key(), 4000);
  REQUIRE(session);
  std::mutex lock;
  std::condition_variable told;
  std::size_t times = 0;
  session->on_writable([&] {
    const std::lock_guard held{lock};
    ++times;
    told.notify_all();
  });
  std::size_t waits = 0;
  for (std::size_t i = 0; i < kMessages; ++i) {
    std::unique_lock held{lock};
    // As the header has it: congested, then on_writable, and nothing else.
    for (auto before = times; session->congested(); before = times, ++waits) {
      told.wait(held, [&] { return times != before; });
    }
    held.unlock();
    REQUIRE(session->send_message(pattern(1'000)));
  }
  CHECK(received->get() == kMessages);
  CHECK(waits > 0);
  session->on_writable({});
}

TEST_CASE("session: a reader that pauses holds the writer back and loses nothing", "[session]") {
  Pair pair;
  auto accepted = std::make_shared<Awaited<std::shared_ptr<Session>>>();
  auto total = std::make_shared<std::size_t>(0);
  auto done = std::make_shared<Awaited<std::size_t>>();
  REQUIRE(pair.server->listen(4000, [=](Session session) {
    auto kept = std::make_shared<Session>(std::move(session));
    kept->pause();
    kept->on_data([total](const Bytes& data) { *total += data.size(); });
    kept->on_end([total, done] { done->set(*total); });
    kept->on_closed([kept](const Error*) {});
    accepted->set(kept);
  }));
  auto session = connect_and_wait(*pair.client, pair.server->key(), 4000);
  REQUIRE(session);
  constexpr std::size_t kChunk = 1'000'000;
  std::size_t written = 0;
  while (session->write(Bytes(kChunk))) written += kChunk;  // until the session takes no more
  CHECK(written >= 32 * kChunk);
  session->finish();
  accepted->get()->resume();
  CHECK(done->get() == written);
}
