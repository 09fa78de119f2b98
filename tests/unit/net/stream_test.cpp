#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "net/tcp_stream.hpp"
#include "net_support.hpp"

using namespace std::chrono_literals;
using namespace axl;
using namespace axl::test;

namespace {

Buffer text_buffer(std::string_view text) { return Buffer::copy_of(as_bytes(text)); }

// Keeps a stream filled up to its high mark, then ends its direction.
class Feeder {
 public:
  Feeder(net::SocketStream& stream, ByteSpan bytes, std::size_t piece)
      : stream_{stream}, bytes_{bytes}, piece_{piece} {}
  void feed() {
    while (!bytes_.empty() && stream_.unsent() < stream_.high_mark()) {
      const auto count = std::min(piece_, bytes_.size());
      stream_.write(Buffer::copy_of(bytes_.first(count)));
      bytes_ = bytes_.subspan(count);
    }
    if (bytes_.empty() && !std::exchange(ended_, true)) stream_.shutdown_send();
  }

 private:
  net::SocketStream& stream_;
  ByteSpan bytes_;
  std::size_t piece_;
  bool ended_ = false;
};

// Sends while receiving.
class Talker : public Recorder {
 public:
  Talker(net::SocketStream& stream, ByteSpan sends, ByteSpan expects, std::size_t piece)
      : Recorder{expects}, feeder_{stream, sends, piece} {
    stream.set_handler(this);
    feeder_.feed();
  }
  void on_writable() override {
    Recorder::on_writable();
    feeder_.feed();
  }

 private:
  Feeder feeder_;
};

}  // namespace

TEST_CASE("stream: bytes arrive unchanged in both directions at once, and the end after them", "[net]") {
  const auto kind = GENERATE(Kind::tcp, Kind::tls);
  const auto [size, piece] =
      GENERATE(std::pair<std::size_t, std::size_t>{0, 1}, std::pair<std::size_t, std::size_t>{1, 1},
               std::pair<std::size_t, std::size_t>{1000, 7}, std::pair<std::size_t, std::size_t>{16384, 16384},
               std::pair<std::size_t, std::size_t>{300000, 1300}, std::pair<std::size_t, std::size_t>{1000003, 16300},
               std::pair<std::size_t, std::size_t>{16000000, 200000},
               std::pair<std::size_t, std::size_t>{64 * 1024 * 1024, 65536});
  CAPTURE(static_cast<int>(kind), size, piece);
  const auto there = pattern(size, 1);
  const auto back = pattern(size, 2);
  asio::io_context loop;
  auto pair = make_pair(kind, loop);
  Talker dialled{*pair.dialled, there, back, piece};
  Talker accepted{*pair.accepted, back, there, piece};

  REQUIRE(run_until(loop, [&] { return dialled.closed != 0 && accepted.closed != 0; }));
  CHECK(dialled.received == size);
  CHECK(accepted.received == size);
  CHECK_FALSE(dialled.differs);
  CHECK_FALSE(accepted.differs);
  CHECK(dialled.ended);
  CHECK(accepted.ended);
  CHECK_FALSE(dialled.failure);
  CHECK_FALSE(accepted.failure);
  CHECK(dialled.closed == 1);
  CHECK(accepted.closed == 1);
}

TEST_CASE("stream: a paused reader slows the writer down, and memory stays bounded", "[net]") {
  const auto kind = GENERATE(Kind::tcp, Kind::tls);
  const std::size_t size = 32 * 1024 * 1024;
  const auto bytes = pattern(size, 3);
  asio::io_context loop;
  auto pair = make_pair(kind, loop);
  Recorder reader{bytes};
  reader.hook = [&](ByteSpan) { pair.accepted->pause_reading(); };
  pair.accepted->set_handler(&reader);
  Talker writer{*pair.dialled, bytes, {}, 10000};

  std::size_t most_unsent = 0;
  run_until(loop, [&] { return reader.received != 0; });
  for (int i = 0; i < 20; ++i) {
    run_for(loop, 10ms);
    most_unsent = std::max(most_unsent, pair.dialled->unsent());
  }
  CHECK(reader.received <= 64 * 1024);  // one piece, then nothing
  CHECK(most_unsent <= pair.dialled->high_mark() + 20000);
  CHECK(pair.dialled->counters().sent_bytes < size);

  reader.hook = nullptr;
  pair.accepted->resume_reading();
  REQUIRE(run_until(loop, [&] { return reader.ended; }));
  CHECK(reader.received == size);
  CHECK_FALSE(reader.differs);
}

TEST_CASE("stream: after its own end a side still receives", "[net]") {
  const auto kind = GENERATE(Kind::tcp, Kind::tls);
  asio::io_context loop;
  auto pair = make_pair(kind, loop);
  Recorder asks;
  Recorder answers;
  pair.dialled->set_handler(&asks);
  pair.accepted->set_handler(&answers);
  pair.dialled->write(text_buffer("question"));
  pair.dialled->shutdown_send();
  pair.dialled->write(text_buffer("too late"));
  REQUIRE(run_until(loop, [&] { return answers.ended; }));
  CHECK(answers.received == 8);
  CHECK(answers.closed == 0);
  CHECK(asks.closed == 0);
  pair.accepted->write(text_buffer("an answer"));
  REQUIRE(run_until(loop, [&] { return asks.received == 9; }));
  pair.accepted->shutdown_send();
  REQUIRE(run_until(loop, [&] { return asks.closed != 0 && answers.closed != 0; }));
  CHECK_FALSE(asks.failure);
  CHECK_FALSE(answers.failure);
}

TEST_CASE("stream: close loses nothing that was written, however slowly the other end reads", "[net]") {
  const auto kind = GENERATE(Kind::tcp, Kind::tls);
  const auto bytes = pattern(20'000'000, 4);
  asio::io_context loop;
  auto pair = make_pair(kind, loop);
  Recorder closes;
  Recorder reads{bytes};
  pair.dialled->set_handler(&closes);
  pair.accepted->set_handler(&reads);
  pair.accepted->pause_reading();
  // The other end has sent something that the closing side never reads.
  pair.accepted->write(text_buffer("unread"));
  pair.dialled->write(Buffer::copy_of(bytes));
  pair.dialled->close();
  run_for(loop, 100ms);
  CHECK(closes.closed == 0);
  pair.accepted->resume_reading();
  REQUIRE(run_until(loop, [&] { return reads.ended; }));
  CHECK(reads.received == bytes.size());
  CHECK_FALSE(reads.differs);
  pair.accepted->close();
  REQUIRE(run_until(loop, [&] { return closes.closed != 0 && reads.closed != 0; }));
  CHECK_FALSE(closes.failure);
  CHECK_FALSE(reads.failure);
  CHECK(closes.received == 0);
}

TEST_CASE("stream: close gives up on an end that takes nothing, and on one that never closes", "[net]") {
  const auto kind = GENERATE(Kind::tcp, Kind::tls);
  asio::io_context loop;
  auto pair = make_pair(kind, loop, {.stall_limit = 200ms, .linger = 100ms});
  Recorder closes;
  Recorder other;
  pair.dialled->set_handler(&closes);
  pair.accepted->set_handler(&other);
  SECTION("takes nothing") {
    REQUIRE(
        run_until(loop, [&] { return kind == Kind::tcp || static_cast<net::TlsStream&>(*pair.accepted).opened(); }));
    pair.accepted->pause_reading();
    pair.dialled->write(Buffer{32 * 1024 * 1024});
    pair.dialled->close();
    REQUIRE(run_until(loop, [&] { return closes.closed != 0; }));
    REQUIRE(closes.failure);
    CHECK(closes.failure->is(Errc::timed_out));
  }
  SECTION("never closes") {
    pair.dialled->write(text_buffer("bye"));
    pair.dialled->close();
    REQUIRE(run_until(loop, [&] { return closes.closed != 0; }));
    CHECK_FALSE(closes.failure);
    CHECK(other.received == 3);
    CHECK(other.ended);
  }
}

TEST_CASE("stream: abort is an error at the other end, and a report at one's own", "[net]") {
  const auto kind = GENERATE(Kind::tcp, Kind::tls);
  asio::io_context loop;
  auto pair = make_pair(kind, loop);
  Recorder aborts;
  Recorder other;
  pair.dialled->set_handler(&aborts);
  pair.accepted->set_handler(&other);
  pair.dialled->write(text_buffer("hello"));
  REQUIRE(run_until(loop, [&] { return other.received == 5; }));
  pair.dialled->write(Buffer{1000});
  pair.dialled->abort();
  CHECK(aborts.closed == 0);  // not from within the call
  CHECK(pair.dialled->unsent() == 0);
  REQUIRE(run_until(loop, [&] { return aborts.closed != 0 && other.closed != 0; }));
  CHECK(aborts.failure->is(Errc::closed));
  CHECK(other.failure->code() == std::errc::connection_reset);
  CHECK(other.received == 5);
}

TEST_CASE("stream: small writes of one turn leave in few system calls", "[net]") {
  const auto kind = GENERATE(Kind::tcp, Kind::tls);
  asio::io_context loop;
  auto pair = make_pair(kind, loop);
  Recorder writes;
  Recorder reads;
  pair.dialled->set_handler(&writes);
  pair.accepted->set_handler(&reads);
  REQUIRE(run_until(loop, [&] {
    return kind == Kind::tcp || (static_cast<net::TlsStream&>(*pair.dialled).opened() &&
                                 static_cast<net::TlsStream&>(*pair.accepted).opened());
  }));
  run_for(loop, 1ms);
  const auto before = pair.dialled->counters();
  for (int i = 0; i < 640; ++i) pair.dialled->write(Buffer{100});
  CHECK(pair.dialled->unsent() == 64000);
  CHECK(pair.dialled->counters().send_calls == before.send_calls);  // none from within write()
  REQUIRE(run_until(loop, [&] { return reads.received == 64000; }));
  const auto after = pair.dialled->counters();
  CHECK(after.send_calls - before.send_calls <= (kind == Kind::tcp ? 11 : 1));
  if (kind == Kind::tls) CHECK(after.wire_bytes - before.wire_bytes <= 64000 + 4 * 22);  // four records, not 640
  CHECK(writes.drained == 1);
  CHECK(pair.dialled->unsent() == 0);
}

TEST_CASE("stream: flush sends at once and calls nobody", "[net]") {
  const auto kind = GENERATE(Kind::tcp, Kind::tls);
  asio::io_context loop;
  auto pair = make_pair(kind, loop);
  Recorder writes;
  Recorder reads;
  pair.dialled->set_handler(&writes);
  pair.accepted->set_handler(&reads);
  pair.dialled->write(text_buffer("first"));
  REQUIRE(run_until(loop, [&] { return reads.received == 5; }));
  writes.drained = 0;
  pair.dialled->write(text_buffer("second"));
  pair.dialled->flush();
  CHECK(pair.dialled->unsent() == 0);
  CHECK(writes.drained == 0);
  REQUIRE(run_until(loop, [&] { return reads.received == 11; }));
  CHECK(writes.drained == 1);
}

TEST_CASE("stream: on_writable comes once the low mark is passed downwards", "[net]") {
  asio::io_context loop;
  auto pair = make_pair(Kind::tcp, loop, {.high_mark = 4000, .low_mark = 2000});
  Recorder writes;
  Recorder reads;
  pair.dialled->set_handler(&writes);
  pair.accepted->set_handler(&reads);
  pair.dialled->write(Buffer{1500});
  REQUIRE(run_until(loop, [&] { return reads.received == 1500; }));
  CHECK(writes.writable == 0);
  CHECK(writes.drained == 1);
  pair.dialled->write(Buffer{5000});
  REQUIRE(run_until(loop, [&] { return reads.received == 6500; }));
  CHECK(writes.writable == 1);
  CHECK(writes.drained == 2);
}

TEST_CASE("stream: what came before a handler was set is delivered to it", "[net]") {
  const auto kind = GENERATE(Kind::tcp, Kind::tls);
  asio::io_context loop;
  auto pair = make_pair(kind, loop);
  pair.dialled->write(text_buffer("early"));
  pair.dialled->close();
  run_for(loop, 50ms);
  Recorder late;
  pair.accepted->set_handler(&late);
  CHECK(late.received == 0);  // not from within the call
  REQUIRE(run_until(loop, [&] { return late.ended; }));
  CHECK(late.received == 5);
  CHECK_FALSE(late.failure);
}

TEST_CASE("stream: the end of an unheard stream is told to the handler that comes later", "[net]") {
  asio::io_context loop;
  auto pair = make_pair(Kind::tcp, loop);
  pair.dialled->abort();
  run_for(loop, 10ms);
  Recorder late;
  pair.dialled->set_handler(&late);
  REQUIRE(run_until(loop, [&] { return late.closed == 1; }));
  CHECK(late.failure->is(Errc::closed));
}

TEST_CASE("stream: a handler may destroy its stream inside any call", "[net]") {
  const auto kind = GENERATE(Kind::tcp, Kind::tls);
  asio::io_context loop;
  auto pair = make_pair(kind, loop, {.high_mark = 2000, .low_mark = 1000});
  struct Destroys : Recorder {
    explicit Destroys(std::unique_ptr<net::SocketStream>& victim) : stream{victim} {}
    void on_data(Buffer data) override {
      Recorder::on_data(std::move(data));
      if (when == 0) stream.reset();
    }
    void on_end() override {
      if (when == 1) stream.reset();
    }
    void on_writable() override {
      if (when == 2) stream.reset();
    }
    void on_drained() override {
      if (when == 3) stream.reset();
    }
    void on_closed(const Error*) override {
      ++closed;
      stream.reset();
    }
    std::unique_ptr<net::SocketStream>& stream;
    int when = 0;
  };
  Destroys destroys{pair.accepted};
  destroys.when = GENERATE(0, 1, 2, 3, 4);
  Recorder other;
  pair.dialled->set_handler(&other);
  pair.accepted->set_handler(&destroys);
  pair.accepted->write(Buffer{5000});
  pair.dialled->write(Buffer{5000});
  pair.dialled->shutdown_send();
  if (destroys.when == 4) pair.accepted->shutdown_send();
  REQUIRE(run_until(loop, [&] { return pair.accepted == nullptr && other.closed != 0; }));
  CHECK(destroys.closed == (destroys.when == 4 ? 1 : 0));
}

TEST_CASE("stream: destroyed with reads, writes and its close under way", "[net]") {
  const auto kind = GENERATE(Kind::tcp, Kind::tls);
  const auto turns = GENERATE(0, 1, 2, 5, 20);
  asio::io_context loop;
  auto pair = make_pair(kind, loop);
  Recorder one;
  Recorder two;
  pair.dialled->set_handler(&one);
  pair.accepted->set_handler(&two);
  pair.accepted->pause_reading();
  pair.dialled->write(Buffer{8 * 1024 * 1024});
  if (turns % 2 == 1) pair.dialled->close();
  loop.restart();
  for (int i = 0; i < turns; ++i) loop.run_one_for(10ms);
  pair.dialled.reset();
  CHECK(one.closed == 0);
  pair.accepted->resume_reading();
  REQUIRE(run_until(loop, [&] { return two.closed != 0; }));
  CHECK(two.failure);
}

TEST_CASE("stream: a handler may write, pause, close and abort inside on_data", "[net]") {
  const auto kind = GENERATE(Kind::tcp, Kind::tls);
  asio::io_context loop;
  auto pair = make_pair(kind, loop);
  Recorder echo;
  Recorder asks;
  int round = 0;
  echo.hook = [&](ByteSpan data) {
    pair.accepted->write(Buffer::copy_of(data));
    pair.accepted->pause_reading();
    pair.accepted->resume_reading();
    if (round == 2) pair.accepted->close();
  };
  asks.hook = [&](ByteSpan) {
    if (++round <= 2) pair.dialled->write(text_buffer("again"));
    if (round == 3) pair.dialled->abort();
  };
  pair.dialled->set_handler(&asks);
  pair.accepted->set_handler(&echo);
  pair.dialled->write(text_buffer("again"));
  REQUIRE(run_until(loop, [&] { return asks.closed != 0 && echo.closed != 0; }));
  CHECK(asks.received == 15);
  CHECK(asks.failure->is(Errc::closed));
}

TEST_CASE("stream: what the other end sent before it reset the connection is handed up first", "[net]") {
  asio::io_context loop;
  auto [ours, theirs] = connected_sockets(loop, loop);
  theirs.write_some(asio::buffer("sorry", 5));
  // Closing with our bytes unread resets the connection.
  ours.write_some(asio::buffer("x", 1));
  theirs.wait(net::Socket::wait_read);
  net::TcpStream stream{std::move(ours)};
  theirs.close();
  Recorder record;
  stream.set_handler(&record);
  stream.write(Buffer{100000});
  REQUIRE(run_until(loop, [&] { return record.closed != 0; }));
  CHECK(record.received == 5);
  CHECK(record.failure);
}

TEST_CASE("stream: five hundred connections at once", "[net]") {
  const auto kind = GENERATE(Kind::tcp, Kind::tls);
  REQUIRE(allow_descriptors(1100));
  asio::io_context loop;
  const auto bytes = pattern(20000, 5);
  std::vector<StreamPair> pairs;
  std::vector<std::unique_ptr<Talker>> talkers;
  for (int i = 0; i < 500; ++i) {
    pairs.push_back(make_pair(kind, loop));
    talkers.push_back(std::make_unique<Talker>(*pairs.back().dialled, bytes, bytes, 3000));
    talkers.push_back(std::make_unique<Talker>(*pairs.back().accepted, bytes, bytes, 3000));
  }
  REQUIRE(run_until(loop, [&] {
    return std::all_of(talkers.begin(), talkers.end(), [](const auto& talker) { return talker->closed != 0; });
  }));
  for (const auto& talker : talkers) {
    CHECK(talker->received == bytes.size());
    CHECK_FALSE(talker->differs);
    CHECK_FALSE(talker->failure);
  }
}
