// What nodes take from the heap: stepped by a frame loop with nothing to do, nothing; for a packet of a steady flow,
// nothing either. Every way to it is counted, so this is a program of its own.
#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <cstdlib>

#include "node_fixture.hpp"

using namespace axl;
using namespace axl::test;
using namespace std::chrono_literals;

// The C library's own, which it keeps for programs that bring theirs.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}

namespace {

thread_local std::size_t allocations = 0;

// Two nodes on this thread, linked, with an open session that has carried something both ways.
struct Pair {
  std::unique_ptr<Node> alice;
  std::unique_ptr<Node> bob;
  Session theirs;
  Session ours;
  bool echoed = false;

  explicit Pair(NodeConfig config = listening(RunMode::poll))
      : alice{make_node(std::move(config))}, bob{make_node(dialling(*alice, RunMode::poll))} {
    REQUIRE(alice->listen(4000, [this](Session session) {
      theirs = std::move(session);
      theirs.on_data([this](Bytes data) { static_cast<void>(theirs.write(std::move(data))); });
    }));
    bob->connect(alice->key(), 4000, [this](Result<Session> session) {
      if (!session) std::abort();
      ours = *std::move(session);
      ours.on_data([this](const Bytes&) { echoed = true; });
      static_cast<void>(ours.write(to_bytes("echo")));
    });
    REQUIRE(alice->start());
    REQUIRE(bob->start());
    while (!echoed) step();
  }
  void step() {
    alice->poll();
    bob->poll();
  }
};

struct Counted {
  std::size_t calls = 0;
  std::size_t allocations = 0;
  void poll(Node& node, Duration wait, bool idle) {
    const auto before = ::allocations;
    const auto done = node.poll(1ms, wait);
    const auto taken = ::allocations - before;
    if ((done == 0) != idle) return;
    ++calls;
    allocations += taken;
  }
};

}  // namespace

extern "C" {
void* malloc(std::size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) {
  ++allocations;
  return __libc_realloc(old, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
  ++allocations;
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }
int posix_memalign(void** to, std::size_t alignment, std::size_t size) {
  *to = memalign(alignment, size);
  return *to == nullptr ? ENOMEM : 0;
}
}

TEST_CASE("idle poll: what is counted is what the heap gives", "[idle_poll]") {
  const auto before = allocations;
  const auto text = std::make_unique<std::string>(100, 'x');
  CHECK(allocations == before + 2);
  const Pair pair;
  CHECK(allocations > before + 100);
}

TEST_CASE("idle poll: a call that finds nothing to do allocates nothing", "[idle_poll]") {
  Pair pair;
  Counted idle;
  while (idle.calls < 100'000) {
    idle.poll(*pair.alice, 0ms, true);
    idle.poll(*pair.bob, 0ms, true);
  }
  CHECK(idle.allocations == 0);
}

TEST_CASE("idle poll: nor does a node that nobody has linked with", "[idle_poll]") {
  NodeConfig config;
  config.run = RunMode::poll;
  const auto node = make_node(std::move(config));
  REQUIRE(node->start());
  Counted idle;
  while (idle.calls < 10'000) idle.poll(*node, 0ms, true);
  CHECK(idle.allocations == 0);
}

// Links without TLS, for OpenSSL takes three little things for each record that it writes and one for each that it
// reads.
TEST_CASE("idle poll: packets of a steady flow allocate nothing", "[idle_poll]") {
  constexpr int kWarm = 40;
  constexpr int kCounted = 100;
  const auto body = std::make_shared<const Bytes>(1024 * 1024, std::byte{7});
  auto config = listening(RunMode::poll);
  config.listen = {"tcp://127.0.0.1:0"};
  Pair pair{std::move(config)};
  int arrived = 0;
  pair.theirs.on_data({});
  pair.theirs.on_message([&](const MessageBody& message) { arrived += message.size() == body->size() ? 1 : 0; });
  const auto carry = [&](int count) {
    for (const auto end = arrived + count; arrived < end;) {
      if (!pair.ours.congested()) REQUIRE(pair.ours.send_message(MessageBody{body, *body}));
      pair.step();
    }
  };
  const auto packets = [&] {
    return pair.bob->statistics().session_tx_packets + pair.alice->statistics().session_tx_packets;
  };
  carry(kWarm);
  const auto packets_before = packets();
  const auto before = allocations;
  carry(kCounted);
  const auto taken = allocations - before;
  const auto carried = packets() - packets_before;
  CAPTURE(taken, carried);
  CHECK(carried > kCounted * body->size() / 16'384);
  CHECK(taken < carried / 5);  // some for each message of a hundred packets, and for turns of the loop
}
