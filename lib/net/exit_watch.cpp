#include "net/exit_watch.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <asio/post.hpp>
#include <cerrno>
#include <utility>

namespace axl::net {

namespace {

constexpr auto kPollEvery = std::chrono::milliseconds{50};
constexpr int kUnknownExit = -1;  // somebody else has reaped it

int open_process(pid_t pid) noexcept {
#ifdef SYS_pidfd_open
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
#else
  static_cast<void>(pid);
  return -1;
#endif
}

}  // namespace

ExitWatch::ExitWatch(asio::io_context& context, pid_t pid, bool poll)
    : context_{context}, pid_{pid}, descriptor_{context.get_executor()}, timer_{context.get_executor()}, poll_{poll} {}

ExitWatch::~ExitWatch() {
  if (reaped_) return;
  // The loop has ended before the process did.
  ::kill(-pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void ExitWatch::start() {
  const auto descriptor = poll_ ? -1 : open_process(pid_);
  if (descriptor >= 0) {
    std::error_code failure;
    descriptor_.assign(descriptor, failure);
    if (failure) ::close(descriptor);
  }
  poll_ = !descriptor_.is_open();
  wait();
}

void ExitWatch::wait() {
  if (!poll_) {
    descriptor_.async_wait(asio::posix::descriptor_base::wait_read,
                           [self = shared_from_this()](const std::error_code&) { self->look(); });
    return;
  }
  timer_.expires_after(kPollEvery);
  timer_.async_wait([self = shared_from_this()](const std::error_code&) { self->look(); });
}

void ExitWatch::look() {
  const auto self = shared_from_this();
  siginfo_t info{};
  const auto asked = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
  if (asked == 0 && info.si_pid == 0) return wait();  // not yet
  reap();
  tell();
}

void ExitWatch::reap() noexcept {
  ::kill(-pid_, SIGKILL);
  int status = 0;
  pid_t got = 0;
  do {
    got = ::waitpid(pid_, &status, WNOHANG);
  } while (got < 0 && errno == EINTR);
  if (got != pid_) {
    end_.exit_code = kUnknownExit;
  } else if (WIFSIGNALED(status)) {
    end_.signal = WTERMSIG(status);
  } else {
    end_.exit_code = WEXITSTATUS(status);
  }
  reaped_ = true;
  std::error_code ignored;
  descriptor_.close(ignored);
}

void ExitWatch::tell() {
  if (!handler_ || std::exchange(told_, true)) return;
  std::exchange(handler_, nullptr)(end_);
}

void ExitWatch::on_end(EndHandler handler) {
  handler_ = std::move(handler);
  if (!reaped_ || told_ || stopped_) return;
  asio::post(context_, [self = shared_from_this()] { self->tell(); });
}

void ExitWatch::signal(int number) noexcept {
  if (!reaped_) ::kill(-pid_, number);
}

void ExitWatch::stop() noexcept {
  stopped_ = true;
  handler_ = nullptr;
  signal(SIGKILL);
}

}  // namespace axl::net
