#include "events.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

namespace gossip {
namespace {

constexpr std::size_t kMostLine = 65'536;  // bytes; a longer line is two

// A signal handler has nothing but what is static.
std::array<int, 2> pipe_ends{-1, -1};
volatile std::sig_atomic_t asked_to_end = 0;

void wake_up() noexcept {
  const auto before = errno;
  const char one = 0;
  static_cast<void>(!write(pipe_ends[1], &one, 1));  // a full pipe wakes as well
  errno = before;
}

void on_signal(int signal) {
  if (signal != SIGWINCH) asked_to_end = 1;
  wake_up();
}

}  // namespace

Events::Events() {
  if (pipe(pipe_ends.data()) != 0) std::abort();
  for (const auto end : pipe_ends) fcntl(end, F_SETFL, O_NONBLOCK);
  struct sigaction action = {};
  action.sa_handler = on_signal;
  for (const auto signal : {SIGINT, SIGTERM, SIGWINCH}) sigaction(signal, &action, nullptr);
}

Events::~Events() {
  for (const auto signal : {SIGINT, SIGTERM, SIGWINCH}) std::signal(signal, SIG_DFL);
  for (const auto end : pipe_ends) close(end);
}

void Events::wake() const noexcept { wake_up(); }

void Events::wait(std::optional<Clock::time_point> until) {
  if (!lines_.empty() || ended_) return;
  int milliseconds = -1;
  if (until) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until - Clock::now()).count();
    milliseconds = static_cast<int>(std::clamp<long long>(left, 0, 60'000));
  }
  std::array<pollfd, 2> watched{{{STDIN_FILENO, POLLIN, 0}, {pipe_ends[0], POLLIN, 0}}};
  if (poll(watched.data(), watched.size(), milliseconds) > 0) {
    if (watched[0].revents != 0) read_input();
    std::array<char, 256> wakes{};
    while (watched[1].revents != 0 && read(pipe_ends[0], wakes.data(), wakes.size()) > 0) {
    }
  }
  if (asked_to_end != 0) ended_ = true;
}

void Events::read_input() {
  std::array<char, 4096> buffer{};
  const auto count = read(STDIN_FILENO, buffer.data(), buffer.size());
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (count <= 0) {
    ended_ = true;
    if (!partial_.empty()) lines_.push_back(std::move(partial_));
    return;
  }
  for (const auto one : std::string_view{buffer.data(), static_cast<std::size_t>(count)}) {
    if (one != '\n') partial_ += one;
    if (one != '\n' && partial_.size() < kMostLine) continue;
    lines_.push_back(std::move(partial_));
    partial_.clear();
  }
}

std::optional<std::string> Events::next_line() {
  if (lines_.empty()) return {};
  auto out = std::move(lines_.front());
  lines_.pop_front();
  return out;
}

}  // namespace gossip
