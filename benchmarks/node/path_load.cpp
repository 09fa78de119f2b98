// Large messages and small ones beside each other, through two nodes or over plain kernel TCP on the same path.
//
//   path_load nodes SEND_SOCKET RECV_SOCKET DEST_KEY SECONDS SIZE LARGE_CLIENTS SMALL_CLIENTS
//   path_load tcp SEND_NAMESPACE RECV_NAMESPACE ADDRESS SECONDS SIZE LARGE_CLIENTS SMALL_CLIENTS
//
// nodes: by the APIs at two socket files. tcp: from one network namespace to ADDRESS in another, one connection for each
// client; the other end answers each message with one byte when it has all of it. Each client sends one message after
// another, the large ones SIZE bytes and the small ones 1 KiB, and waits for each answer. A client's first message, and the
// first second of the small ones beside large ones, count for nothing: windows grow then. The rate is the sum of what each
// client sent between its first answer and its last, by the time between them. Prints one line of JSON.
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "http.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using axl::bench::Http;
using axl::bench::percentile;

constexpr std::size_t kSmall = 1024;
constexpr int kLeastMessages = 3;

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

double seconds_since(Clock::time_point time) { return std::chrono::duration<double>(Clock::now() - time).count(); }

/// One client's way to get a message across and to know it.
class Sender {
 public:
  virtual ~Sender() = default;
  virtual void send(const std::string& body) = 0;
};

/// What the messages go through.
class Target {
 public:
  virtual ~Target() = default;
  virtual std::unique_ptr<Sender> sender(std::size_t size) = 0;
  /// All have been sent: how many have arrived whole.
  virtual std::uint64_t arrived() = 0;
};

// --- Nodes -----------------------------------------------------------------------------------------------------------

class NodeSender : public Sender {
 public:
  NodeSender(const std::string& path, std::string head) : http_{path}, head_{std::move(head)} {}
  void send(const std::string& body) override {
    if (const auto status = http_.ask(head_, body); status != 200) {
      std::fprintf(stderr, "a message was answered with %d: %.*s\n", status, static_cast<int>(http_.body().size()), http_.body().data());
      std::exit(1);
    }
  }

 private:
  Http http_;
  std::string head_;
};

// The small messages have a topic of their own.
class Nodes : public Target {
 public:
  Nodes(std::string send_path, const std::string& recv_path, std::string key, std::size_t large)
      : send_path_{std::move(send_path)}, key_{std::move(key)}, large_{[this, recv_path, large] { read(recv_path, "", large); }},
        small_{[this, recv_path] { read(recv_path, "&topic=small", kSmall); }} {}

  std::unique_ptr<Sender> sender(std::size_t size) override {
    return std::make_unique<NodeSender>(
        send_path_, "POST /send HTTP/1.1\r\nHost: localhost\r\nX-Destination-Peer-Id: " + key_ +
                        (size == kSmall ? "\r\nX-Axl-Topic: small" : "") + "\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n");
  }
  std::uint64_t arrived() override {
    finished_ = true;
    large_.join();
    small_.join();
    return arrived_;
  }

 private:
  void read(const std::string& path, const std::string& topic, std::size_t size) {
    Http http{path};
    const auto head = [&topic](int wait) {
      return "GET /recv?wait=" + std::to_string(wait) + topic + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    };
    for (;;) {
      const bool last = finished_;
      if (http.ask(head(last ? 0 : 1), {}) == 200) {
        const auto body = http.body();
        if (body.size() == size && std::memcmp(body.data(), body.data() + 1, size - 1) == 0) ++arrived_;
      } else if (last) {
        return;
      }
    }
  }
  std::string send_path_;
  std::string key_;
  std::atomic<bool> finished_{false};
  std::atomic<std::uint64_t> arrived_{0};
  std::thread large_;
  std::thread small_;
};

// --- Kernel TCP ------------------------------------------------------------------------------------------------------

int socket_in(const std::string& network) {
  const int space = ::open(network.c_str(), O_RDONLY | O_CLOEXEC);
  if (space < 0 || ::setns(space, CLONE_NEWNET) != 0) fail(network.c_str());  // of this thread
  ::close(space);
  const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int on = 1;
  ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return made;
}

bool read_all(int socket, char* into, std::size_t size) {
  while (size > 0) {
    const auto count = ::recv(socket, into, size, 0);
    if (count <= 0) return false;
    into += count;
    size -= static_cast<std::size_t>(count);
  }
  return true;
}

class TcpSender : public Sender {
 public:
  TcpSender(const std::string& network, const sockaddr_in& address) : socket_{socket_in(network)} {
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("connect");
  }
  ~TcpSender() override { ::close(socket_); }
  void send(const std::string& body) override {
    const std::uint64_t size = body.size();
    std::array<iovec, 2> parts{{{const_cast<std::uint64_t*>(&size), sizeof size}, {const_cast<char*>(body.data()), body.size()}}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = 2;
    std::size_t sent = 0;
    while (sent < sizeof size + body.size()) {
      const auto count = ::sendmsg(socket_, &message, MSG_NOSIGNAL);
      if (count <= 0) fail("send");
      sent += static_cast<std::size_t>(count);
      const auto of_body = sent < sizeof size ? 0 : sent - sizeof size;
      const auto of_head = std::min(sent, sizeof size);
      parts[0] = {reinterpret_cast<char*>(const_cast<std::uint64_t*>(&size)) + of_head, sizeof size - of_head};
      parts[1] = {const_cast<char*>(body.data()) + of_body, body.size() - of_body};
    }
    char answer = 0;
    if (!read_all(socket_, &answer, 1)) fail("answer");
  }

 private:
  int socket_;
};

class Tcp : public Target {
 public:
  Tcp(std::string from, const std::string& to, const char* address) : from_{std::move(from)} {
    address_.sin_family = AF_INET;
    ::inet_pton(AF_INET, address, &address_.sin_addr);
    std::thread{[&] {
      listener_ = socket_in(to);
      socklen_t length = sizeof address_;
      if (::bind(listener_, reinterpret_cast<sockaddr*>(&address_), sizeof address_) != 0 || ::listen(listener_, 64) != 0 ||
          ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address_), &length) != 0) {
        fail("listen");
      }
    }}.join();
    std::thread{[this] {
      for (;;) {
        const int connection = ::accept(listener_, nullptr, nullptr);
        if (connection < 0) fail("accept");
        std::thread{[this, connection] { answer(connection); }}.detach();  // until the process ends
      }
    }}.detach();
  }
  std::unique_ptr<Sender> sender(std::size_t /*size*/) override { return std::make_unique<TcpSender>(from_, address_); }
  std::uint64_t arrived() override { return arrived_; }

 private:
  void answer(int connection) {
    int on = 1;
    ::setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::vector<char> into(256 * 1024);
    std::uint64_t left = 0;
    while (read_all(connection, reinterpret_cast<char*>(&left), sizeof left)) {
      while (left > 0) {
        const auto part = std::min<std::uint64_t>(left, into.size());
        if (!read_all(connection, into.data(), part)) return;
        left -= part;
      }
      ++arrived_;
      ::send(connection, "k", 1, MSG_NOSIGNAL);
    }
  }
  std::string from_;
  sockaddr_in address_{};
  int listener_ = -1;
  std::atomic<std::uint64_t> arrived_{0};
};

// --- The load --------------------------------------------------------------------------------------------------------

struct Found {
  std::mutex mutex;
  std::uint64_t sent = 0;
  double rate = 0;                // bytes a second
  std::vector<double> latencies;  // of small messages, in ms
};

void send_large(Target& target, std::size_t size, double seconds, Clock::time_point start, Found& found) {
  const auto sender = target.sender(size);
  const std::string body(size, 'x');
  sender->send(body);
  const auto first = Clock::now();
  int count = 1;
  for (; count < kLeastMessages || seconds_since(start) < seconds; ++count) sender->send(body);
  const auto took = seconds_since(first);
  const std::scoped_lock lock{found.mutex};
  found.sent += static_cast<std::uint64_t>(count);
  found.rate += static_cast<double>(count - 1) * static_cast<double>(size) / took;
}

void send_small(Target& target, double unmeasured, Clock::time_point start, const std::atomic<bool>& finished, Found& found) {
  const auto sender = target.sender(kSmall);
  const std::string body(kSmall, 'x');
  std::vector<double> latencies;
  std::uint64_t count = 0;
  while (!finished) {
    const auto before = Clock::now();
    sender->send(body);
    if (++count > 1 && std::chrono::duration<double>(before - start).count() >= unmeasured) {
      latencies.push_back(seconds_since(before) * 1000);
    }
  }
  const std::scoped_lock lock{found.mutex};
  found.sent += count;
  found.latencies.insert(found.latencies.end(), latencies.begin(), latencies.end());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc == 9 ? argv[1] : "";
  if (mode != "nodes" && mode != "tcp") {
    std::fprintf(stderr, "path_load nodes|tcp FROM TO DEST_KEY|ADDRESS SECONDS SIZE LARGE_CLIENTS SMALL_CLIENTS\n");
    return 2;
  }
  const auto seconds = std::atof(argv[5]);
  const auto size = static_cast<std::size_t>(std::atoll(argv[6]));
  std::unique_ptr<Target> target;
  if (mode == "nodes") {
    target = std::make_unique<Nodes>(argv[2], argv[3], argv[4], size);
  } else {
    target = std::make_unique<Tcp>(argv[2], argv[3], argv[4]);
  }
  Found found;
  std::atomic<bool> finished{false};
  std::vector<std::thread> large;
  std::vector<std::thread> small;
  const auto start = Clock::now();
  for (int i = 0; i < std::atoi(argv[7]); ++i) large.emplace_back([&] { send_large(*target, size, seconds, start, found); });
  const auto unmeasured = large.empty() ? 0.0 : 1.0;
  for (int i = 0; i < std::atoi(argv[8]); ++i) small.emplace_back([&] { send_small(*target, unmeasured, start, finished, found); });
  if (large.empty()) std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  for (auto& thread : large) thread.join();
  finished = true;
  for (auto& thread : small) thread.join();
  const auto arrived = target->arrived();
  std::printf("{\"sent\":%llu,\"arrived\":%llu,\"mb_per_second\":%.2f,\"small_messages\":%zu,\"p50_ms\":%.2f,\"p99_ms\":%.2f}\n",
              static_cast<unsigned long long>(found.sent), static_cast<unsigned long long>(arrived), found.rate / 1e6,
              found.latencies.size(), percentile(found.latencies, 0.5), percentile(found.latencies, 0.99));
  std::fflush(stdout);
  std::_Exit(found.sent == arrived ? 0 : 1);  // threads that answer may still wait
}
