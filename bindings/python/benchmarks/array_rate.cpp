// What throughput.py --arrays does, in C++: messages of one size in a session between two processes.
//
//   array_rate receive COUNT                 prints its key and URI, takes COUNT messages, answers
//   array_rate send COUNT SIZE KEY URI       prints the seconds from the first message to the answer
#include <axl/axl.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string_view>

namespace {

constexpr std::uint16_t kPort = 4000;

// What one thread waits for and another says.
class Signal {
 public:
  void raise() {
    const std::lock_guard lock{mutex_};
    ++count_;
    raised_.notify_all();
  }
  [[nodiscard]] std::size_t count() {
    const std::lock_guard lock{mutex_};
    return count_;
  }
  void wait_beyond(std::size_t seen) {
    std::unique_lock lock{mutex_};
    raised_.wait(lock, [&] { return count_ > seen; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable raised_;
  std::size_t count_ = 0;
};

template <class T>
T need(axl::Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().text().c_str());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

int receive(std::size_t count) {
  axl::NodeConfig config;
  config.listen = {"tls://127.0.0.1:0"};
  const auto node = need(axl::Node::create(config));
  axl::Session session;
  std::size_t got = 0;
  Signal closed;
  need(node->listen(kPort, [&](axl::Session accepted) {
    session = std::move(accepted);
    session.on_message(
        [&](const axl::MessageBody& body) {
          if (body.size() < 16 || ++got < count) return;
          need(session.send_message(axl::to_bytes("done")));
        },
        std::size_t{1} << 30);
    session.on_end([&] { session.close(); });
    session.on_closed([&](const axl::Error*) { closed.raise(); });
  }));
  need(node->start());
  std::printf("%s %s\n", node->key().to_hex().c_str(), node->listeners().at(0).c_str());
  std::fflush(stdout);
  closed.wait_beyond(0);
  node->stop();
  return 0;
}

int send(std::size_t count, std::size_t size, std::string_view key, const char* uri) {
  axl::NodeConfig config;
  config.peers = {{.uri = uri}};
  const auto node = need(axl::Node::create(config));
  need(node->start());
  const auto peer = need(axl::PublicKey::from_hex(key));
  Signal up;
  Signal room;
  Signal done;
  axl::Session session;
  node->connect(peer, kPort, [&](axl::Result<axl::Session> made) {
    session = need(std::move(made));
    session.on_writable([&] { room.raise(); });
    session.on_message([&](const axl::MessageBody&) { done.raise(); });
    up.raise();
  });
  up.wait_beyond(0);
  need(session.send_message(axl::to_bytes("arrays")));
  const axl::MessageBody body{axl::Bytes(size)};
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < count; ++i) {
    for (auto seen = room.count(); session.congested(); seen = room.count()) room.wait_beyond(seen);
    need(session.send_message(body));
  }
  done.wait_beyond(0);
  std::printf("%f\n", std::chrono::duration<double>{std::chrono::steady_clock::now() - begin}.count());
  Signal closed;
  session.on_closed([&](const axl::Error*) { closed.raise(); });
  session.close();
  closed.wait_beyond(0);
  node->stop();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "receive" && argc == 3) return receive(std::strtoul(argv[2], nullptr, 10));
  if (what == "send" && argc == 6) return send(std::strtoul(argv[2], nullptr, 10), std::strtoul(argv[3], nullptr, 10), argv[4], argv[5]);
  std::fprintf(stderr, "array_rate receive COUNT | array_rate send COUNT SIZE KEY URI\n");
  return 2;
}
