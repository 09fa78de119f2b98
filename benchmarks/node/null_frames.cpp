// The limit of a game loop: what examples/game_loop.cpp does, by two kernel TCP sockets on loopback and nothing else.
//
// Usage: null_frames SECONDS
//
// 60 frames a second; in each, each end looks what has arrived, takes it, and sends its state of 1 KiB. What the worst of
// these calls takes is what the machine itself takes from a frame.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Cost = std::chrono::duration<double, std::micro>;

constexpr auto kFrame = std::chrono::nanoseconds{1'000'000'000 / 60};
constexpr std::size_t kState = 1'024;

void require(bool good, const char* what) {
  if (good) return;
  std::perror(what);
  std::exit(1);
}

// One end of a connection, and what waits for it to have something to read.
struct End {
  explicit End(int connected) : socket{connected} {
    const int on = 1;
    epoll_event readable{.events = EPOLLIN, .data = {}};
    require(setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "TCP_NODELAY");
    require(fcntl(socket, F_SETFL, O_NONBLOCK) == 0, "O_NONBLOCK");
    require(epoll_ctl(waiting, EPOLL_CTL_ADD, socket, &readable) == 0, "epoll_ctl");
  }

  void play() {
    epoll_event event{};
    if (epoll_wait(waiting, &event, 1, 0) == 1) {
      for (ssize_t size = 0; (size = read(socket, buffer.data(), buffer.size())) > 0;) received += static_cast<std::size_t>(size);
    }
    require(write(socket, buffer.data(), kState) == static_cast<ssize_t>(kState), "write");
  }

  int socket;
  int waiting = epoll_create1(0);
  std::size_t received = 0;
  std::array<char, 65'536> buffer{};
};

}  // namespace

int main(int count, char** arguments) {
  const auto frames = static_cast<std::size_t>(60 * (count > 1 ? std::atof(arguments[1]) : 2));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  require(bind(listener, generic, size) == 0 && listen(listener, 1) == 0, "listen");
  require(getsockname(listener, generic, &size) == 0, "getsockname");
  const int connecting = socket(AF_INET, SOCK_STREAM, 0);
  require(connect(connecting, generic, size) == 0, "connect");
  End ends[2] = {End{connecting}, End{accept(listener, nullptr, nullptr)}};

  std::vector<Cost> taken;
  taken.reserve(2 * frames);
  auto next = Clock::now();
  for (std::size_t frame = 0; frame < frames; ++frame) {
    for (auto& end : ends) {
      const auto before = Clock::now();
      end.play();
      taken.push_back(Clock::now() - before);
    }
    next += kFrame;
    std::this_thread::sleep_until(next);
  }
  std::sort(taken.begin(), taken.end());
  std::printf("kernel TCP alone, %zu calls of poll():\n", taken.size());
  std::printf("  time median %7.1f us, 99 %% below %7.1f us, worst %7.1f us\n", taken[taken.size() / 2].count(),
              taken[taken.size() * 99 / 100].count(), taken.back().count());
  return ends[0].received + kState >= frames * kState ? 0 : 1;
}
