// Stacks share nothing: any thread may drive any stack, one at a time.
#include <array>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <deque>
#include <mutex>
#include <thread>

#include "network.hpp"

using namespace axl;
using namespace axl::tcpip;
using namespace axl::tcpip::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kNodes = 50;
constexpr std::size_t kBytes = 100'000;
constexpr std::size_t kPings = 20;

class Node;
using Nodes = std::array<std::unique_ptr<Node>, kNodes>;

// Echoes on port 7000; sends kBytes to the next node and some pings to itself, and compares what comes back.
class Node final : public StackHost {
 public:
  Node(Nodes& nodes, std::size_t index)
      : nodes_{nodes}, index_{index}, rng_{index}, stack_{{}, key_of(index), rng_, *this, {}, Time{}} {}

  void start() {
    REQUIRE(stack_.listen(7000, [this](auto connection) {
      served_.push_back(std::make_unique<Reader>());
      auto* raw = served_.back().get();
      raw->keep = false;
      raw->then = [raw](ByteSpan data) { raw->connection->write(Buffer::copy_of(data)); };
      raw->at_end = [raw] { raw->connection->close(); };
      raw->take(std::move(connection));
    }));
    stack_.connect(key_of((index_ + 1) % kNodes), 7000, 1h, [this](auto result) {
      if (!result) return;
      bulk_.take(std::move(*result));
      bulk_.connection->write(Buffer::copy_of(random_bytes(index_, kBytes)));
      bulk_.connection->shutdown_send();
    });
    stack_.connect(key_of(index_), 7000, 1h, [this](auto result) {
      if (!result) return;
      ping_.take(std::move(*result));
      ping_.then = [this](ByteSpan data) {
        if (ping_.count < 64 * kPings) ping_.connection->write(Buffer::copy_of(data));
      };
      ping_.connection->write(Buffer::copy_of(random_bytes(index_, 64)));
    });
  }

  bool send_packet(const PublicKey& dest, Buffer& packet) override {
    for (const auto& node : nodes_) {
      if (node->key_ != dest) continue;
      const std::lock_guard lock{node->inbox_mutex_};
      if (node->inbox_.size() >= 1'000) {
        blocked_ = true;
        return false;
      }
      node->inbox_.push_back({key_, std::move(packet)});
      return true;
    }
    return true;
  }
  void open_session(const PublicKey&) override {}
  bool session_is_up(const PublicKey&) override { return true; }

  // One turn, on whatever thread; false when another thread has it.
  bool turn() {
    const std::unique_lock lock{turn_mutex_, std::try_to_lock};
    if (!lock) return false;
    now_ += 100us;
    std::deque<Packet> packets;
    {
      const std::lock_guard inbox{inbox_mutex_};
      packets.swap(inbox_);
    }
    for (auto& packet : packets) stack_.input(packet.from, std::move(packet.bytes), now_);
    if (std::exchange(blocked_, false)) stack_.on_output_ready(now_);
    if (const auto tick = stack_.next_tick(); tick && *tick <= now_) stack_.on_tick(now_);
    stack_.run_handlers(now_);
    if (!done_ && bulk_.count == kBytes && ping_.count >= 64 * kPings) {
      done_ = true;
      right_ =
          bulk_.received == random_bytes(index_, kBytes) && stack_.stats().asserts == 0 && stack_.stats().filtered == 0;
    }
    return true;
  }

  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] bool right() const { return right_; }

 private:
  struct Packet {
    PublicKey from;
    Buffer bytes;
  };
  Nodes& nodes_;
  const std::size_t index_;
  const PublicKey key_ = key_of(index_);
  std::mutex turn_mutex_;
  std::mutex inbox_mutex_;
  std::deque<Packet> inbox_;
  Time now_{};
  bool blocked_ = false;
  std::atomic<bool> done_ = false;
  bool right_ = false;
  Reader bulk_;
  Reader ping_;
  std::vector<std::unique_ptr<Reader>> served_;
  crypto::SeededRng rng_;
  Stack stack_;
};

void run_all(std::size_t threads) {
  Nodes nodes;
  for (std::size_t i = 0; i < kNodes; ++i) nodes[i] = std::make_unique<Node>(nodes, i);
  for (const auto& node : nodes) node->start();
  std::atomic<std::size_t> next = 0;
  std::atomic<std::size_t> turns = 0;
  const auto all_done = [&nodes] {
    for (const auto& node : nodes) {
      if (!node->done()) return false;
    }
    return true;
  };
  const auto work = [&] {
    while (turns.fetch_add(1) < 20'000'000) {
      nodes[next.fetch_add(1) % kNodes]->turn();
      if (next.load() % kNodes == 0 && all_done()) return;
    }
  };
  std::vector<std::thread> workers;
  for (std::size_t i = 0; i < threads; ++i) workers.emplace_back(work);
  for (auto& worker : workers) worker.join();
  for (const auto& node : nodes) {
    CHECK(node->done());
    CHECK(node->right());
  }
}

}  // namespace

TEST_CASE("tcpip: fifty stacks on one thread", "[tcpip]") { run_all(1); }

TEST_CASE("tcpip: fifty stacks roaming over eight threads", "[tcpip]") { run_all(8); }
