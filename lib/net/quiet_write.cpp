#include "net/quiet_write.hpp"

#include <pthread.h>
#include <signal.h>

#include <cerrno>
#include <ctime>

namespace axl::net {

// SIGPIPE goes to the thread that writes. It is blocked there for the call, and taken away if the call has raised it;
// one that was waiting before is not ours and stays.
ssize_t quiet_writev(int descriptor, const iovec* pieces, int count) noexcept {
  sigset_t pipe_only;
  sigset_t before;
  sigset_t waiting;
  ::sigemptyset(&pipe_only);
  ::sigaddset(&pipe_only, SIGPIPE);
  ::sigemptyset(&waiting);
  ::sigpending(&waiting);
  const auto was_waiting = ::sigismember(&waiting, SIGPIPE) == 1;
  ::pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
  const auto written = ::writev(descriptor, pieces, count);
  const auto code = errno;
  if (written < 0 && code == EPIPE && !was_waiting) {
    const timespec at_once{};
    while (::sigtimedwait(&pipe_only, nullptr, &at_once) < 0 && errno == EINTR) {
    }
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = code;
  return written;
}

}  // namespace axl::net
