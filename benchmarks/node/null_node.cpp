// The ceiling of every measurement through a node's HTTP API: an HTTP server with queues and no network behind it.
//
//   null_node SEND_PORT RECV_PORT
//
// Answers on both ports `POST /send` (the body is queued; 200), `GET /recv` and `GET /recv?wait=1` (the oldest body, or
// waits a second for one), and any other POST with its own body, as a service behind two nodes would. One thread, epoll,
// keep-alive.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace {

using Clock = std::chrono::steady_clock;

struct Client {
  int socket = -1;
  std::string in;
  std::size_t taken = 0;  // of `in`
  std::string out;
  Clock::time_point until{};  // while it waits
};

class NullNode {
 public:
  NullNode() : poll_{::epoll_create1(0)} {}

  void listen(int port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int on = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(socket, 1024) != 0) {
      std::perror("listen");
      std::exit(1);
    }
    watch(socket);
    listeners_[socket] = true;
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 256> events;
    for (;;) {
      const int count = ::epoll_wait(poll_, events.data(), events.size(), waiting_.empty() ? -1 : 200);
      if (count == 0) expire();
      for (int i = 0; i < count; ++i) {
        const int socket = events[static_cast<std::size_t>(i)].data.fd;
        if (listeners_.contains(socket)) {
          accept(socket);
        } else {
          readable(socket);
        }
      }
    }
  }

 private:
  void watch(int socket) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = socket;
    ::epoll_ctl(poll_, EPOLL_CTL_ADD, socket, &event);
  }

  void accept(int listener) {
    const int socket = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
    if (socket < 0) return;
    int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(socket);
    clients_[socket] = std::make_unique<Client>();
    clients_[socket]->socket = socket;
  }

  void readable(int socket) {
    auto& client = *clients_.at(socket);
    const auto count = ::recv(socket, buffer_.data(), buffer_.size(), 0);
    if (count <= 0) {
      if (count < 0 && errno == EAGAIN) return;
      for (auto& waiting : waiting_) {
        if (waiting == &client) waiting = nullptr;
      }
      ::close(socket);
      clients_.erase(socket);
      return;
    }
    client.in.append(buffer_.data(), static_cast<std::size_t>(count));
    while (take_request(client)) {
    }
    if (client.taken == client.in.size()) {
      client.in.clear();
      client.taken = 0;
    }
  }

  bool take_request(Client& client) {
    const auto text = std::string_view{client.in}.substr(client.taken);
    const auto end = text.find("\r\n\r\n");
    if (end == std::string_view::npos) return false;
    std::size_t length = 0;
    if (const auto at = text.find("Content-Length: "); at < end)
      length = std::strtoull(text.data() + at + 16, nullptr, 10);
    if (text.size() < end + 4 + length) return false;
    const auto body = text.substr(end + 4, length);
    client.taken += end + 4 + length;
    if (text.starts_with("POST /send")) {
      deliver(body);
      client.out =
          "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nX-Sent-Bytes: " + std::to_string(length) +
          "\r\nContent-Length: 0\r\n\r\n";
      flush(client);
    } else if (text.starts_with("GET /recv")) {
      if (!queue_.empty()) {
        answer(client, queue_.front());
        queue_.pop_front();
      } else if (text.starts_with("GET /recv?wait")) {
        client.until = Clock::now() + std::chrono::seconds{1};
        waiting_.push_back(&client);
      } else {
        nothing(client);
      }
    } else {
      answer(client, body);
    }
    return true;
  }

  static void nothing(Client& client) {
    client.out = "HTTP/1.1 204 No Content\r\n\r\n";
    flush(client);
  }

  // Those who wait have come one after the other.
  void expire() {
    while (!waiting_.empty() && (waiting_.front() == nullptr || waiting_.front()->until <= Clock::now())) {
      if (auto* const client = waiting_.front()) nothing(*client);
      waiting_.pop_front();
    }
  }

  void deliver(std::string_view body) {
    while (!waiting_.empty()) {
      auto* const client = waiting_.front();
      waiting_.pop_front();
      if (client == nullptr) continue;
      return answer(*client, body);
    }
    queue_.emplace_back(body);
  }

  void answer(Client& client, std::string_view body) {
    client.out =
        "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n\r\n";
    client.out += body;
    flush(client);
  }

  static void flush(Client& client) {
    for (std::size_t sent = 0; sent < client.out.size();) {
      const auto count = ::send(client.socket, client.out.data() + sent, client.out.size() - sent, MSG_NOSIGNAL);
      if (count > 0) sent += static_cast<std::size_t>(count);
      if (count < 0 && errno != EAGAIN) return;
    }
  }

  int poll_;
  std::unordered_map<int, bool> listeners_;
  std::unordered_map<int, std::unique_ptr<Client>> clients_;
  std::deque<std::string> queue_;
  std::deque<Client*> waiting_;
  std::string buffer_ = std::string(256 * 1024, '\0');
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "null_node SEND_PORT RECV_PORT\n");
    return 2;
  }
  ::signal(SIGPIPE, SIG_IGN);
  NullNode node;
  node.listen(std::atoi(argv[1]));
  node.listen(std::atoi(argv[2]));
  std::puts("ready");
  std::fflush(stdout);
  node.run();
}
