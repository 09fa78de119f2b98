#include "http/pipe.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "core/buffer.hpp"
#include "pipe_stream.hpp"

using namespace axl;
using namespace axl::test;

namespace {

struct Ear final : StreamHandler {
  void on_data(Buffer data) override {
    log += as_text(data);
    if (act) act();
  }
  void on_end() override { log += "|end"; }
  void on_writable() override { log += "|writable"; }
  void on_drained() override { log += "|drained"; }
  void on_closed(const Error* error) override { log += error != nullptr ? "|cut" : "|closed"; }
  std::string log;
  std::function<void()> act;
};

struct Rig {
  explicit Rig(std::size_t high_mark = 64UL * 1024) {
    std::tie(first, second) = http::make_pipe(executor, high_mark);
    first->set_handler(&a);
    second->set_handler(&b);
  }
  void run() {
    while (executor.run_one()) {
    }
  }
  TestExecutor executor;
  Ear a;
  Ear b;
  std::unique_ptr<Stream> first;
  std::unique_ptr<Stream> second;
};

Buffer bytes(std::string_view text) { return Buffer::copy_of(as_bytes(text)); }

}  // namespace

TEST_CASE("pipe: bytes are handed over, not copied, and never inside a call", "[http]") {
  Rig rig;
  struct Taker final : StreamHandler {
    void on_data(Buffer data) override { at = data.data(); }
    void on_end() override {}
    void on_closed(const Error* /*error*/) override {}
    const std::byte* at = nullptr;
  };
  Taker taker;
  rig.second->set_handler(&taker);
  auto piece = bytes("hello");
  const auto* at = piece.data();
  rig.first->write(std::move(piece));
  CHECK(taker.at == nullptr);
  CHECK(rig.first->unsent() == 5);
  rig.run();
  CHECK(taker.at == at);
  CHECK(rig.a.log == "|drained");
}

TEST_CASE("pipe: what came before there was a handler waits for it", "[http]") {
  Rig rig;
  rig.second->set_handler(nullptr);
  rig.first->write(bytes("early"));
  rig.first->shutdown_send();
  rig.run();
  rig.second->set_handler(&rig.b);
  rig.run();
  CHECK(rig.b.log == "early|end");
}

TEST_CASE("pipe: a paused reader fills the writer's mark, and empties it when it goes on", "[http]") {
  Rig rig{100};
  rig.second->pause_reading();
  rig.first->write(Buffer{60});
  rig.first->write(Buffer{60});
  rig.run();
  CHECK(rig.first->unsent() == 120);
  CHECK(rig.first->unsent() > rig.first->high_mark());
  CHECK(rig.a.log.empty());
  rig.second->resume_reading();
  rig.run();
  CHECK(rig.a.log == "|writable|drained");
}

TEST_CASE("pipe: each direction ends alone, then both are closed in order", "[http]") {
  Rig rig;
  rig.first->write(bytes("question"));
  rig.first->shutdown_send();
  rig.run();
  CHECK(rig.b.log == "question|end");
  rig.second->write(bytes("answer"));
  rig.run();
  CHECK(rig.a.log == "|drainedanswer");
  rig.second->shutdown_send();
  rig.run();
  CHECK(rig.a.log.ends_with("|end|closed"));
  CHECK(rig.b.log.ends_with("|closed"));
}

TEST_CASE("pipe: close loses nothing, even if the stream is destroyed right after", "[http]") {
  Rig rig;
  rig.first->write(bytes("last words"));
  rig.first->close();
  rig.first.reset();
  rig.run();
  CHECK(rig.b.log == "last words|end");
  rig.second->write(bytes("to nobody"));  // as a socket: who writes on is cut
  rig.run();
  CHECK(rig.b.log.ends_with("|cut"));
  CHECK(rig.second->unsent() == 0);
}

TEST_CASE("pipe: an abort is heard at once, also by a paused reader, and drops what was under way", "[http]") {
  for (const bool destroyed : {false, true}) {
    Rig rig;
    rig.second->pause_reading();
    rig.first->write(bytes("lost"));
    if (destroyed) {
      rig.first.reset();
    } else {
      rig.first->abort();
    }
    rig.run();
    CHECK(rig.b.log == "|cut");
    CHECK(rig.a.log == (destroyed ? "" : "|cut"));
  }
}

TEST_CASE("pipe: either end may go inside an event", "[http]") {
  for (const bool own : {false, true}) {
    Rig rig;
    rig.b.act = [&] { own ? rig.second.reset() : rig.first.reset(); };
    rig.first->write(bytes("x"));
    rig.first->write(bytes("y"));
    rig.run();
    CHECK(rig.b.log == (own ? "x" : "x|cut"));
  }
}

TEST_CASE("pipe: two ends that never stop talking leave the loop its other work", "[http]") {
  Rig rig;
  int rounds = 0;
  rig.a.act = [&] { rig.first->write(Buffer{1}), ++rounds; };
  rig.b.act = [&] { rig.second->write(Buffer{1}); };
  rig.first->write(Buffer{1});
  bool other = false;
  rig.executor.run_one();
  rig.executor.post([&] { other = true; });
  for (int i = 0; i < 3; ++i) rig.executor.run_one();
  CHECK(other);
  CHECK(rounds > 0);
}
