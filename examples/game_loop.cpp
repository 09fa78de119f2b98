// Two nodes in one game loop, 60 frames a second and no thread: each sends the other its state, 1 KiB, in every frame.
//
// Usage: game_loop [SECONDS [messages]]
//
// States go over a session; with `messages`, to the other node's receive queue, each with a receipt. At the end it says
// what poll() has cost, and fails when a state was lost or came in the wrong order.
#include <algorithm>
#include <axl/axl.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Cost = std::chrono::duration<double, std::micro>;

constexpr auto kFrame = std::chrono::nanoseconds{1'000'000'000 / 60};
constexpr std::uint16_t kPort = 4000;

struct State {
  std::uint64_t frame = 0;
  std::byte world[1'016] = {};
};

// One player's node, and what has come of the other's.
struct Player {
  std::unique_ptr<axl::Node> node;
  axl::Session session;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  bool broken = false;

  void take(axl::ByteSpan bytes) {
    State state;
    if (bytes.size() != sizeof state) {
      broken = true;
      return;
    }
    std::memcpy(&state, bytes.data(), sizeof state);
    if (state.frame != received++) broken = true;
  }

  void use(axl::Session opened) {
    session = std::move(opened);
    session.on_message([this](const axl::MessageBody& body) { take(body); });
    session.on_closed([this](const axl::Error*) { broken = true; });
  }

  void send_state(const axl::PublicKey* to) {
    const State state{.frame = sent++};
    const auto bytes = std::as_bytes(std::span{&state, 1});
    axl::Bytes body{bytes.begin(), bytes.end()};
    if (to == nullptr) {
      if (!session.send_message(std::move(body))) broken = true;
    } else {
      node->send(*to, std::move(body), [this](const auto& report) { broken |= !report.ok(); });
    }
  }
};

axl::NodeConfig without_thread() {
  axl::NodeConfig config;
  config.run = axl::RunMode::poll;
  return config;
}

std::unique_ptr<axl::Node> make_node(axl::NodeConfig config) {
  auto node = axl::Node::create(std::move(config));
  if (!node) {
    std::fprintf(stderr, "%s\n", node.error().text().c_str());
    std::exit(1);
  }
  return *std::move(node);
}

// Processor time of this thread: what a call costs where nothing else wants the processor.
Cost computed() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

// What each call of poll() took.
class Costs {
 public:
  explicit Costs(std::size_t calls) {
    taken_.reserve(calls);
    computed_.reserve(calls);
    idle_.reserve(calls);
  }
  void poll(axl::Node& node) {
    const auto computed_before = computed();
    const auto before = Clock::now();
    const auto done = node.poll();
    const Cost taken = Clock::now() - before;
    computed_.push_back(computed() - computed_before);
    taken_.push_back(taken);
    if (done == 0) idle_.push_back(taken);
  }
  void print(const char* what) {
    std::printf("%s, %zu calls of poll():\n", what, taken_.size());
    print("time", taken_);
    print("processor time", computed_);
    print("idle calls", idle_);
  }

 private:
  static void print(const char* what, std::vector<Cost>& costs) {
    if (costs.empty()) return;
    std::sort(costs.begin(), costs.end());
    std::printf("  %-14s median %7.1f us, 99 %% below %7.1f us, worst %7.1f us\n", what, costs[costs.size() / 2].count(),
                costs[costs.size() * 99 / 100].count(), costs.back().count());
  }

  std::vector<Cost> taken_;
  std::vector<Cost> computed_;
  std::vector<Cost> idle_;  // those that found nothing to do
};

}  // namespace

int main(int count, char** arguments) {
  const auto frames = static_cast<std::uint64_t>(60 * (count > 1 ? std::atof(arguments[1]) : 2));
  const auto messages = count > 2 && std::string_view{arguments[2]} == "messages";

  Player players[2];
  auto config = without_thread();
  config.listen = {"tls://127.0.0.1:0"};
  players[0].node = make_node(std::move(config));
  config = without_thread();
  config.peers = {{.uri = players[0].node->listeners().at(0)}};
  players[1].node = make_node(std::move(config));

  const auto listening = players[0].node->listen(kPort, [&](axl::Session session) { players[0].use(std::move(session)); });
  if (!listening) return 1;
  for (auto& player : players) {
    player.node->router().on_message([&player](const axl::Message& message) { player.take(message.body); });
    if (!player.node->start()) return 1;
  }
  auto opened = false;
  players[1].node->connect(players[0].node->key(), kPort, [&](axl::Result<axl::Session> session) {
    opened = true;
    if (session) {
      players[1].use(*std::move(session));
    } else {
      players[1].broken = true;
    }
  });

  // Each phase is frames until something is true; a frame polls both nodes, and then has time for the game.
  auto next = Clock::now();
  const auto run = [&](Costs& costs, const auto& play) {
    while (!players[0].broken && !players[1].broken && play()) {
      for (auto& player : players) costs.poll(*player.node);
      next += kFrame;
      std::this_thread::sleep_until(next);
    }
  };
  Costs joining{10'000};
  run(joining, [&] { return !opened || !players[0].session.valid(); });

  Costs playing{2 * frames + 10'000};
  run(playing, [&] {
    if (players[0].sent < frames) {
      for (auto& player : players) player.send_state(messages ? &players[&player == &players[0] ? 1 : 0].node->key() : nullptr);
    }
    return players[0].received < frames || players[1].received < frames;
  });

  Costs resting{200};
  auto rest = 60;
  run(resting, [&] { return rest-- > 0; });

  joining.print("joining");
  playing.print("playing");
  resting.print("resting");
  for (auto& player : players) {
    std::printf("sent %llu states, received %llu\n", static_cast<unsigned long long>(player.sent),
                static_cast<unsigned long long>(player.received));
  }
  const auto good = !players[0].broken && !players[1].broken;
  std::printf("%s\n", good ? "every state arrived, in order" : "states were lost");
  return good ? 0 : 1;
}
