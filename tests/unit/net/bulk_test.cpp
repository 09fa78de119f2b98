#include <algorithm>
#include <asio/post.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "crypto/hash.hpp"
#include "net/tls_worker.hpp"
#include "net_support.hpp"

using namespace axl;
using namespace axl::test;

namespace {

net::StreamOptions elsewhere() {
  auto options = net::StreamOptions::for_links();
  options.bulk_elsewhere = net::BulkElsewhere::always;
  return options;
}

std::uint64_t batches(asio::io_context& loop) { return asio::use_service<net::TlsWorker>(loop).batches(); }

std::size_t below(Rng& rng, std::size_t bound) {
  std::array<std::byte, 4> bytes{};
  rng.fill(bytes);
  std::size_t number = 0;
  for (const auto byte : bytes) number = number * 256 + std::to_integer<std::size_t>(byte);
  return number % bound;
}

// In pieces of up to `most` bytes, all at once.
void write_all(Stream& stream, ByteSpan bytes, std::size_t most, Rng& rng) {
  while (!bytes.empty()) {
    const auto size = std::min(bytes.size(), 1 + below(rng, most));
    stream.write(Buffer::copy_of(bytes.first(size)));
    bytes = bytes.subspan(size);
  }
}

// Writes while the stream has room, as links do.
class Writer final : public Recorder {
 public:
  Writer(Stream& stream, ByteSpan bytes, ByteSpan expect) : Recorder{expect}, stream_{stream}, rest_{bytes} {}
  void go_on() {
    while (!rest_.empty() && stream_.unsent() < stream_.high_mark()) {
      const auto size = std::min<std::size_t>(rest_.size(), 16'400);
      stream_.write(Buffer::copy_of(rest_.first(size)));
      rest_ = rest_.subspan(size);
    }
  }
  void on_writable() override {
    Recorder::on_writable();
    go_on();
  }
  void on_drained() override {
    Recorder::on_drained();
    go_on();
  }
  [[nodiscard]] bool written() const { return rest_.empty(); }

 private:
  Stream& stream_;
  ByteSpan rest_;
};

}  // namespace

TEST_CASE("bulk elsewhere: both directions at once, by two streams that share the thread", "[net][threads]") {
  asio::io_context loop{ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  const auto there = pattern(5'000'000, 1);
  const auto back = pattern(5'000'000, 2);
  const auto pair = make_pair(Kind::tls, loop, elsewhere());
  Writer one{*pair.dialled, there, back};
  Writer two{*pair.accepted, back, there};
  pair.dialled->set_handler(&one);
  pair.accepted->set_handler(&two);
  one.go_on();
  two.go_on();
  REQUIRE(run_until(loop, [&] { return one.received == back.size() && two.received == there.size(); }));
  CHECK_FALSE(one.differs);
  CHECK_FALSE(two.differs);
  REQUIRE(run_until(loop, [&] { return pair.dialled->unsent() == 0 && pair.accepted->unsent() == 0; }));
  CHECK(pair.dialled->counters().sent_bytes == there.size());
  CHECK(pair.dialled->counters().received_bytes == back.size());
  CHECK(batches(loop) > 10);
}

TEST_CASE("bulk elsewhere: pieces of all sizes keep their order", "[net][threads]") {
  asio::io_context loop{ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  crypto::SeededRng rng{3};
  const auto bytes = pattern(4'000'000, 3);
  const auto pair = make_pair(Kind::tls, loop, elsewhere());
  Recorder reads{bytes};
  pair.accepted->set_handler(&reads);
  for (ByteSpan rest{bytes}; !rest.empty();) {
    const auto some = std::min(rest.size(), 1 + below(rng, 600'000));
    write_all(*pair.dialled, rest.first(some), below(rng, 2) == 0 ? 100 : 90'000, rng);
    rest = rest.subspan(some);
    if (below(rng, 3) == 0) pair.dialled->flush();
    for (auto turns = below(rng, 20); turns > 0; --turns) loop.poll_one();
    loop.restart();
  }
  REQUIRE(run_until(loop, [&] { return reads.received == bytes.size(); }));
  CHECK_FALSE(reads.differs);
  CHECK(batches(loop) > 2);
}

TEST_CASE("bulk elsewhere: what a batch holds is unsent until the kernel has it", "[net][threads]") {
  asio::io_context loop{ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  const auto pair = make_pair(Kind::tls, loop, elsewhere());
  Recorder writes;
  Recorder reads;
  pair.dialled->set_handler(&writes);
  pair.accepted->set_handler(&reads);
  auto& dialled = static_cast<net::TlsStream&>(*pair.dialled);
  REQUIRE(run_until(loop, [&] { return dialled.opened(); }));
  pair.dialled->write(Buffer{300'000});
  REQUIRE(batches(loop) == 1);
  CHECK(pair.dialled->unsent() == 300'000);
  CHECK(pair.dialled->counters().sent_bytes == 0);
  pair.dialled->write(Buffer{100});
  CHECK(pair.dialled->unsent() == 300'100);
  REQUIRE(run_until(loop, [&] { return writes.drained > 0 && reads.received == 300'100; }));
  CHECK(pair.dialled->unsent() == 0);
  CHECK(pair.dialled->counters().sent_bytes == 300'100);
}

TEST_CASE("bulk elsewhere: little goes as ever, without a second thread", "[net][threads]") {
  asio::io_context loop{ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  const auto pair = make_pair(Kind::tls, loop, elsewhere());
  Recorder reads;
  pair.accepted->set_handler(&reads);
  for (std::size_t i = 1; i <= 50; ++i) {
    pair.dialled->write(Buffer{40'000});
    REQUIRE(run_until(loop, [&] { return reads.received == i * 40'000; }));
  }
  CHECK(batches(loop) == 0);
}

TEST_CASE("bulk elsewhere: plain TCP has nothing to do there", "[net][threads]") {
  asio::io_context loop{ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  const auto pair = make_pair(Kind::tcp, loop, elsewhere());
  Recorder reads;
  pair.accepted->set_handler(&reads);
  pair.dialled->write(Buffer{1'000'000});
  REQUIRE(run_until(loop, [&] { return reads.received == 1'000'000; }));
  CHECK(batches(loop) == 0);
}

TEST_CASE("bulk elsewhere: close() delivers all that was written", "[net][threads]") {
  asio::io_context loop{ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  const auto bytes = pattern(5'000'000, 4);
  const auto pair = make_pair(Kind::tls, loop, elsewhere());
  Recorder writes;
  Recorder reads{bytes};
  pair.dialled->set_handler(&writes);
  pair.accepted->set_handler(&reads);
  crypto::SeededRng rng{4};
  write_all(*pair.dialled, bytes, 60'000, rng);
  pair.dialled->close();
  REQUIRE(run_until(loop, [&] { return reads.ended; }));
  CHECK(reads.received == bytes.size());
  CHECK_FALSE(reads.differs);
  pair.accepted->close();
  REQUIRE(run_until(loop, [&] { return writes.closed != 0 && reads.closed != 0; }));
  CHECK_FALSE(writes.failure);
  CHECK_FALSE(reads.failure);
}

TEST_CASE("bulk elsewhere: the key changes in the middle of it", "[net][threads]") {
  asio::io_context loop{ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  const auto there = pattern(4'000'000, 5);
  const auto back = pattern(4'000'000, 6);
  auto [first, second] = connected_sockets(loop, loop);
  net::TlsStream::Setup setup;
  setup.stream = elsewhere();
  setup.records_per_key = 3;
  net::TlsStream dialled{std::move(first), test_dialler_context(), setup};
  net::TlsStream accepted{std::move(second), test_listener_context(), setup};
  Writer one{dialled, there, back};
  Writer two{accepted, back, there};
  dialled.set_handler(&one);
  accepted.set_handler(&two);
  one.go_on();
  two.go_on();
  REQUIRE(run_until(loop, [&] { return one.received == back.size() && two.received == there.size(); }));
  CHECK_FALSE(one.differs);
  CHECK_FALSE(two.differs);
  CHECK(batches(loop) > 4);
}

TEST_CASE("bulk elsewhere: a reader that pauses gets nothing meanwhile, and all of it later", "[net][threads]") {
  asio::io_context loop{ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  const auto bytes = pattern(4'000'000, 7);
  const auto pair = make_pair(Kind::tls, loop, elsewhere());
  Writer writes{*pair.dialled, bytes, {}};
  Recorder reads{bytes};
  bool paused = false;
  int intruded = 0;
  reads.hook = [&](ByteSpan) {
    if (paused) ++intruded;
    if (reads.received % 5 != 0) return;
    paused = true;
    pair.accepted->pause_reading();
    asio::post(loop, [&] {
      asio::post(loop, [&] {
        paused = false;
        pair.accepted->resume_reading();
      });
    });
  };
  pair.dialled->set_handler(&writes);
  pair.accepted->set_handler(&reads);
  writes.go_on();
  REQUIRE(run_until(loop, [&] { return reads.received == bytes.size() && !paused; }));
  CHECK_FALSE(reads.differs);
  CHECK(intruded == 0);
  CHECK(batches(loop) > 4);
}

TEST_CASE("bulk elsewhere: the end of a stream may come at any moment", "[net][threads]") {
  enum class Way : std::uint8_t { abort, destroy, close, detach_reader, loop_ends };
  const auto way = GENERATE(Way::abort, Way::destroy, Way::close, Way::detach_reader, Way::loop_ends);
  crypto::SeededRng rng{100 + static_cast<std::uint64_t>(way)};
  const auto bytes = pattern(1'200'000, 8);
  std::uint64_t helped = 0;
  for (int round = 0; round < 15; ++round) {
    auto loop = std::make_unique<asio::io_context>(ASIO_CONCURRENCY_HINT_UNSAFE_IO);
    auto pair = make_pair(Kind::tls, *loop, elsewhere());
    Writer one{*pair.dialled, bytes, bytes};
    Writer two{*pair.accepted, bytes, bytes};
    pair.dialled->set_handler(&one);
    pair.accepted->set_handler(&two);
    one.go_on();
    two.go_on();
    const auto wanted = below(rng, bytes.size() * 3 / 4);
    REQUIRE(run_until(*loop, [&] { return two.received >= wanted; }));
    for (auto turns = below(rng, 10); turns > 0; --turns) loop->poll_one();
    helped += batches(*loop);
    if (way == Way::loop_ends) {
      pair.dialled.reset();
      pair.accepted.reset();
      loop.reset();
      continue;
    }
    if (way == Way::abort) pair.dialled->abort();
    if (way == Way::destroy) pair.dialled.reset();
    if (way == Way::close) pair.dialled->close();
    if (way == Way::detach_reader) {
      pair.accepted.reset();
      REQUIRE(run_until(*loop, [&] { return one.closed == 1; }));
      continue;
    }
    // What close() leaves to be sent is sent; everything else breaks off.
    REQUIRE(run_until(*loop, [&] { return two.closed == 1 || two.ended; }));
    CHECK_FALSE(two.differs);
    if (way == Way::abort) REQUIRE(run_until(*loop, [&] { return one.closed == 1; }));
    if (way != Way::close) CHECK(two.failure);
  }
  CHECK(helped > 15);
}

TEST_CASE("bulk elsewhere: what the other end said before it went is handed up", "[net][threads]") {
  asio::io_context loop{ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  for (int round = 0; round < 8; ++round) {
    const auto bytes = pattern(900'000, 9);
    auto pair = make_pair(Kind::tls, loop, elsewhere());
    Recorder last_words{bytes};
    Recorder sends;
    pair.accepted->set_handler(&last_words);
    pair.dialled->set_handler(&sends);
    crypto::SeededRng rng{static_cast<std::uint64_t>(round)};
    write_all(*pair.dialled, bytes, 90'000, rng);
    pair.dialled->close();
    REQUIRE(run_until(loop, [&] { return pair.dialled->unsent() == 0; }));
    REQUIRE(run_until(loop, [&] { return last_words.received > 0; }));
    pair.dialled.reset();  // what comes now is answered with a reset
    pair.accepted->write(Buffer{2'000'000});
    REQUIRE(run_until(loop, [&] { return last_words.closed == 1; }));
    CHECK_FALSE(last_words.differs);
  }
}

TEST_CASE("bulk elsewhere: a loop without sockets to wait for still waits for its batch", "[net][threads]") {
  asio::io_context loop{ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  auto pair = make_pair(Kind::tls, loop, elsewhere());
  REQUIRE(run_until(loop, [&] {
    return static_cast<net::TlsStream&>(*pair.dialled).opened() &&
           static_cast<net::TlsStream&>(*pair.accepted).opened();
  }));
  pair.dialled->write(Buffer{400'000});
  REQUIRE(batches(loop) == 1);
  pair.dialled.reset();
  pair.accepted.reset();
  loop.restart();
  loop.run();  // returns when the batch has come back, and the socket is closed
  SUCCEED();
}
