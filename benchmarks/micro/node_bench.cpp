// The library without its HTTP API: two nodes in this process, each with its own thread, over TLS on loopback.
//
// Every message that is counted has arrived; a batch ends when the last one has. CPU time is that of both nodes.
#include <benchmark/benchmark.h>
#include <axl/axl.hpp>

#include <condition_variable>
#include <memory>
#include <mutex>

#include "numbered.hpp"

using namespace axl;
using namespace axl::bench;

namespace {

constexpr std::uint16_t kPort = 4000;
constexpr std::size_t kBatchBytes = 16 << 20;
constexpr std::size_t kMostInBatch = 10'000;

// A count that others wait for.
class Tally {
 public:
  void add(std::size_t more) {
    const std::lock_guard lock{mutex_};
    count_ += more;
    if (count_ >= wanted_) reached_.notify_all();
  }
  [[nodiscard]] std::size_t count() {
    const std::lock_guard lock{mutex_};
    return count_;
  }
  void wait_for(std::size_t wanted) {
    std::unique_lock lock{mutex_};
    wanted_ = wanted;
    reached_.wait(lock, [&] { return count_ >= wanted; });
    wanted_ = SIZE_MAX;
  }

 private:
  std::mutex mutex_;
  std::condition_variable reached_;
  std::size_t count_ = 0;
  std::size_t wanted_ = SIZE_MAX;
};

std::unique_ptr<Node> make_node(const Node* peer) {
  NodeConfig config;
  if (peer == nullptr) {
    config.listen = {"tls://127.0.0.1:0"};
  } else {
    config.peers = {{.uri = peer->listeners().at(0)}};
  }
  auto node = Node::create(std::move(config));
  require(node.ok(), "a node is made");
  return *std::move(node);
}

struct TwoNodes {
  TwoNodes() { require(receiver->start().ok() && sender->start().ok(), "the nodes start"); }
  std::unique_ptr<Node> receiver = make_node(nullptr);
  std::unique_ptr<Node> sender = make_node(receiver.get());
};

std::size_t batch_of(std::size_t size) { return std::min(kMostInBatch, std::max<std::size_t>(1, kBatchBytes / size)); }

// Messages of a session: framed, encrypted, acknowledged by TCP.
void session_messages(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  TwoNodes nodes;
  Tally arrived;
  Tally room;
  Session accepted;
  require(nodes.receiver
              ->listen(kPort,
                       [&](Session session) {
                         accepted = std::move(session);
                         accepted.on_message([&](const MessageBody& body) {
                           require(body.size() == size && body.span().back() == std::byte{'z'}, "a message arrives as it was");
                           arrived.add(1);
                         });
                       })
              .ok(),
          "a port");
  Tally up;
  Session session;
  nodes.sender->connect(nodes.receiver->key(), kPort, [&](Result<Session> made) {
    require(made.ok(), "a session comes up");
    session = *std::move(made);
    up.add(1);
  });
  up.wait_for(1);
  session.on_writable([&] { room.add(1); });
  session.on_drained([&] { room.add(1); });
  const MessageBody body{Bytes(size, std::byte{'z'})};
  const auto batch = batch_of(size);
  std::size_t sent = 0;
  for (auto _ : state) {
    for (std::size_t i = 0; i < batch; ++i) {
      for (auto seen = room.count(); session.congested(); seen = room.count()) room.wait_for(seen + 1);
      require(session.send_message(body).ok(), "a message is taken");
      ++sent;
    }
    arrived.wait_for(sent);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(batch));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(batch * size));
  session.close();
  nodes.sender->stop();
  nodes.receiver->stop();
}
BENCHMARK(session_messages)
    ->Arg(64)
    ->Arg(1'024)
    ->Arg(1 << 20)
    ->ArgName("bytes")
    ->UseRealTime()
    ->MeasureProcessCPUTime();

// Node::send: each message with its receipt from the peer's queue, so many under way at once.
void sent_messages(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const auto under_way = static_cast<std::size_t>(state.range(1));
  TwoNodes nodes;
  Tally receipts;
  const MessageBody body{Bytes(size, std::byte{'z'})};
  std::size_t arrived = 0;
  Tally ready;
  nodes.receiver->post([&] {
    nodes.receiver->router().on_message([&](const Message& message) {
      require(message.body.size() == size, "a message arrives as it was");
      ++arrived;
    });
    ready.add(1);
  });
  ready.wait_for(1);
  const auto send = [&] {
    nodes.sender->send(nodes.receiver->key(), body, [&](const Result<SendReport>& report) {
      require(report.ok() && report->delivery == Delivery::queued, "a message is delivered");
      receipts.add(1);
    });
  };
  send();
  receipts.wait_for(1);
  const auto batch = batch_of(size);
  std::size_t sent = 1;
  for (auto _ : state) {
    for (std::size_t i = 0; i < batch; ++i) {
      send();
      if (++sent > under_way) receipts.wait_for(sent - under_way);
    }
    receipts.wait_for(sent);
  }
  nodes.sender->stop();
  nodes.receiver->stop();
  require(arrived == sent, "as many arrive as are sent");
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(batch));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(batch * size));
}
BENCHMARK(sent_messages)
    ->Args({1'024, 1})
    ->Args({1'024, 8})
    ->Args({1'024, 64})
    ->Args({1 << 20, 1})
    ->Args({1 << 20, 4})
    ->ArgNames({"bytes", "under_way"})
    ->UseRealTime()
    ->MeasureProcessCPUTime();

}  // namespace
