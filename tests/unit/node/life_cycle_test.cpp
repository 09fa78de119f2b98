// Nodes that come and go: what they had open is closed, and stopping one is safe whatever it is doing.
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <thread>
#include <vector>

#include "left_open.hpp"
#include "node_fixture.hpp"

using namespace axl;
using namespace axl::test;
using namespace std::chrono_literals;

namespace {

constexpr std::uint16_t kPort = 4000;

// A node, and its thread when it has none of its own.
class Running {
 public:
  explicit Running(NodeConfig config) : polled_{config.run == RunMode::poll}, node_{make_node(std::move(config))} {}
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { end(); }

  [[nodiscard]] Node& node() { return *node_; }
  void start() {
    REQUIRE(node_->start());
    if (polled_) {
      poller_ = std::thread{[this] {
        while (!ending_) node_->poll(1ms, 1h);
      }};
    }
  }
  void end() {
    if (!node_) return;
    ending_ = true;
    node_->stop();
    if (poller_.joinable()) poller_.join();
    node_.reset();
  }

 private:
  const bool polled_;
  std::unique_ptr<Node> node_;
  std::atomic<bool> ending_{false};
  std::thread poller_;
};

// How far a pair of nodes gets before it goes; every fourth time nothing is waited for.
void live(int time) {
  const auto mode = [&](int when) { return time % 3 == when ? RunMode::poll : RunMode::own_thread; };
  Awaited<Session> accepted;
  Awaited<Message> arrived;
  Running alice{listening(mode(1))};
  Running bob{dialling(alice.node(), mode(2))};
  const auto report = std::make_shared<Awaited<bool>>();
  const auto opened = std::make_shared<Awaited<Result<Session>>>();
  REQUIRE(alice.node().listen(kPort, [&](Session session) { accepted.set(std::move(session)); }));
  alice.node().router().on_message([&](Message message) { arrived.set(std::move(message)); });
  REQUIRE(alice.node().router().add_service("service", ServiceAccess{}, [](const ServiceRequest&, ServiceReply reply) {
    reply.respond(200, {}, Bytes{});
  }));
  alice.start();
  bob.start();
  REQUIRE(alice.node().serve_api("127.0.0.1", 0));
  CHECK(listening_sockets() == 2);
  bob.node().send(alice.node().key(), to_bytes("hello"), [report](const auto& got) { report->set(got.ok()); });
  bob.node().connect(alice.node().key(), kPort, [opened](Result<Session> got) { opened->set(std::move(got)); });
  Session theirs;
  Session ours;
  Message message;
  if (time % 4 > 0) {
    CHECK(report->get());
    message = arrived.get();
    auto session = opened->get();
    REQUIRE(session);
    ours = *std::move(session);
    if (time % 4 > 1) theirs = accepted.get();
    static_cast<void>(ours.write(to_bytes("and more")));
  }
  (time % 2 == 0 ? alice : bob).end();
  if (time % 4 == 2) ours = {};
  (time % 2 == 0 ? bob : alice).end();
  CHECK(theirs.valid() == (time % 4 > 1));  // what they gave out may go after them
}

void live_again_and_again(int times) {
  for (auto time = 0; time < 12; ++time) live(time);  // what a process makes once is made
  const auto descriptors = open_descriptors();
  const auto running = threads();
  for (auto time = 0; time < times; ++time) {
    live(time);
    REQUIRE(listening_sockets() == 0);
  }
  CHECK(open_descriptors() == descriptors);
  CHECK(threads() == running);
}

// Keeps a node busy from several threads until it refuses.
class Busy {
 public:
  Busy(Node& node, const PublicKey& peer) : node_{node}, peer_{peer} {
    for (auto sender = 0; sender < 2; ++sender) threads_.emplace_back([this] { send(); });
    threads_.emplace_back([this] { connect(); });
    threads_.emplace_back([this] { ask(); });
  }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;
  ~Busy() {
    ended_ = true;
    for (auto& thread : threads_) thread.join();
  }

 private:
  // Each keeps so many under way: what is put off until the loop has time has no bound of its own.
  struct Room {
    static constexpr int kMost = 16;
    std::atomic<int> taken{0};
  };
  template <class Call>
  void repeat(Call call) {
    const auto room = std::make_shared<Room>();
    while (!ended_) {
      if (room->taken >= Room::kMost) {
        std::this_thread::yield();
        continue;
      }
      ++room->taken;
      call(room);
    }
  }
  void send() {
    const MessageBody body{Bytes(64UL * 1024)};
    repeat([&](const std::shared_ptr<Room>& room) {
      node_.send(peer_, body, [room](const auto&) { --room->taken; });
    });
  }
  void connect() {
    repeat([&](const std::shared_ptr<Room>& room) {
      node_.connect(peer_, 4999, [room](const auto&) { --room->taken; });  // refused, or cut
    });
  }
  void ask() {
    while (!ended_) {
      static_cast<void>(node_.topology());
      static_cast<void>(node_.statistics());
      std::this_thread::yield();
    }
  }

  Node& node_;
  const PublicKey peer_;
  std::atomic<bool> ended_{false};
  std::vector<std::thread> threads_;
};

// `bob` floods `alice` on a session, both send, connect and are asked; then alice is stopped from here.
void stop_while_busy(RunMode mode) {
  std::atomic<std::size_t> received{0};
  Awaited<bool> flooded;
  Session taken;
  Running alice{listening(mode)};
  Running bob{dialling(alice.node())};
  REQUIRE(alice.node().listen(kPort, [&](Session session) {
    taken = std::move(session);
    taken.on_data([&](const Bytes& data) {
      constexpr std::size_t kMuch = 1UL << 20;
      const auto before = received.fetch_add(data.size());
      if (before < kMuch && before + data.size() >= kMuch) flooded.set(true);
    });
  }));
  alice.start();
  bob.start();
  auto opened = connect_and_wait(bob.node(), alice.node().key(), kPort);
  REQUIRE(opened);
  auto& flood = *opened;
  const MessageBody large{Bytes(256UL * 1024)};
  const auto pour = [&] {
    while (!flood.congested() && flood.write(large)) {
    }
  };
  flood.on_writable(pour);
  flood.on_drained(pour);
  bob.node().post(pour);
  {
    const Busy here{alice.node(), bob.node().key()};
    const Busy there{bob.node(), alice.node().key()};
    CHECK(flooded.get());
    alice.node().stop();
    const auto now = received.load();
    static_cast<void>(alice.node().topology());
    CHECK(received == now);  // nothing is called afterwards
    bob.node().stop();
  }
}

}  // namespace

TEST_CASE("life cycle: nodes are made, used and destroyed again and again, and nothing stays open", "[life_cycle]") {
  live_again_and_again(24);
}

TEST_CASE("life cycle: a thousand times", "[.][long]") { live_again_and_again(1'000); }

TEST_CASE("life cycle: a node is stopped while others connect, send, flood and ask it", "[life_cycle]") {
  for (auto round = 0; round < 3; ++round) {
    stop_while_busy(RunMode::own_thread);
    stop_while_busy(RunMode::poll);
  }
}

TEST_CASE("life cycle: calls and stop() from another thread end the wait of a poll() that has nothing to do", "[life_cycle]") {
  NodeConfig config;
  config.run = RunMode::poll;
  const auto node = make_node(std::move(config));
  REQUIRE(node->start());
  std::atomic<bool> stopped{false};
  std::thread poller{[&] {
    while (!stopped) node->poll(1ms, 1h);
  }};
  for (auto call = 0; call < 100; ++call) CHECK(node->topology().our_key == node->key());
  node->stop();
  CHECK(node->poll(1ms, 1h) == 0);
  stopped = true;
  poller.join();
}
