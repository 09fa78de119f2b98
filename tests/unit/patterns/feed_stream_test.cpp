// A reader of `GET /pubsub/{topic}`, which may stop reading, in virtual time.
#include "patterns/feed_stream.hpp"

#include <catch2/catch_test_macros.hpp>

#include "crypto/base64.hpp"
#include "crypto/hash.hpp"
#include "http/server.hpp"
#include "http/sse.hpp"
#include "published.hpp"
#include "test_loop.hpp"

using namespace axl;
using namespace std::chrono_literals;
using axl::test::published;
using patterns::Feed;
using patterns::FeedStream;

namespace {

class LoopScheduler final : public Scheduler {
 public:
  Time now() const override { return loop.now(); }
  std::unique_ptr<Timer> make_timer(std::function<void()> fire) override { return loop.make_timer(std::move(fire)); }
  Executor& executor() override { return loop.executor(); }
  Rng& rng() override { return rng_; }
  test::TestLoop loop;

 private:
  crypto::SeededRng rng_{1};
};

class Rig final : public StreamHandler {
 public:
  /// Begins with the message `next` of those that are there `before`.
  explicit Rig(std::size_t before = 0, std::uint64_t next = 0, bool forgotten = false) {
    for (std::size_t i = 0; i < before; ++i) feed.add(published(i));
    auto [client, served] = scheduler.loop.make_pipe();
    reader = std::move(client);
    reader->set_handler(this);
    server = std::make_unique<http::Server>(http::ServerLimits{}, scheduler.executor(), [=, this](http::Exchange exchange) {
      stream = std::make_unique<FeedStream>(std::move(exchange), feed, next, scheduler, [this] {
        ++ended;
        stream.reset();
      });
      stream->start(forgotten);
    });
    server->accept(std::move(served), {}, scheduler.now());
    reader->write(Buffer::copy_of(as_bytes("GET /pubsub/t HTTP/1.0\r\nHost: localhost\r\n\r\n")));
    scheduler.loop.run();
  }
  ~Rig() {
    server.reset();
    scheduler.loop.run();
  }

  void on_data(Buffer data) override { received += as_text(data); }
  void on_end() override { over = true; }
  void on_closed(const Error*) override { over = true; }

  void add(PubSubMessage message) {
    feed.add(std::move(message));
    if (stream) stream->go_on();
    scheduler.loop.run();
  }
  /// Without the head; what came since the last call.
  std::string take() {
    auto text = std::exchange(received, {});
    const auto head = text.starts_with("HTTP/") ? text.find("\r\n\r\n") : std::string::npos;
    return head == std::string::npos ? text : text.substr(head + 4);
  }
  std::vector<http::SseEvent> events() {
    http::SseReader reading{64u << 20};
    REQUIRE(reading.feed(as_bytes(take())).ok());
    std::vector<http::SseEvent> out;
    while (auto event = reading.next()) out.push_back(*std::move(event));
    return out;
  }

  LoopScheduler scheduler;
  Feed feed;
  std::unique_ptr<FeedStream> stream;
  std::unique_ptr<http::Server> server;
  std::unique_ptr<Stream> reader;
  std::string received;
  int ended = 0;
  bool over = false;
};

std::string message_event(const PubSubMessage& message) {
  return "event: message\nid: " + message.id + "\ndata: {\"id\":\"" + message.id +
         R"(","topic":"a\"b","origin":")" + message.origin.to_hex() + R"(","signer":")" + message.signer.to_hex() +
         R"(","proved":true,"from":")" + message.from.to_hex() + R"(","hops":2,"size":)" + std::to_string(message.body.size()) +
         ",\"data\":\"" + crypto::to_base64(message.body) + "\"}\n\n";
}

std::uint64_t dropped_of(const http::SseEvent& event) {
  constexpr std::string_view kCount = R"({"count":)";
  REQUIRE(event.event == "dropped");
  REQUIRE(event.data.starts_with(kCount));
  return std::stoull(event.data.substr(kCount.size()));
}

}  // namespace

TEST_CASE("feed stream: the head says that it is events, to be kept by nobody", "[patterns]") {
  Rig rig;
  const auto head = rig.received.substr(0, rig.received.find("\r\n\r\n") + 2);
  CHECK(head.starts_with("HTTP/1.0 200 "));
  for (const auto* line : {"Content-Type: text/event-stream\r\n", "Cache-Control: no-store\r\n", "X-Accel-Buffering: no\r\n",
                           "X-Content-Type-Options: nosniff\r\n"}) {
    CHECK(head.find(line) != std::string::npos);
  }
  CHECK(rig.take().empty());
}

TEST_CASE("feed stream: each message is one event, whatever its size", "[patterns]") {
  Rig rig;
  for (const std::size_t size : {0u, 1u, 1'024u, 48u * 1'024, 48u * 1'024 + 1, 3u * 48 * 1'024, 1'048'576u}) {
    const auto message = published(size, size);
    rig.add(message);
    CHECK(rig.take() == message_event(message));
  }
  auto claimed = published(7);
  claimed.signer = {};
  rig.add(claimed);
  CHECK(rig.take().find(R"("signer":null,"proved":false)") != std::string::npos);
}

TEST_CASE("feed stream: it begins where it was told to, and says so when nobody knows what is missing", "[patterns]") {
  Rig behind{4, 2};
  CHECK(behind.take() == message_event(published(2)) + message_event(published(3)));
  Rig at_the_end{4, 4};
  CHECK(at_the_end.take().empty());
  at_the_end.add(published(4));
  CHECK(at_the_end.take() == message_event(published(4)));
  Rig forgotten{1, 0, true};
  CHECK(forgotten.take() == "event: dropped\ndata: {\"count\":null}\n\n" + message_event(published(0)));
}

TEST_CASE("feed stream: a reader that stops holds no more than its stream, and is told how many it has missed", "[patterns]") {
  Rig rig;
  rig.reader->pause_reading();
  constexpr std::size_t kMessages = 5'000;
  std::size_t most = 0;
  for (std::size_t i = 0; i < kMessages; ++i) {
    rig.add(published(i, 1'000));
    most = std::max(most, rig.scheduler.loop.last_pipe().in_flight(1));
  }
  CHECK(most < 72u * 1'024);  // the mark of the pipe, and an event
  rig.reader->resume_reading();
  rig.scheduler.loop.run();
  const auto events = rig.events();
  std::size_t expected = 0;
  std::size_t gaps = 0;
  for (const auto& event : events) {
    if (event.event == "dropped") {
      expected += dropped_of(event);
      ++gaps;
      continue;
    }
    CHECK(event.id == published(expected).id);
    ++expected;
  }
  CHECK(expected == kMessages);
  CHECK(gaps == 1);
  CHECK(events.size() < Feed::kMaxMessages + 100);
  rig.add(published(kMessages));
  CHECK(rig.take() == message_event(published(kMessages)));  // it is heard again at once
}

TEST_CASE("feed stream: an event that is begun is whole, though its message has gone meanwhile", "[patterns]") {
  Rig rig;
  rig.reader->pause_reading();
  const auto large = published(0, 1'000'000);
  rig.add(large);
  for (std::size_t i = 1; i <= 20; ++i) rig.add(published(i, 1'000'000));
  REQUIRE(rig.feed.begin() > 1);
  rig.reader->resume_reading();
  rig.scheduler.loop.run();
  const auto text = rig.take();
  const auto first = message_event(large);
  REQUIRE(text.starts_with(first));
  CHECK(text.substr(first.size()).starts_with("event: dropped\ndata: {\"count\":" + std::to_string(rig.feed.begin() - 1) + "}\n\n"));
  CHECK(text.ends_with(message_event(published(20, 1'000'000))));
}

TEST_CASE("feed stream: when all that was missed has gone, the gap is told and the next message follows", "[patterns]") {
  Rig rig;
  rig.reader->pause_reading();
  for (std::size_t i = 0; i < 300; ++i) rig.add(published(i, 1'000));
  while (rig.feed.begin() != rig.feed.end()) rig.feed.drop_first();
  rig.reader->resume_reading();
  rig.scheduler.loop.run();
  auto events = rig.events();
  REQUIRE_FALSE(events.empty());
  CHECK(dropped_of(events.back()) == 300 - (events.size() - 1));
  rig.add(published(300));
  CHECK(rig.take() == message_event(published(300)));
}

TEST_CASE("feed stream: a comment shows every fifteen seconds that it lives, never inside an event", "[patterns]") {
  Rig rig;
  rig.scheduler.loop.advance(14'999ms);
  CHECK(rig.take().empty());
  rig.scheduler.loop.advance(1ms);
  CHECK(rig.take() == ":\n\n");
  rig.scheduler.loop.advance(30s);
  CHECK(rig.take() == ":\n\n:\n\n");
  rig.reader->pause_reading();
  const auto large = published(1, 1'000'000);
  rig.add(large);
  rig.scheduler.loop.advance(10min);
  rig.reader->resume_reading();
  rig.scheduler.loop.run();
  CHECK(rig.take() == message_event(large));
}

TEST_CASE("feed stream: it ends after the event under way, and tells its owner once", "[patterns]") {
  SECTION("between events") {
    Rig rig;
    rig.stream->finish();
    rig.scheduler.loop.run();
    CHECK(rig.take().empty());
    CHECK(rig.over);
    CHECK(rig.ended == 1);
  }
  SECTION("inside one") {
    Rig rig;
    rig.reader->pause_reading();
    const auto large = published(1, 1'000'000);
    rig.add(large);
    rig.add(published(2));
    rig.stream->finish();
    rig.scheduler.loop.run();
    CHECK(rig.ended == 0);
    rig.reader->resume_reading();
    rig.scheduler.loop.run();
    CHECK(rig.take() == message_event(large));
    CHECK(rig.over);
    CHECK(rig.ended == 1);
  }
  SECTION("when the client sends no more") {
    Rig rig;
    rig.reader->shutdown_send();
    rig.scheduler.loop.run();
    CHECK(rig.ended == 1);
  }
  SECTION("when the client is gone, read or not") {
    Rig rig;
    rig.reader->pause_reading();
    for (std::size_t i = 0; i < 10; ++i) rig.add(published(i, 100'000));
    rig.reader.reset();
    rig.scheduler.loop.run();
    CHECK(rig.ended == 1);
    CHECK(rig.scheduler.loop.timers() == 0);
  }
}
