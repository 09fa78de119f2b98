#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <thread>

#include "net/dialer.hpp"
#include "net/listener.hpp"
#include "net_support.hpp"

using namespace axl;
using namespace axl::test;

namespace {

// One loop on a thread of its own; sends, and checks what comes.
class Side {
 public:
  Side(ByteSpan sends, ByteSpan expects) : record{expects}, sends_{sends} {}

  void take(std::unique_ptr<Stream> stream) {
    stream_ = std::move(stream);
    stream_->set_handler(&record);
    stream_->write(Buffer::copy_of(sends_));
    stream_->shutdown_send();
  }
  bool run() {
    return run_until(loop, [&] { return record.closed != 0; });
  }
  void drop() { stream_.reset(); }

  asio::io_context loop;
  Recorder record;

 private:
  ByteSpan sends_;
  std::unique_ptr<Stream> stream_;
};

}  // namespace

TEST_CASE("threads: two loops on two threads talk to each other", "[net][threads]") {
  const auto kind = GENERATE(Kind::tcp, Kind::tls);
  const auto there = pattern(4'000'000, 1);
  const auto back = pattern(4'000'000, 2);
  Side accepting{back, there};
  Side dialling{there, back};
  net::Listener::Options listening;
  net::Dialer::Options options;
  if (kind == Kind::tls) {
    listening.tls = test_listener_context();
    options.tls = test_dialler_context();
  }
  auto listener = net::Listener::open(accepting.loop, "", 0, listening,
                                      [&](net::Accepted one) { accepting.take(std::move(one.stream)); });
  REQUIRE(listener);
  const auto port = (*listener)->local().port();

  bool accepted_well = false;
  std::thread thread{[&] { accepted_well = accepting.run(); }};
  net::Dialer dialler{dialling.loop, "localhost", port, options, [&](Result<net::Dialed> dialled) {
                        if (dialled) dialling.take(std::move(dialled->stream));
                      }};
  const auto dialled_well = dialling.run();
  thread.join();
  CHECK(dialled_well);
  CHECK(accepted_well);
  for (auto* side : {&accepting, &dialling}) {
    CHECK(side->record.received == there.size());
    CHECK_FALSE(side->record.differs);
    CHECK_FALSE(side->record.failure);
    side->drop();
  }
}

TEST_CASE("threads: loops share one TLS context and make certificates at the same time", "[net][threads]") {
  const auto context = test_listener_context();
  std::vector<std::thread> threads;
  std::vector<int> done(4, 0);
  for (unsigned i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      asio::io_context loop;
      const auto own = net::TlsContext::listener(test_key(i), std::chrono::system_clock::time_point{});
      if (!own) return;
      auto pair = make_pair(Kind::tls, loop);
      Recorder reads;
      pair.accepted->set_handler(&reads);
      pair.dialled->write(Buffer{100'000});
      done[i] = run_until(loop, [&] { return reads.received == 100'000; }) ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(done == std::vector<int>(4, 1));
}

TEST_CASE("threads: a lookup may outlive the loop that asked for it", "[net][threads]") {
  for (int i = 0; i < 20; ++i) {
    asio::io_context loop;
    const net::Dialer dialler{loop, "localhost", 1, {}, [](const Result<net::Dialed>&) {}};
    if (i % 2 == 1) loop.run_one_for(std::chrono::milliseconds{1});
  }
}
