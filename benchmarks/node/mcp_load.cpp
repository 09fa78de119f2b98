// Calls a service through two nodes, and is that service: how many answers a second, how late an event comes, what an
// open stream costs.
//
//   mcp_load API_PORT PEER_KEY SERVICE SERVICE_PORT calls COUNT SIZE CLIENTS
//   mcp_load API_PORT PEER_KEY SERVICE SERVICE_PORT events COUNT INTERVAL_US
//   mcp_load API_PORT PEER_KEY SERVICE SERVICE_PORT streams COUNT PID...
//
// The peer's config names the service: {"services": {SERVICE: {"url": "http://127.0.0.1:SERVICE_PORT/mcp"}}}. `direct`
// for PEER_KEY leaves the nodes out (API_PORT is then not used). Prints one line of JSON.
#include <poll.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <fstream>
#include <memory>
#include <thread>

#include "http.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using axl::bench::Http;
using axl::bench::percentile;

std::int64_t now_ns() { return Clock::now().time_since_epoch().count(); }

// Answers each POST with its body, and each GET with a stream of events that say when they were sent.
class Service {
 public:
  Service(int port, int interval_us) : interval_us_{interval_us} {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_, 4096) != 0) {
      std::perror("service");
      std::exit(1);
    }
    std::thread{[this] {
      for (;;) {
        const int socket = ::accept(listener_, nullptr, nullptr);
        if (socket < 0) continue;
        int no_delay = 1;
        ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof no_delay);
        std::thread{[this, socket] { serve(socket); }}.detach();
      }
    }}.detach();
  }

 private:
  void serve(int socket) {
    std::string in;
    std::string out;
    for (;;) {
      std::size_t end = 0;
      while ((end = in.find("\r\n\r\n")) == std::string::npos) {
        if (!read(socket, in)) return;
      }
      std::size_t length = 0;
      if (const auto at = in.find("Content-Length: "); at < end)
        length = std::strtoull(in.c_str() + at + 16, nullptr, 10);
      while (in.size() < end + 4 + length) {
        if (!read(socket, in)) return;
      }
      if (in.starts_with("GET")) return stream(socket);
      out =
          "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
      out.append(in, end + 4, length);
      in.erase(0, end + 4 + length);
      if (::send(socket, out.data(), out.size(), MSG_NOSIGNAL) <= 0) break;
    }
    ::close(socket);
  }

  static bool read(int socket, std::string& in) {
    const auto before = in.size();
    in.resize(before + 64 * 1024);
    const auto count = ::recv(socket, in.data() + before, in.size() - before, 0);
    in.resize(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count <= 0) ::close(socket);
    return count > 0;
  }

  void stream(int socket) const {
    std::string text = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    do {
      if (::send(socket, text.data(), text.size(), MSG_NOSIGNAL) <= 0) break;
      if (interval_us_ == 0) {  // a silent stream: until the other end goes
        char byte = 0;
        while (::recv(socket, &byte, 1, 0) > 0) {
        }
        break;
      }
      ::usleep(static_cast<useconds_t>(interval_us_));
      const auto event = "data: " + std::to_string(now_ns()) + "\n\n";
      char size[16];
      std::snprintf(size, sizeof size, "%zx\r\n", event.size());
      text = size + event + "\r\n";
    } while (true);
    ::close(socket);
  }

  int listener_;
  int interval_us_;
};

long resident_kb(const char* pid) {
  std::ifstream status{"/proc/" + std::string{pid} + "/status"};
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::strtol(line.c_str() + 6, nullptr, 10);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 7) {
    std::fprintf(stderr, "mcp_load API_PORT PEER_KEY SERVICE SERVICE_PORT calls|events|streams COUNT ...\n");
    return 2;
  }
  const bool direct = std::strcmp(argv[2], "direct") == 0;
  const auto service_port = std::atoi(argv[4]);
  const auto port = direct ? service_port : std::atoi(argv[1]);
  const auto path = direct ? std::string{"/mcp"} : "/mcp/" + std::string{argv[2]} + "/" + argv[3];
  const std::string mode = argv[5];
  const auto count = static_cast<std::size_t>(std::atoi(argv[6]));
  const auto get = "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n";
  const int interval = mode == "events" && argc > 7 ? std::atoi(argv[7]) : 0;
  const Service service{service_port, interval};

  if (mode == "calls") {
    const auto size = argc > 7 ? std::strtoull(argv[7], nullptr, 10) : 100;
    const auto clients = argc > 8 ? static_cast<std::size_t>(std::atoi(argv[8])) : 1;
    const auto head = "POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n" +
                      "Accept: application/json, text/event-stream\r\nContent-Length: " + std::to_string(size) +
                      "\r\n\r\n";
    std::string body = R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"x":")";
    body.resize(std::max<std::size_t>(body.size() + 3, size) - 3, 'x');
    body += "\"}}";
    body.resize(size);
    std::vector<std::vector<double>> latencies(clients);
    std::atomic<std::uint64_t> wrong{0};
    std::vector<std::thread> threads;
    const auto start = Clock::now();
    for (std::size_t client = 0; client < clients; ++client) {
      threads.emplace_back([&, client] {
        Http http{port};
        for (std::size_t number = 0; number < count; ++number) {
          const auto before = Clock::now();
          if (http.ask(head, body) != 200 || http.body() != body) ++wrong;
          latencies[client].push_back(std::chrono::duration<double, std::micro>(Clock::now() - before).count());
        }
      });
    }
    for (auto& thread : threads) thread.join();
    const auto seconds = std::chrono::duration<double>(Clock::now() - start).count();
    std::vector<double> all;
    for (const auto& part : latencies) all.insert(all.end(), part.begin(), part.end());
    std::printf(
        "{\"calls\":%zu,\"clients\":%zu,\"size\":%llu,\"wrong\":%llu,\"per_second\":%.0f,\"p50_us\":%.0f,\"p99_us\":%."
        "0f}\n",
        all.size(), clients, static_cast<unsigned long long>(size), static_cast<unsigned long long>(wrong),
        static_cast<double>(all.size()) / seconds, percentile(all, 0.5), percentile(all, 0.99));
    return wrong == 0 ? 0 : 1;
  }
  if (mode == "events") {
    Http http{port};
    http.send(get);
    http.read_to("\r\n\r\n");
    std::vector<double> late;
    for (std::size_t number = 0; number < count; ++number) {
      http.read_to("data: ");
      const auto sent = std::strtoll(http.read_to("\n\n").c_str(), nullptr, 10);
      late.push_back(static_cast<double>(now_ns() - sent) / 1'000);
    }
    std::printf("{\"events\":%zu,\"p50_us\":%.0f,\"p99_us\":%.0f}\n", late.size(), percentile(late, 0.5),
                percentile(late, 0.99));
    return 0;
  }
  const auto resident = [&] {
    long sum = 0;
    for (int i = 7; i < argc; ++i) sum += resident_kb(argv[i]);
    return sum;
  };
  std::vector<std::unique_ptr<Http>> streams;
  const auto open = [&] {
    streams.push_back(std::make_unique<Http>(port));
    streams.back()->send(get);
    if (!streams.back()->read_to("\r\n\r\n").starts_with("HTTP/1.1 200")) std::exit(1);
  };
  open();
  const auto before = resident();
  while (streams.size() <= count) open();
  const auto after = resident();
  std::printf("{\"streams\":%zu,\"kb_before\":%ld,\"kb_after\":%ld,\"kb_per_stream\":%.1f}\n", count, before, after,
              static_cast<double>(after - before) / static_cast<double>(count));
  return 0;
}
